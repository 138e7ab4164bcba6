"""Text tables are read whatever stands between their fields, or refused for it by name."""

import gzip
from pathlib import Path

import pytest

from tests.made.vote_tables import read_table
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.dialect import dialect_of
from zoolens.catalog.formats.reading import TableFile

ROWS = [{"iauname": "J1", "bar_no": "3"}, {"iauname": "J 2", "bar_no": None}]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", " "])
@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.tsv.gz", "t.ecsv"])
def test_any_separator_under_any_name(tmp_path: Path, name: str, separator: str) -> None:
    path = tmp_path / name
    text = 'iauname,bar_no\nJ1,3\n"J 2",\n'.replace(",", separator).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert read_table(path).to_pylist() == ROWS


def test_astropys_ecsv_comes_back(tmp_path: Path) -> None:
    from astropy.table import MaskedColumn, Table

    counts = MaskedColumn([3, 0], mask=[False, True], description="votes; | , of volunteers")
    table = Table({"iauname": ["J1", "J 2"], "bar_no": counts}, meta={"note": "delimiter: x"})
    for name, separator in (("t.ecsv", " "), ("t.csv", ",")):
        path = tmp_path / name
        table.write(path, format="ascii.ecsv", delimiter=separator)
        assert dialect_of(path).separator == separator
        assert read_table(path).to_pylist() == ROWS


def test_rows_are_numbered_after_the_comments(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# %ECSV 1.0\n# ---\n# delimiter: ','\na,b\n1,2\n3\n5,6\n")
    misshapen: dict[int, str] = {}
    ((rows, table),) = TableFile(path).blocks(["a"], misshapen)
    assert rows.tolist() == [1, 3]
    assert table["a"].to_pylist() == ["1", "5"]
    assert misshapen == {2: "1 fields, not 2"}


def test_quoted_names_do_not_decide(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"a;b;c",d\n1,2\n')
    assert dialect_of(path).names == ("a;b;c", "d")


def test_columns_of_fixed_width_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("iauname   bar_no\nJ1        3\n")
    with pytest.raises(TableRefused, match="columns of fixed width"):
        TableFile(path)


@pytest.mark.parametrize("text", ["# of 2026\niauname,bar_no\n", "# iauname bar_no\nJ1 3\n"])
def test_comments_before_the_header_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(TableRefused, match="begins with a comment, '# "):
        TableFile(path)
