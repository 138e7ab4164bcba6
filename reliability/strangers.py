"""Catalogues and index files of elsewhere: of other programs, other versions, other hands.

They are refused in one line, or read without a traceback; an index file that is not the one that
was made is noticed, or gives the same answers.
"""

import os
from pathlib import Path

from reliability.cases import Case, Job, Outcome, Verdict
from reliability.mutations import spoil_bytes
from reliability.world import World


def _catalogue(case: Case, world: World, folder: Path) -> Verdict:
    """A file that is no catalogue, or one whose tables say something else than they should."""
    from reliability.answers import answers
    from zoolens.jobs.verify import verify

    chance, gz = case.random, folder / "gz.duckdb"
    way = chance.choice(("bytes", "SQLite", "tables", "values", "values", "values", "older"))
    if way == "bytes":
        gz.write_bytes(chance.choice((b"", b"\x00" * 12 + b"DUCK", chance.randbytes(10_000))))
    elif way == "SQLite":
        _sqlite(gz)
    else:
        world.copy("full", folder)  # with the files beside it
        _altered(gz, chance.choice(_STATEMENTS[way]))
    answers(gz)
    found = verify(gz)
    return Verdict(Outcome.NOTICED if found.errors else Outcome.HELD, way)


# What somebody else's hand may do to a catalogue.
_STATEMENTS = {
    "tables": (
        *("DROP TABLE vote CASCADE", "ALTER TABLE galaxy RENAME TO galaxies2", "DROP TABLE run"),
        *("CREATE TABLE stars (name VARCHAR)", "ALTER TABLE loss DROP COLUMN ce"),
        "ALTER TABLE vote ALTER count TYPE VARCHAR",
    ),
    "values": (
        *("UPDATE setting SET value = 'unknown' WHERE name = 'tree'", "DELETE FROM setting"),
        *("UPDATE run SET config = 'no JSON'", "UPDATE run SET config = '[]'", "DELETE FROM run"),
        *("UPDATE run SET status = 'odd'", "DELETE FROM answer", "UPDATE answer SET question = ''"),
        *("UPDATE answer SET asked_after = 'nothing'", "UPDATE answer SET label = 'x'"),
        *(
            "UPDATE posterior SET concentrations = 'x'::BLOB",
            "UPDATE posterior SET samples = 10**9",
        ),
        *("UPDATE saliency_map SET height = 10**6", "UPDATE saliency_map SET mean = ''::BLOB"),
        *("UPDATE vote SET count = 'nan'", "UPDATE vote SET total = -1", "DELETE FROM galaxy"),
        *("UPDATE galaxy SET iauname = ''", "UPDATE galaxy SET ra = 'inf'", "DELETE FROM shard"),
        *("INSERT INTO vote SELECT * FROM vote", "UPDATE loss SET ce = 'nan'"),
        *("UPDATE prediction SET fraction = 7", "UPDATE galaxy_loss SET galaxy_id = 10**9"),
        "UPDATE setting SET value = '{' WHERE value LIKE '%stamp%'",
        "UPDATE setting SET value = '[1]' WHERE value LIKE '%stamp%'",
    ),
    "older": (
        *("UPDATE alembic_version SET version_num = '0001'", "DELETE FROM alembic_version"),
        *("UPDATE alembic_version SET version_num = '9999'", "DROP TABLE alembic_version"),
        *("UPDATE alembic_version SET version_num = '../x'", "DROP VIEW worst"),
        "UPDATE alembic_version SET version_num = '0007'",
    ),
}


def _altered(gz: Path, statement: str) -> None:
    import duckdb

    with duckdb.connect(str(gz)) as connection:
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            raise AssertionError(f"the statement does not suit this version: {error}") from None


def _sqlite(path: Path) -> None:
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE galaxy (iauname TEXT)")


def _index(case: Case, world: World, folder: Path) -> Verdict:
    """An index file that is another file, or of other galaxies."""
    from reliability.answers import answers
    from reliability.flips import judge_catalogue

    sound = answers(world.part("full") / "gz.duckdb")
    world.copy("full", folder)
    kinds = sorted(folder.glob("*.arrow"))
    path, other = case.random.sample(kinds, 2)
    way = case.random.choice(("exchanged", "empty", "text", "folder", "spoilt", "link", "fifo"))
    facts, data = path.stat(), path.read_bytes()
    path.unlink()
    if way == "folder":
        path.mkdir()
    elif way == "link":
        path.symlink_to("/dev/zero")
    elif way == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(
            {
                "exchanged": other.read_bytes(),
                "empty": b"",
                "text": b"galaxy_id,columns\n" * 50,
                "spoilt": spoil_bytes(data, case.random),
            }[way]
        )
        if case.random.random() < 0.5:
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return judge_catalogue(folder / "gz.duckdb", sound, f"{path.name} {way}")


JOBS: dict[str, Job] = {
    "catalogues of elsewhere": Job(_catalogue, ("full",), 0.7),
    "index files of elsewhere": Job(_index, ("full",), 0.3),
}
