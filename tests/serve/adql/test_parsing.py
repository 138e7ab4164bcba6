import pytest

from zoolens.catalog.serve.adql.parsing import AdqlError, parse, where


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no query"),
        ("SELECT a FROM b; SELECT 2", "2 statements"),
        ("DROP TABLE x", "only SELECT"),
        ("SELECT a\nFRM b c", "line 2, column 5: 'b' was not expected here"),
        ("SELECT a FROM b WHERE", "line 1, column 17: something is missing after 'WHERE'"),
        ("SELECT (a FROM b", r"line 1, column 11: expecting \)"),
        ("SELECT a FROM b\nWHERE c = 'x", "line 2, column 11: this ' is not closed"),
        ('SELECT "a FROM b', 'line 1, column 8: this " is not closed'),
        ("SELECT " + "(" * 300 + "1" + ")" * 300, "parts within parts"),
        ("SELECT " + "+".join("1" * 5000), "parts within parts"),
        ("SELECT " + "NOT " * 5000 + "1", "parts within parts"),
        ("SELECT 1 -- " + "x" * 100_000, "longer than"),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(AdqlError, match=said):
        parse(text)


def test_a_place_is_a_line_and_a_column() -> None:
    assert where("ab\ncd", 0) == "line 1, column 1"
    assert where("ab\ncd", 4) == "line 2, column 2"
