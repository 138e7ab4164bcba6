import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import CatalogError
from catalog.output import TABLE_ROWS, Answer, from_arrow, write


@pytest.fixture
def table() -> pa.Table:
    return pa.table({"name": ["J1", "J2"], "ce": [4.6087, None], "blob": [b"\x01\xff", None]})


def test_csv_json_and_parquet_hold_the_same(table: pa.Table, tmp_path: Path) -> None:
    for form in ("csv", "json", "parquet"):
        write(from_arrow(table), None, tmp_path / f"out.{form}")
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert rows[0] == {"name": "J1", "ce": "4.6087", "blob": "01ff"}
    assert json.loads((tmp_path / "out.json").read_text())[1] == {
        "name": "J2",
        "ce": None,
        "blob": None,
    }
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.csv",
        "out.json",
        "out.parquet",
    ]


def test_json_stays_json_without_numbers_it_does_not_have(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(from_arrow(pa.table({"x": [float("nan"), float("inf")]})), "json")
    assert json.loads(capsys.readouterr().out) == [{"x": None}, {"x": "inf"}]


def test_a_table_tells_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    write(from_arrow(pa.table({"n": range(TABLE_ROWS + 7)})))
    shown = capsys.readouterr().out
    assert shown.splitlines()[-2].strip() == str(TABLE_ROWS - 1)
    assert "7 more rows" in shown


def test_a_hostile_name_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write(from_arrow(pa.table({"name": ["\x1b[2J[red]J1"]})))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "[red]J1" in shown


@pytest.mark.parametrize(
    ("form", "out", "message"),
    [
        ("xml", None, "table, csv, json, parquet"),
        ("parquet", None, "--out FILE.parquet"),
        (None, "out.txt", "does not tell its format"),
        ("csv", "nowhere/out.csv", "nowhere"),
    ],
)
def test_mistakes_are_told(
    table: pa.Table, tmp_path: Path, form: str | None, out: str | None, message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        write(from_arrow(table), form, tmp_path / out if out else None)


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before\n")

    def rows():  # type: ignore[no-untyped-def]
        yield (1,)
        raise RuntimeError("killed half-way")

    with pytest.raises(RuntimeError):
        write(Answer(["n"], rows(), pa.table({}).to_reader), "csv", out)
    assert out.read_text() == "before\n"
    assert list(tmp_path.iterdir()) == [out]


def test_an_empty_answer_still_has_its_columns() -> None:
    file = io.StringIO()
    from catalog.output import _csv

    _csv(
        from_arrow(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})), file
    )
    assert file.getvalue() == "a,b\n"
