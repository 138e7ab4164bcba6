from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.tap.rows import as_text, described_schema, plain
from zoolens.catalog.store.dictionary import Column


def _plain(values: list[object], kind: pa.DataType, of: str = "") -> pa.Array:
    batch = pa.RecordBatch.from_arrays([pa.array(values, kind)], names=["x"])
    return plain(batch, described_schema(batch.schema, [Column("y", of, "words", "deg", "u")]))[0]


def test_types_are_few() -> None:
    assert _plain([1, None], pa.int8()).type == pa.int16()
    assert _plain([1, None], pa.uint32()).type == pa.int64()
    assert _plain([Decimal(2**60)], pa.decimal128(38, 0)).to_pylist() == [2**60]
    assert _plain([Decimal("0.5")], pa.decimal128(4, 1)).to_pylist() == [0.5]
    assert _plain([[1, None]], pa.list_(pa.int32())).to_pylist() == [[1.0, None]]
    assert _plain([datetime(2026, 1, 2, 3, 4, 5)], pa.timestamp("us")).to_pylist() == [
        "2026-01-02T03:04:05.000000"
    ]
    assert _plain([{"a": 1}], pa.struct([("a", pa.int32())])).to_pylist() == ["{'a': 1}"]


def test_a_number_too_large_for_any_format_is_refused() -> None:
    with pytest.raises(CatalogError, match=r"column y: .* CAST it to DOUBLE"):
        _plain([Decimal(2**70)], pa.decimal128(38, 0))


def test_a_column_says_what_it_holds() -> None:
    schema = pa.schema([("x", pa.list_(pa.float64()))])
    (field,) = described_schema(schema, [Column("p", "POINT", "a place", "deg", "pos")])
    assert field.name == "p"
    assert field.metadata == {
        b"description": b"a place",
        b"unit": b"deg",
        b"ucd": b"pos",
        b"xtype": b"point",
    }


def test_bytes_and_lists_as_text() -> None:
    batch = pa.RecordBatch.from_pydict({"b": [b"\x01\xff", None], "l": [[1.5, 2.0], None]})
    assert as_text(batch).to_pylist() == [{"b": "01ff", "l": "1.5 2"}, {"b": None, "l": None}]
