"""Parquet of others: text is text, and what is not is told by row and column."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.made.vote_tables import text_of_bytes
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.parquet_blocks import open_parquet, parquet_blocks, parquet_whole
from zoolens.catalog.formats.reading import TableFile


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.large_binary()])
def test_text_that_is_not_utf8_is_refused_by_row_and_column(
    tmp_path: Path, kind: pa.DataType
) -> None:
    cells = text_of_bytes(b"J1", b"J2", b"J\xe9", b"J4")
    column = cells if kind == pa.string() else cells.view(pa.binary()).cast(kind)
    parquet.write_table(pa.table({"id": column, "n": [1, 2, 3, 4]}), tmp_path / "t.parquet")
    file = TableFile(tmp_path / "t.parquet")
    assert [len(table) for _, table in file.blocks(["n"], {})] == [4]
    with pytest.raises(TableRefused, match="row 3, column id: not UTF-8 text"):
        [*file.blocks(["id"], {})]
    raw = parquet_whole(tmp_path / "t.parquet", ["id"], raw=["id"]) if kind != pa.string() else None
    assert raw is None or raw["id"].to_pylist()[2] == b"J\xe9"


def test_dictionaries_and_bytes_become_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array(["a", None, "a"]).dictionary_encode(),
            "b": [b"x", None, b"y"],
            "l": [[1.5], None, [2.5, 3.5]],
            "s": [{"path": "p", "bytes": b""}, {"path": None, "bytes": b""}, None],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    with open_parquet(tmp_path / "t.parquet") as file:
        names = ["id", "b", "l", "s.path"]
        blocks = [*parquet_blocks(tmp_path / "t.parquet", file, names, 2)]
    read = pa.concat_tables(blocks)
    assert [len(block) for block in blocks] == [2, 1]
    assert read["id"].to_pylist() == ["a", None, "a"]
    assert read["b"].to_pylist() == ["x", None, "y"]
    assert read["l"].to_pylist() == [[1.5], None, [2.5, 3.5]]
    assert read["s.path"].to_pylist() == ["p", None, None]


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([2**62], pa.timestamp("ns")),
        pa.array([["a"]]),
        pa.array([{"a": 1}]),
        pa.array([b"12"], pa.binary(2)),
    ],
)
def test_columns_of_other_things_are_refused(tmp_path: Path, cells: pa.Array) -> None:
    parquet.write_table(pa.table({"x": cells}), tmp_path / "t.parquet")
    with pytest.raises(TableRefused, match="which is neither numbers nor text"):
        [*TableFile(tmp_path / "t.parquet").blocks(["x"], {})]
