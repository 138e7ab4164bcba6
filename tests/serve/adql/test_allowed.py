import pytest

from zoolens.catalog.serve.adql.allowed import check
from zoolens.catalog.serve.adql.parsing import AdqlError, parse

GEOMETRY = {"POINT"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "only tables and queries stand after FROM"),
        ("SELECT getenv('HOME')", "column 8: no function getenv"),
        ("SELECT SINE(1)", "there are SIN"),
        ("SELECT SIN(1, 2)", "SIN takes 1, not 2"),
        ("SELECT COALESCE()", "COALESCE takes 1 to 100, not 0"),
        ("SELECT SUM(*) FROM t", r"SUM\(\*\) is only for COUNT"),
        ("SELECT a[1] FROM t", "ADQL has no BRACKET"),
        ("SELECT {'a': 1}", "this is no ADQL|ADQL has no|was not expected"),
        ("SELECT COUNT(*) OVER () FROM t", "ADQL has no WINDOW"),
        ("SELECT a FROM t TABLESAMPLE 3", "SAMPLE"),
        ("SELECT CAST(a AS STRUCT) FROM t", "no type STRUCT"),
        ("SELECT a::INTEGER[] FROM t", "no type"),
        ("WITH RECURSIVE a AS (SELECT 1 UNION SELECT 2) SELECT * FROM a", "RECURSIVE"),
        ("SELECT FROM t", "SELECT needs something"),
        ("SELECT * EXCLUDE (a) FROM t", "ADQL has no"),
        ("SELECT a INTO b FROM t", "ADQL has no"),
        ("SELECT a FROM t FOR UPDATE", "ADQL has no"),
        ("SELECT ? FROM t", "ADQL has no"),
        ("SELECT a FROM t QUALIFY 1 = 1", "ADQL has no"),
        ("SELECT x -> x + 1", "ADQL has no"),
        ("VALUES (1)", "only SELECT|ADQL has no|after FROM"),
        ("SELECT a FROM t, LATERAL (SELECT 1)", "ADQL has no LATERAL|after FROM"),
        ("SELECT a FROM t PIVOT (sum(b) FOR c IN (1))", "ADQL has no"),
        ("SELECT a FROM t ASOF JOIN u ON t.a > u.a", "ADQL has no|not served"),
        ("SELECT a FROM t SEMI JOIN u ON t.a = u.a", "ADQL has no|JOIN"),
    ],
)
def test_what_adql_does_not_have_is_refused(text: str, said: str) -> None:
    with pytest.raises(AdqlError, match=said):
        check(text, parse(text), GEOMETRY)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT DISTINCT TOP 5 a, -b AS c, 'x' || d FROM s.t AS u WHERE a BETWEEN 1 AND 2",
        "SELECT ALL * FROM t LEFT OUTER JOIN u USING (a) RIGHT JOIN v ON v.a = u.a",
        "SELECT t.* FROM t NATURAL JOIN u FULL OUTER JOIN v ON t.a = v.a",
        "SELECT COUNT(DISTINCT a), COUNT(*), AVG(b) FROM t GROUP BY c HAVING COUNT(*) > 1",
        "SELECT a FROM t WHERE a IN (1, 2) OR a IN (SELECT b FROM u) OR EXISTS (SELECT 1 FROM u)",
        "SELECT a FROM t WHERE a IS NOT NULL AND NOT b LIKE 'x%' AND c ILIKE 'y_' ORDER BY 1 DESC",
        "WITH q AS (SELECT 1 AS a) SELECT a FROM q UNION ALL SELECT a FROM t ORDER BY a OFFSET 3",
        "(SELECT a FROM t EXCEPT SELECT b FROM u) INTERSECT SELECT c FROM v",
        "SELECT CAST(a AS DOUBLE PRECISION), CASE WHEN a > 1 THEN 2 ELSE 3 END FROM t",
        "SELECT POINT('ICRS', a, b), MOD(a, 2), ROUND(a, 1), RAND() FROM (SELECT 1 AS a) AS s",
    ],
)
def test_what_adql_has_is_let_through(text: str) -> None:
    check(text, parse(text), GEOMETRY)
