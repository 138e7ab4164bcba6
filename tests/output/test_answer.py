import csv
import io
import json
import os
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.latex import table_of
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.answer import TABLE_ROWS, Answer, cell, from_arrow, write
from zoolens.catalog.store.store import Store


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
        ("xml", None, "table, csv, json, parquet, latex"),
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
    from zoolens.catalog.output.answer import _csv

    _csv(
        from_arrow(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})), file
    )
    assert file.getvalue() == "a,b\n"


def test_a_catalogue_is_not_replaced_by_a_table(table: pa.Table, tmp_path: Path) -> None:
    gz = tmp_path / "gz.duckdb"
    with Store.open(gz, create=True):
        pass
    (tmp_path / "link").symlink_to(gz)
    before = gz.read_bytes()
    for out in (gz, tmp_path / "link"):
        with pytest.raises(CatalogError, match="is a DuckDB database"):
            write(from_arrow(table), "csv", out)
    assert gz.read_bytes() == before


def test_a_link_is_followed_and_a_device_left_alone(table: pa.Table, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "there.csv")
    write(from_arrow(table), None, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "there.csv").read_text().startswith("name,ce,blob")
    os.mkfifo(tmp_path / "pipe.csv")
    for out in (tmp_path / "pipe.csv", tmp_path, Path(".")):
        with pytest.raises(CatalogError, match="choose another name"):
            write(from_arrow(table), "csv", out)
    assert (tmp_path / "pipe.csv").is_fifo()


def test_json_of_nested_values_and_columns_of_one_name(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [({"a": float("nan"), "b": [float("inf"), b"\x01"]}, 1, 2)]
    write(Answer(["x", "n", "n"], rows, pa.table({}).to_reader), "json")
    assert json.loads(capsys.readouterr().out) == [
        {"x": {"a": None, "b": ["inf", "01"]}, "n": 1, "n_1": 2}
    ]


def test_what_parquet_cannot_hold_is_told(tmp_path: Path) -> None:
    kind = pa.month_day_nano_interval()
    months = pa.table({"months": pa.array([(1, 2, 3)], kind)})
    with pytest.raises(CatalogError, match=r"cannot hold this answer: .*--format csv"):
        write(from_arrow(months), None, tmp_path / "out.parquet")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.99996, "1.000"),  # and not 1, which nobody measured
        (39.9999, "40.00"),
        (1.0, "1"),
        (-0.0, "-0"),
        (0.0, "0"),
        (9999.6, "9,999.6"),
        (1234.5, "1,234.5"),
        (588017.0, "588,017"),
        (5.88017702411763872e17, "5.880177024117638e+17"),
        (1.234567e-7, "1.235e-07"),
        (float("nan"), "nan"),
        (None, "-"),
        (True, "True"),
        (587722981742084119, "587722981742084119"),
        (Decimal("221.56130001"), "221.56130001"),
        (
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-02 03:04:05+0200",
        ),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        (date(2026, 1, 2), "2026-01-02"),
    ],
)
def test_what_is_shown_is_not_more_or_less_than_it_is(value: object, shown: str) -> None:
    assert cell(value) == shown


@pytest.mark.parametrize("name", ["ra", "dec", "RA", "host_ra", "RAJ2000", "DEJ2000", "ra_deg"])
def test_positions_are_shown_to_a_millionth_of_a_degree(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write(from_arrow(pa.table({name: [221.5613456789, -0.0000012]})))
    assert capsys.readouterr().out.split()[-2:] == ["221.561346", "-0.000001"]


def test_what_is_no_position_is_not_shown_as_one() -> None:
    for name in ("order_total", "spiral", "decline", "label", "mean_error"):
        assert cell(0.123456789, name) == "0.1235"


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_columns_of_one_name_are_numbered_and_told(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    table = pa.Table.from_arrays(
        [pa.array([n]) for n in range(4)], names=["label", "label", "ce", "label_1"]
    )
    out = tmp_path / f"out.{form}"
    write(from_arrow(table), None, out)
    read = getattr(pd, f"read_{form}")(out)
    assert [*read.columns] == ["label", "label_1", "ce", "label_1_1"]
    assert read.iloc[0].tolist() == [0, 1, 2, 3]
    assert capsys.readouterr().err == (
        "zoolens: columns of one name are numbered: label_1, label_1_1; AS renames them\n"
    )


def test_large_numbers_are_short() -> None:
    assert [cell(value) for value in (1e300, -1e300, 123456.7, 1e14, 0.25)] == [
        "1e+300",
        "-1e+300",
        "123,457",
        "100,000,000,000,000",
        "0.25",
    ]


def test_latex_shows_what_people_read_and_all_rows(tmp_path: Path) -> None:
    rows = 2 * TABLE_ROWS
    answer = pa.table(
        {
            "label": ["bar_no"] * rows,
            "ce": [-0.123456] * rows,
            "n": pa.array([None] * rows, pa.int8()),
        }
    )
    for file, form in ((tmp_path / "out.tex", None), (tmp_path / "out", "latex")):
        write(from_arrow(answer), form, file)
        table = table_of(file.read_text(encoding="utf-8"))
        assert table.align == "lrl"
        assert table.lines[:2] == [["label", "ce", "n"], [r"bar\_no", "$-$0.1235", "--"]]
        assert len(table.lines) == 1 + rows
