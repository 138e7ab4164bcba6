"""Queries in ADQL that make no sense, grown from a grammar, mutated, or meant to do harm."""

from random import Random

_TABLES = {
    "galaxies": ("galaxy_id", "iauname", "ra", "dec", "image_height"),
    "zoolens.votes": ("galaxy_id", "iauname", "question", "label", '"count"', "total", "fraction"),
    "predictions": ("galaxy_id", "label", "concentration", "fraction", "reach"),
    "worst": ("rank", "galaxy_id", "iauname", "label", "ce"),
    "history.losses": ("run_id", "galaxy_id", "label", "observed", "ce"),
    "saliency": ("galaxy_id", "question", "mean", "height"),
    "answers": ("answer_id", "question", "answer", "label"),
    "runs": ("run_id", "job", "started_at", "config"),
    "TAP_SCHEMA.columns": ("table_name", "column_name", '"size"', "unit"),
}
_VALUES = (
    "0",
    "1",
    "-1",
    "NULL",
    "'x'",
    "''",
    "1e308",
    "1e-320",
    "9" * 40,
    "'\u00e9\u6f22'",
    "3.5",
)
_CALLS = (
    *("ABS(%)", "LOG(%)", "LOG10(%)", "SQRT(%)", "POWER(%, %)", "MOD(%, %)", "ATAN2(%, %)"),
    *("ROUND(%, 2)", "TRUNCATE(%)", "UPPER(%)", "LOWER(%)", "CEILING(%)", "RAND(7)", "PI()"),
    *("COALESCE(%, %)", "CAST(% AS INTEGER)", "CAST(% AS VARCHAR)", "CAST(% AS TIMESTAMP)"),
    *("% + %", "% * %", "% / %", "% || %", "(%)", "-%", "CASE WHEN % = % THEN % END"),
    *("POINT('ICRS', %, %)", "CIRCLE(%, %, %)", "BOX(%, %, %, %)", "POLYGON(%, %, %, %, %, %)"),
    *("CONTAINS(POINT(%, %), CIRCLE(%, %, %))", "DISTANCE(POINT(%, %), POINT(%, %))"),
    *("AREA(CIRCLE(%, %, %))", "CENTROID(BOX(%, %, %, %))", "COORD1(POINT(%, %))"),
    *("similarity(%, %, %)", "similarity(%, %, %, 'predictions')", "saliency_map(%, %)"),
    *("COUNT(*)", "SUM(%)", "MAX(%)", "MIN(%)", "AVG(%)", "COUNT(DISTINCT %)"),
)
_TESTS = (
    *("% = %", "% < %", "% IS NULL", "% LIKE 'x%%'", "% IN (%, %)", "% BETWEEN % AND %"),
    *(
        "NOT % = %",
        "EXISTS (SELECT 1 FROM galaxies)",
        "1 = INTERSECTS(POINT(%, %), BOX(%, %, %, %))",
    ),
    *("1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', %, %, %))", "% ILIKE %"),
)
# What a query must not do.
_FORBIDDEN = (
    *("SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "FROM galaxies"),
    *('SELECT * FROM "/etc/passwd"', "SELECT getenv('HOME')", "SELECT * FROM duckdb_settings()"),
    *(
        "SELECT * FROM main.galaxy",
        "SELECT * FROM information_schema.tables",
        "DROP TABLE galaxies",
    ),
    *("SELECT 1; DROP TABLE main.galaxy", "COPY galaxies TO 'x.csv'", "ATTACH 'x.duckdb'"),
    *(
        "INSTALL httpfs",
        "SET memory_limit = '99GB'",
        "PRAGMA database_list",
        "CALL pragma_version()",
    ),
    *(
        "SELECT COLUMNS(*) FROM galaxies",
        "SELECT range(1000000000)",
        "SELECT repeat('x', 1000000000)",
    ),
    *("SELECT * FROM query('SELECT 1')", "SELECT zoolens_floats(mean, 0, 9) FROM saliency"),
    *("SELECT adql_separation(0, 0, 1, 1)", "SELECT * FROM temp.tap_schema_tables"),
    *("WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r) SELECT * FROM r",),
    *("SELECT * FROM tap_upload.absent", "SELECT * FROM generate_series(1, 1000000000)"),
)
# What would take all there is of something.
_GREEDY = (
    "SELECT COUNT(*) FROM votes a, votes b, votes c, votes d",
    "SELECT a.iauname FROM votes a, votes b, votes c ORDER BY b.fraction, a.label",
    "SELECT DISTINCT a.label || b.label || c.label FROM votes a, votes b, votes c",
    "SELECT a.mean FROM saliency a, saliency b, votes c",
    "SELECT MAX(AREA(POLYGON(a.ra, a.dec, b.ra, b.dec, c.ra, c.dec))) FROM galaxies a, galaxies b, "
    "galaxies c, galaxies d",
    "SELECT similarity(a.iauname, b.iauname, c.question) FROM galaxies a, galaxies b, answers c, "
    "votes d",
    "SELECT " + "(" * 400 + "1" + ")" * 400,
    "SELECT " + "-" * 3000 + "1",
    "SELECT " + "NOT " * 2000 + "1 = 1",
    "SELECT " + ", ".join(["ra"] * 4000) + " FROM galaxies",
    "SELECT ra FROM galaxies WHERE " + " OR ".join(["ra = 1"] * 2000),
    "SELECT ra FROM galaxies WHERE ra IN (" + ", ".join(["1"] * 15_000) + ")",
    "SELECT '" + "x" * 90_000 + "'",
    "SELECT /* " + "*/ /* " * 2000 + "*/ 1",
    " UNION ALL ".join(["SELECT ra FROM galaxies"] * 300),
    "SELECT COUNT(*) FROM (" * 60 + "SELECT ra FROM galaxies" + ") AS q" * 60,
)
_SIGNS = (
    "--",
    "/*",
    ";",
    "'",
    '"',
    "$$",
    "\x00",
    "\u200b",
    "(" * 50,
    ")",
    ",",
    "\ud800",
    "\x1b[2J",
)


def hostile_query(chance: Random) -> str:
    """One query: grown, forbidden or greedy, and often mutated."""
    way = chance.random()
    harmful = _FORBIDDEN if way < 0.94 else _GREEDY
    text = _query(chance, 2) if way < 0.72 else chance.choice(harmful)
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        text = _mutated(text, chance)
    return text


def _expression(chance: Random, columns: tuple[str, ...], depth: int) -> str:
    if depth <= 0 or chance.random() < 0.4:
        return chance.choice(_VALUES if chance.random() < 0.3 else columns)
    return _filled(chance.choice(_CALLS), chance, columns, depth)


def _filled(form: str, chance: Random, columns: tuple[str, ...], depth: int) -> str:
    first, *others = form.replace("%%", "\x01").split("%")
    filled = first
    for part in others:
        filled += _expression(chance, columns, depth - 1) + part
    return filled.replace("\x01", "%")


def _query(chance: Random, depth: int) -> str:
    source = chance.choice([*_TABLES])
    columns = _TABLES[source]
    chosen = [_expression(chance, columns, depth) for _ in range(chance.choice((1, 1, 2, 4)))]
    top = chance.choice(("", "", "TOP 5 ", "TOP 0 ", "DISTINCT ", "ALL ", f"TOP {10**20} "))
    text = f"SELECT {top}{', '.join(chosen)} FROM {source}"
    if chance.random() < 0.25:
        how = chance.choice(
            ("JOIN", "LEFT JOIN", "NATURAL JOIN", "FULL OUTER JOIN", ",", "CROSS JOIN")
        )
        text += f" {how} {chance.choice([*_TABLES])} AS o"
        text += " USING (galaxy_id)" if how in ("JOIN", "LEFT JOIN", "FULL OUTER JOIN") else ""
    if chance.random() < 0.5:
        text += f" WHERE {_filled(chance.choice(_TESTS), chance, columns, depth)}"
    if chance.random() < 0.2:
        text += f" GROUP BY {chance.choice(columns)}"
    if chance.random() < 0.3:
        text += f" ORDER BY {_expression(chance, columns, 1)} {chance.choice(('', 'DESC'))}"
    if depth > 0 and chance.random() < 0.2:
        text += (
            f" {chance.choice(('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'))} {_query(chance, 0)}"
        )
    if chance.random() < 0.1:
        text += f" OFFSET {chance.choice((0, 3, -1, 10**20, 'x'))}"
    if depth > 0 and chance.random() < 0.15:
        text = f"WITH q AS ({_query(chance, 0)}) {text} WHERE 1 IN (SELECT 1 FROM q)"
    return text


def _mutated(text: str, chance: Random) -> str:
    """Words lost, doubled, reversed or exchanged for signs; a letter changed."""
    words = text.split(" ")
    place = chance.randrange(len(words))
    way = chance.randrange(6)
    if way == 0:
        words.pop(place)
    elif way == 1:
        words.insert(place, chance.choice(words))
    elif way == 2:
        words[place] = words[place][::-1]
    elif way == 3:
        words.insert(place, chance.choice(_SIGNS))
    elif way == 4:
        words[place] += chance.choice(_SIGNS)
    else:
        letters = [*(text or "x")]
        letters[chance.randrange(len(letters))] = chr(chance.choice((0, 10, 39, 40, 0x1F600, 255)))
        return "".join(letters)
    return " ".join(words)
