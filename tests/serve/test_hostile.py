"""Requests that nobody means well: each is answered, refused or ended, and the next is served."""

import http.client
import random
import urllib.parse
from pathlib import Path

import pytest

from tests.serve.conftest import Served

pytestmark = pytest.mark.slow

_QUERIES = [
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM \"read_text('/etc/passwd')\"",
    "SELECT content FROM galaxies, read_blob('/etc/passwd')",
    "SELECT getenv('HOME')",
    "SELECT current_setting('access_mode')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM main.galaxy",
    "SELECT * FROM temp.tap_schema_tables",
    "SELECT * FROM sqlite_master",
    "SELECT 1; DROP TABLE main.galaxy",
    "DROP TABLE galaxies",
    "INSERT INTO galaxies VALUES (1)",
    "UPDATE galaxies SET ra = 1",
    "COPY galaxies TO '/tmp/x.csv'",
    "ATTACH '/tmp/x.duckdb'",
    "INSTALL httpfs",
    "SET memory_limit = '99GB'",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "EXPLAIN ANALYZE SELECT 1",
    "DESCRIBE galaxies",
    "SUMMARIZE galaxies",
    "FROM galaxies",
    "TABLE galaxies",
    "SELECT query_table('galaxy')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT COLUMNS(*) FROM galaxies",
    "SELECT list_sort([1])",
    "SELECT repeat('x', 1000000000)",
    "SELECT range(1000000000)",
    "SELECT CAST('x' AS BLOB)",
    "SELECT 'x'::regclass",
    "SELECT iauname COLLATE NOCASE FROM galaxies",
    "SELECT * FROM galaxies TABLESAMPLE 1",
    "SELECT * FROM generate_series(1, 1000000000)",
    "SELECT * FROM UNNEST([1, 2])",
    "SELECT a FROM (VALUES (1)) AS t (a)",
    'SELECT 1 AS "a""; DROP TABLE x; --" FROM galaxies',
    "SELECT 'it''s' AS a FROM galaxies WHERE iauname = '''; DROP TABLE x; --'",
    "SELECT /* " + "*/ /* " * 1000 + "*/ 1",
    "SELECT " + "'" + "x" * 50_000 + "'",
    "SELECT " + ", ".join(["ra"] * 3000) + " FROM galaxies",
    "SELECT ra FROM galaxies WHERE ra IN (" + ", ".join(["1"] * 9000) + ")",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT " + "-" * 5000 + "1",
    "\x00SELECT 1",
    "SELECT '\ud83d\ude00' AS a",
    "WITH a AS (SELECT * FROM a) SELECT * FROM a",
    "SELECT POWER(10, 10000)",
    "SELECT CAST(1e300 AS INTEGER)",
    "SELECT MOD(1, 0)",
    "SELECT 1 / 0",
    "SELECT ASIN(2)",
    "SELECT SQRT(-1)",
    "SELECT POLYGON(0, 0, 0, 0, 0, 0), AREA(POLYGON(0, 0, 0, 0, 0, 0))",
    "SELECT CENTROID(POLYGON(0, 0, 180, 0, 0, 0))",
    "SELECT CONTAINS(POINT(1e308, 1e308), CIRCLE(1e308, -1e308, 1e308))",
    "SELECT TOP 99999999999999999999 ra FROM galaxies",
    "SELECT ra FROM galaxies OFFSET 99999999999999999999",
    "SELECT a.ra FROM galaxies a, galaxies b, galaxies c, galaxies d, galaxies e, galaxies f",
]
_FORM = "application/x-www-form-urlencoded"
_LONG_QUERY = b"LANG=ADQL&QUERY=SELECT+1+%2D%2D" + b"%01" * 99_000
_SHOWN = (b"root:", b"/root", b"Traceback")


def _is_harmless(status: int, body: bytes) -> bool:
    return status in (200, 400) and not any(word in body for word in _SHOWN)


@pytest.mark.parametrize("query", _QUERIES, ids=lambda query: query[:40].replace("\x00", "0"))
def test_a_query_is_answered_or_refused(served: Served, query: str) -> None:
    text = query.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    status, body = served.post("/sync", LANG="ADQL", FORMAT="csv", MAXREC="5", QUERY=text)
    assert _is_harmless(status, body), (status, body[:500])


def test_queries_changed_at_random_are_answered_or_refused(served: Served) -> None:
    dice = random.Random(7)
    good = [
        "SELECT g.iauname, COUNT(*) AS n FROM galaxies AS g JOIN votes USING (galaxy_id) "
        "WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 10, 5, 90)) GROUP BY g.iauname",
        "WITH q AS (SELECT ra, dec FROM galaxies) SELECT TOP 3 ra FROM q UNION SELECT dec FROM q",
        "SELECT label, fraction FROM votes WHERE fraction BETWEEN 0.1 AND 0.9 ORDER BY 2 DESC",
    ]
    statuses = set()
    for _ in range(60):
        words = dice.choice(good).split(" ")
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(words))
            way = dice.randrange(4)
            if way == 0:
                words.pop(at)
            elif way == 1:
                words.insert(at, dice.choice(words))
            elif way == 2:
                words[at] = words[at][::-1]
            else:
                words[at] += dice.choice("()'\",;*.-\x00é")
        status, body = served.post("/sync", LANG="ADQL", FORMAT="csv", QUERY=" ".join(words))
        assert _is_harmless(status, body), (words, status, body[:500])
        statuses.add(status)
    assert statuses == {200, 400}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "statuses"),
    [
        ("POST", "/sync", {"Content-Type": _FORM}, _LONG_QUERY, {400}),
        ("POST", "/sync", {"Content-Type": "text/xml"}, b"<x/>", {400}),
        ("POST", "/sync", {"Content-Type": "multipart/form-data"}, b"x", {400}),
        ("POST", "/sync", {"Content-Type": "multipart/form-data; boundary=b"}, b"--b\r\nx", {400}),
        ("POST", "/sync", {"Content-Length": "99999999999"}, b"", {413}),
        ("POST", "/async", {}, b"", {303}),
        ("PUT", "/sync", {}, b"", {405}),
        ("DELETE", "/async", {}, b"", {405}),
        ("GET", "/async/../../../etc/passwd", {}, b"", {404}),
        ("GET", "/async/..%2f..%2fetc", {}, b"", {404}),
        ("GET", "/async/x/results/..%2f..%2fjob.json", {}, b"", {404}),
        ("GET", "/tables/../../etc/passwd", {}, b"", {404}),
        ("GET", "/sync?" + "x=1&" * 5000, {}, b"", {400}),
        ("GET", "/sync?LANG=ADQL&QUERY=%ff%fe%00", {}, b"", {400}),
        ("GET", "/sync?LANG=ADQL&QUERY=SELECT+1&QUERY=SELECT+2", {}, b"", {400}),
        ("GET", "/async?LAST=-1&PHASE=<x>", {}, b"", {200}),
        ("GET", "/capabilities", {"Host": 'x"><y'}, b"", {200, 400}),
    ],
)
def test_a_request_that_is_none_is_refused(
    served: Served,
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    statuses: set[int],
) -> None:
    where = urllib.parse.urlsplit(served.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    try:
        connection.request(method, where.path + path, body or None, headers)
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    assert answer.status in statuses, said[:500]
    assert not any(word in said for word in _SHOWN)
    assert b'"><y' not in said


def test_afterwards_all_is_as_before(served: Served) -> None:
    assert served.csv("SELECT COUNT(*) AS n FROM galaxies") == [["n"], ["30"]]
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children")
    for forking in children.read_text().split():
        assert Path(f"/proc/{forking}/task/{forking}/children").read_text() == ""
