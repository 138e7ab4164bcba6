"""Rows of one length, against values worked out by hand and by Python."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.formats import fixed_width
from zoolens.catalog.formats.fixed_width import (
    Extent,
    blocks,
    encoded_each,
    extents,
    is_null,
    padded,
    plain_values,
    record_type,
)


def utf8(text: pa.Array) -> pa.Array:
    return text.cast(pa.large_binary())


def test_what_columns_reach(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a", None, "é€", ""],
            "plain": ["abc", "d", "", "ef"],
            "count": pa.array([3, None, -7, 5], pa.int32()),
            "above": [4, 5, 6, 7],
            "real": [1.5, 2.5, None, 4.5],
            "nothing": pa.nulls(4, pa.string()),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=3)
    found = dict(zip(table.column_names, extents(tmp_path / "t.parquet", utf8), strict=True))
    assert found == {
        "text": Extent(1, False, 5),  # é has two bytes, € three
        "plain": Extent(0, True, 3),
        "count": Extent(1, True, 0, -7, 5),
        "above": Extent(0, True, 0, 0, 7),
        "real": Extent(),  # neither text nor integer: not looked at
        "nothing": Extent(4),
    }
    only = extents(tmp_path / "t.parquet", utf8, ["count"])
    assert only == [Extent(), Extent(), Extent(1, True, 0, -7, 5), Extent(), Extent(), Extent()]


@given(st.lists(st.none() | st.binary(max_size=9), max_size=8), st.data())
def test_values_are_padded_with_zeros(values: list[bytes | None], data: st.DataObject) -> None:
    longest = max((len(value or b"") for value in values), default=0)
    width = data.draw(st.integers(longest, 12))
    start = data.draw(st.integers(0, len(values)))
    rows = padded(pa.array(values, pa.binary()).slice(start), width)
    assert rows.shape == (len(values) - start, width)
    assert [row.tobytes() for row in rows] == [
        (v or b"").ljust(width, b"\0") for v in values[start:]
    ]


def test_null_is_what_the_type_has_for_it() -> None:
    real = plain_values(pa.array([1.5, None], pa.float32()))
    assert real.dtype == np.float32
    np.testing.assert_array_equal(real, [1.5, np.nan])
    whole = plain_values(pa.array([1, None, 3], pa.int16()), null=-9)
    assert (whole.dtype, whole.tolist()) == (np.int16, [1, -9, 3])
    assert plain_values(pa.array([True, None])).tolist() == [True, False]
    assert is_null(pa.array([1.0, None, float("nan")])).tolist() == [False, True, False]


def test_text_is_encoded_value_by_value() -> None:
    found = encoded_each(pa.array(["é", None, ""]), lambda text: text.encode("utf-16-be"))
    assert found.to_pylist() == [b"\x00\xe9", None, b""]


def test_a_record_has_no_gaps() -> None:
    kind = record_type([">f8", "S3", ">i2", "u1"])
    assert kind.itemsize == 14
    record = np.zeros(1, kind)
    record[0] = (1.0, b"ab", 258, 7)
    assert record.tobytes() == b"\x3f\xf0" + b"\0" * 6 + b"ab\0" + b"\x01\x02" + b"\x07"


@pytest.mark.parametrize(("row_bytes", "sizes"), [(40, [2, 2, 1, 2, 2]), (1000, [1] * 9)])
def test_blocks_are_of_so_many_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_bytes: int, sizes: list[int]
) -> None:
    monkeypatch.setattr(fixed_width, "_BLOCK_BYTES", 80)
    pq.write_table(pa.table({"n": range(9)}), tmp_path / "t.parquet", row_group_size=5)
    found = list(blocks(tmp_path / "t.parquet", row_bytes))
    assert [len(block) for block in found] == sizes
    assert [n for block in found for n in block["n"].to_pylist()] == [*range(9)]
