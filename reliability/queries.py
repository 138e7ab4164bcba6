"""Hostile SQL: queries grown from a grammar and then mutated.

A query is answered or refused; it never writes, reads or makes a file, or loads anything. Each
worker has a catalogue of its own, whose bytes are compared after every query.
"""

import shutil
from itertools import islice
from pathlib import Path
from random import Random

from reliability.cases import Case, Job, Outcome, Verdict, failed, judged
from reliability.world import World
from zoolens.catalog.runtime.files import sha256_of

_HIDDEN = "the-secret-of-a-file"
_ROWS = 2000  # that a reader takes of an answer

_VIEWS = {
    "galaxies": ("galaxy_id", "iauname", "ra", "dec"),
    "votes": ("galaxy_id", "iauname", "question", "label", "count", "total", "fraction"),
    "predictions": ("galaxy_id", "label", "concentration", "fraction", "fraction_lo", "reach"),
    "losses": ("galaxy_id", "iauname", "label", "observed", "predicted", "ce", "total_votes"),
    "worst": ("rank", "galaxy_id", "iauname", "label", "ce", "weighted_ce"),
    "runs": ("run_id", "job", "status", "config", "started_at"),
    "rejects": ("run_id", "source", "key", "reason"),
    "answers": ("answer_id", "question", "answer", "label"),
}
_VALUES = ("0", "1", "-1", "NULL", "'x'", "1e308", "DATE '2020-01-01'", "[1, 2]", "{'a': 1}", "?")
_CALLS = (
    *("hash(%)", "abs(%)", "upper(%)", "%::VARCHAR", "try_cast(% AS INTEGER)", "typeof(%)"),
    *("repeat(%::VARCHAR, 3)", "regexp_replace(%::VARCHAR, '(a|b)*', 'x')", "random()"),
    *("coalesce(%, %)", "% IS NULL", "% = %", "% < %", "NOT (% = %)", "[%, %]", "% + %"),
    *("CASE WHEN % IS NULL THEN % END", "% IN (%, %)", "%::VARCHAR LIKE '%%'", "greatest(%, %)"),
    *("getenv('HOME')", "current_setting('memory_limit')", "struct_pack(a := %)", "% ** 2"),
)
_SUMS = (
    "count(*)",
    "sum(%)",
    "avg(%)",
    "list(%)",
    "median(%)",
    "mode(%)",
    "string_agg(%::VARCHAR)",
)
# What a query must not do; {f} is a file with a secret, {n} a file that is not there.
_FORBIDDEN = (
    *(
        "COPY galaxies TO '{n}'",
        "COPY (SELECT 1) TO '{n}' (FORMAT parquet)",
        "EXPORT DATABASE '{n}'",
    ),
    *("SELECT * FROM read_csv('{f}')", "SELECT * FROM read_text('{f}')", "FROM '{f}'"),
    *(
        "SELECT * FROM glob('/etc/*')",
        "SELECT content FROM read_blob('{f}')",
        "FROM sniff_csv('{f}')",
    ),
    *("ATTACH '{n}'", "ATTACH '{c}' AS again", "DETACH gz", "USE memory", "CHECKPOINT", "VACUUM"),
    *("DELETE FROM vote", "UPDATE vote SET count = 0", "INSERT INTO vote SELECT * FROM vote"),
    *(
        "DROP TABLE vote",
        "DROP VIEW worst",
        "CREATE TABLE x AS SELECT 1",
        "CREATE TEMP TABLE x(i INT)",
    ),
    *(
        "TRUNCATE vote",
        "ALTER TABLE vote ADD COLUMN x INT",
        "CREATE OR REPLACE VIEW worst AS SELECT 1",
    ),
    *("SET memory_limit = '1TB'", "SET enable_external_access = true", "RESET lock_configuration"),
    *(
        "INSTALL httpfs",
        "LOAD '{f}'",
        "PRAGMA enable_profiling",
        "PRAGMA database_list",
        "CALL pragma_version()",
    ),
    *(
        "EXPLAIN ANALYZE DELETE FROM vote",
        "EXPLAIN ANALYZE COPY galaxies TO '{n}'",
        "PREPARE p AS SELECT 1",
    ),
    *("BEGIN; DELETE FROM vote; COMMIT", "SELECT 1; DROP TABLE vote", "COMMIT; DELETE FROM vote"),
    *(
        "WITH x AS (DELETE FROM vote RETURNING *) FROM x",
        "SELECT nextval('s')",
        "IMPORT DATABASE '{f}'",
    ),
    *("CREATE MACRO f() AS TABLE FROM read_text('{f}')", "SELECT * FROM query('DELETE FROM vote')"),
    *("SELECT * FROM query('FROM read_text(''{f}'')')", "SELECT * FROM query_table('{f}')"),
    *("CREATE SECRET (TYPE s3)", "SELECT * FROM duckdb_secrets()", "SELECT getvariable('x')"),
    *("FROM duckdb_settings()", "SELECT * FROM which_secret('{f}', 'http')", "SET VARIABLE x = 1"),
    *("FROM sqlite_scan('{f}', 'x')", "FROM parquet_metadata('{f}')", "FROM read_json('{f}')"),
)


def _expression(chance: Random, columns: tuple[str, ...], depth: int) -> str:
    """A value made of columns, constants and functions; its types may not fit."""
    if depth <= 0 or chance.random() < 0.4:
        rare = chance.random() < 0.2
        return chance.choice(_VALUES if rare else columns)
    return _filled(chance.choice(_CALLS), chance, columns, depth)


def _filled(form: str, chance: Random, columns: tuple[str, ...], depth: int) -> str:
    parts = form.replace("'%%'", "'x'").split("%")
    filled = parts[0]
    for part in parts[1:]:
        filled += _expression(chance, columns, depth - 1) + part
    return filled


def _query(chance: Random, depth: int = 2) -> str:
    """One SELECT, which may make no sense."""
    source = chance.choice([*_VIEWS])
    columns = _VIEWS[source]
    text = ""
    if chance.random() < 0.3:
        sums = [_filled(chance.choice(_SUMS), chance, columns, 1) for _ in range(2)]
        text = f"SELECT {chance.choice(columns)}, {', '.join(sums)} FROM {source} GROUP BY ALL"
    else:
        chosen = [_expression(chance, columns, depth) for _ in range(chance.choice((1, 2, 4)))]
        text = f"SELECT {chance.choice(('', '', 'DISTINCT '))}{', '.join(chosen)} FROM {source}"
        if chance.random() < 0.2:
            how = chance.choice(("JOIN", "LEFT JOIN", "SEMI JOIN", "POSITIONAL JOIN", ","))
            text += f" {how} {chance.choice([*_VIEWS])} o"
            text += " USING (label)" if how in ("JOIN", "LEFT JOIN", "SEMI JOIN") else ""
        if chance.random() < 0.4:
            text += f" WHERE {_expression(chance, columns, depth)} IS NOT NULL"
        if chance.random() < 0.3:
            text += f" ORDER BY {_expression(chance, columns, 1)}"
    if depth > 0 and chance.random() < 0.2:
        text = f"{text} {chance.choice(('UNION ALL', 'EXCEPT', 'INTERSECT'))} {_query(chance, 0)}"
    if chance.random() < 0.3:
        text += f" LIMIT {chance.choice((0, 1, 10, -1, 10**20, '10%', 'NULL'))}"
    if chance.random() < 0.1:
        text = f"WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 50) {text}"
    return text


def _mutated(text: str, chance: Random) -> str:
    """Words swapped, lost, doubled, or a letter changed; comments, ends and hidden letters."""
    way = chance.randrange(7)
    words = text.split(" ")
    place = chance.randrange(len(words))
    if way == 0:
        words.pop(place)
    elif way == 1:
        words.insert(place, chance.choice(words))
    elif way == 2:
        words[place] = chance.choice(("--", "/*", ";", "'", '"', "$$", "\x00", "\u200b", "(" * 500))
    elif way == 3:
        words[place] = words[place].swapcase()
    elif way == 4:
        words = ["/* c */", *words, "-- end"]
    elif way == 5:
        words.append(chance.choice((";", ";;", "; SELECT 1", "; DROP TABLE vote", "\n", "#")))
    else:
        letters = [*text]
        letters[chance.randrange(len(letters))] = chr(chance.choice((0, 10, 39, 40, 0x1F600, 255)))
        return "".join(letters)
    return " ".join(words)


def _of(grammar: bool) -> Job:
    def run(case: Case, world: World, folder: Path) -> Verdict:
        gz, secret = folder / "gz.duckdb", folder / "secret.csv"
        shutil.copy(world.part("full") / "gz.duckdb", gz)
        secret.write_text(f"a,b\n1,{_HIDDEN}\n")
        chance = case.random
        text = _query(chance) if grammar else chance.choice(_FORBIDDEN)
        places = {"{f}": secret, "{n}": folder / "new.csv", "{c}": gz}
        for mark, path in places.items() if not grammar else ():
            text = text.replace(mark, str(path))
        for _ in range(chance.choice((0, 0, 0, 1, 2))):
            text = _mutated(text, chance)
        (folder / "query.sql").write_text(text, errors="replace")
        before, files = sha256_of(gz), {*folder.iterdir()}
        said: list[str] = []
        verdict = judged(lambda: _asked(gz, text, said))
        harm = _harm(gz, before, "".join(said), {*folder.iterdir()} - files)
        return failed(f"{harm}: {text[:300]}") if harm else verdict

    return Job(run, ("full",), share=2.5, short=True)


def _asked(gz: Path, text: str, said: list[str]) -> Verdict:
    from zoolens.jobs.sql import sql

    with sql(gz, text) as answer:
        said += [str(row)[:1000] for row in islice(answer.rows, _ROWS)]
    return Verdict(Outcome.HELD, text[:200])


def _harm(gz: Path, before: str, said: str, new: set[Path]) -> str:
    """What a query did that none may do; in words."""
    if sha256_of(gz) != before:
        return "the catalogue was written to"
    if new:
        return f"made {', '.join(path.name for path in new)}"
    return "a file was read" if _HIDDEN in said else ""


JOBS: dict[str, Job] = {"SQL, grown": _of(grammar=True), "SQL, forbidden": _of(grammar=False)}
