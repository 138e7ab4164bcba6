"""Tables in LaTeX: rules of booktabs, and names that hold anything."""

import re

import pytest

from tests.made.latex import table_of
from zoolens.catalog.output.latex import cell, escape, floating, tabular

HOSTILE = 'a&b%c$d#e_f{g}h~i^j\\k<l>m|n"o\x00\n'


def test_every_special_character_is_printed() -> None:
    found = escape(HOSTILE)
    for character in "&%$#_{}":
        assert "\\" + character in found
    for command in (
        "textbackslash",
        "textasciitilde",
        "textasciicircum",
        "textless",
        "textgreater",
    ):
        assert f"\\{command}{{}}" in found
    assert found.endswith("o??"), "no control characters"
    without = re.sub(r"\\(text[a-z]+\{\}|[&%$#_{}])", "", found)
    assert not set(without) & set('&%$#_{}~^\\<>|"')


@pytest.mark.parametrize(
    ("text", "printed"),
    [("-10.2", "$-$10.2"), ("-", "--"), ("J12-05", "J12-05"), ("-x", "-x"), ("0.5", "0.5")],
)
def test_numbers_have_a_minus_and_what_is_missing_a_dash(text: str, printed: str) -> None:
    assert cell(text) == printed


def test_a_table_reads_back() -> None:
    rows = [["[a]", "*1", "b&c"], ["x_y", "50%", "-2"]]
    head = ["one_a", "two", "three"]
    text = "\n".join(floating(tabular("llr", head, rows, ["", "over", "over"]), "50% of_all"))
    table = table_of(text)
    assert table.align == "llr"
    assert table.caption == r"50\% of\_all"
    assert table.lines == [
        ["", r"\multicolumn{2}{c}{over}"],
        [r"one\_a", "two", "three"],
        ["{}[a]", "*1", r"b\&c"],  # no optional argument of the line before
        [r"x\_y", r"50\%", "$-$2"],
    ]
    assert r"\cmidrule(lr){2-3}" in text
