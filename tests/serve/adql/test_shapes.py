import pytest

from zoolens.catalog.serve.adql.parsing import parse
from zoolens.catalog.serve.adql.shapes import constant, kind_of


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), ("-2.5", -2.5), ("(30 / 60.)", 0.5), ("1 + 2 * 3 - 4", 3.0), ("1e-3", 0.001)]
    + [(text, None) for text in ("1 / 0", "a", "'1'", "1 + a", "SIN(1)")],
)
def test_what_numbers_alone_come_to(text: str, value: float | None) -> None:
    assert constant(parse(f"SELECT {text}").expressions[0]) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [("POINT(1, 2)", "POINT"), ("(box(1,2,3,4))", "POLYGON"), ("AREA(x)", None), ("1", None)],
)
def test_which_geometry_an_expression_gives(text: str, kind: str | None) -> None:
    assert kind_of(parse(f"SELECT {text}").expressions[0]) == kind
