import csv
import gzip
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.release_tables import awkward, write
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats import fixed_width as records
from zoolens.catalog.formats.csv import no_formula, write_csv
from zoolens.catalog.formats.reading import TableFile


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(awkward(), tmp_path / "source.parquet")


def test_python_reads_what_was_written(source: Path, tmp_path: Path) -> None:
    write_csv(source, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    table = awkward()
    assert header == table.column_names
    for field, cells in zip(table.schema, zip(*rows, strict=True), strict=True):
        values = table[field.name].to_pylist()
        assert [cell == "" for cell in cells] == [value in (None, "") for value in values]
        found = [
            _read(cell, field.type)
            for cell, value in zip(cells, values, strict=True)
            if value is not None
        ]
        wanted = [value for value in values if value is not None]
        assert all(map(_equal, found, wanted)), field.name


def test_null_is_not_empty_text(source: Path, tmp_path: Path) -> None:
    write_csv(source, tmp_path / "out.csv")
    found = duckdb.sql(
        f"SELECT letter FROM read_csv('{tmp_path}/out.csv', allow_quoted_nulls = false)"
    ).fetchall()
    assert [letter for (letter,) in found] == awkward()["letter"].to_pylist()


@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_blocks_leave_no_trace(rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(awkward(rows), tmp_path / "source.parquet", row_group_size=300)
    written = []
    for block_bytes in (1, 8 << 20, 8 << 20):
        monkeypatch.setattr(records, "_BLOCK_BYTES", block_bytes)
        write_csv(tmp_path / "source.parquet", tmp_path / "out.csv")
        written.append((tmp_path / "out.csv").read_bytes())
    assert written[0] == written[1] == written[2]
    assert written[0].count(b"\n") == rows + 1


def _read(cell: str, kind: pa.DataType) -> object:
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[cell]
    if pa.types.is_integer(kind):
        return int(cell)
    if kind == pa.float32():
        return float(np.float32(cell))
    return float(cell) if kind == pa.float64() else cell


def _equal(one: object, two: object) -> bool:
    return one == two or (one != one and two != two)


FORMULAS = ["=1+1", "+1", "-J1", "@SUM(A1)", "\t=1", " =1", "\r", "＝1", "-", "=a\nb"]
PLAIN = ["J-1", "a=b", "", "'=1", "1-2", "é", " x", "a\n=1"]


def test_no_text_is_a_formula(tmp_path: Path) -> None:
    """What a spreadsheet would evaluate has an apostrophe; all else is as it was."""
    names = pa.array([*FORMULAS, *PLAIN, None])
    numbers = pa.array([-1.5] * len(names))
    pq.write_table(pa.table({"name": names, "dec": numbers}), tmp_path / "t.parquet")
    write_csv(tmp_path / "t.parquet", tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = [*csv.reader(file)][1:]
    expected = [f"'{name}" for name in FORMULAS] + PLAIN
    assert [row[0] for row in rows] == [*expected, ""]
    assert {row[1] for row in rows} == {"-1.5"}
    assert [no_formula(name) for name in FORMULAS + PLAIN] == expected


@pytest.mark.parametrize("packed", [False, True])
def test_a_ragged_row_that_is_no_text_refuses_only_itself(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    rows = [b"J%d,%d" % (i, i) for i in range(9)]
    rows[4] = b"J\xe9,4,4"
    data = b"\xef\xbb\xbfid,n\n" + b"\n".join(rows) + b"\n"
    path.write_bytes(gzip.compress(data) if packed else data)
    misshapen: dict[int, str] = {}
    ((numbers, table),) = TableFile(path).blocks(["id", "n"], misshapen)
    assert misshapen == {5: "3 fields, not 2"}
    assert numbers.tolist() == [1, 2, 3, 4, 6, 7, 8, 9]
    assert table["n"].to_pylist() == ["0", "1", "2", "3", "5", "6", "7", "8"]


def test_a_row_that_is_no_text_after_a_ragged_one_is_told_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"id,n,m\nJ1,1,\xe9\nJ\xe9,2,2,2\nJ\xe9,3,3\n")
    file = TableFile(path)
    assert [len(table) for _, table in file.blocks(["n"], {})] == [2]  # others do not matter
    with pytest.raises(TableRefused, match="row 3, column id: not UTF-8 text"):
        [*file.blocks(["id"], {})]


@pytest.mark.parametrize("row", ["J2,{},1\n", "{},2\n", "J2,{}\n"])
@pytest.mark.parametrize("before", [0, 30_000])
def test_a_cell_of_megabytes_is_called_that(tmp_path: Path, row: str, before: int) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,n\n" + "J1,1\n" * before + row.format("x" * 10_000_000) + "J3,3\n")
    with pytest.raises(TableRefused, match=r"after row [\d,]+ a row is longer than 4,194,304"):
        [*TableFile(path).blocks(["id", "n"], {})]


def test_a_name_of_a_column_can_be_too_long(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id," + "x" * 200_000 + "\nJ1,1\n")
    with pytest.raises(TableRefused, match="no header that can be read: field larger"):
        TableFile(path)
