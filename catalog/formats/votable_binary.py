"""VOTable's types, and rows as BINARY2 has them (VOTable 1.4, section 5.4)."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

KINDS = {  # VOTable datatype, and NumPy's in BINARY2
    pa.bool_(): ("boolean", "u1"),
    pa.int16(): ("short", ">i2"),
    pa.int32(): ("int", ">i4"),
    pa.int64(): ("long", ">i8"),
    pa.float32(): ("float", ">f4"),
    pa.float64(): ("double", ">f8"),
}
_SIZES = {"point": "2", "circle": "3"}


def kind_of(field: pa.Field) -> tuple[str, str | None, str | None]:
    """VOTable's datatype, arraysize and xtype of a column."""
    xtype = (field.metadata or {}).get(b"xtype", b"").decode() or None
    if field.type in KINDS:
        return KINDS[field.type][0], None, xtype
    if pa.types.is_binary(field.type):
        return "unsignedByte", "*", xtype
    if pa.types.is_list(field.type):
        size = (field.metadata or {}).get(b"arraysize", b"").decode()
        return KINDS[field.type.value_type][0], size or _SIZES.get(xtype or "", "*"), xtype
    is_char = xtype == "timestamp" or (field.metadata or {}).get(b"datatype") == b"char"
    return ("char" if is_char else "unicodeChar"), "*", xtype


def whole(rows: pa.Array) -> bytes:
    """All of an array of text or bytes, end to end."""
    _, offsets, data = rows.buffers()
    wide = pa.types.is_large_binary(rows.type) or pa.types.is_large_string(rows.type)
    ends = np.frombuffer(offsets, np.int64 if wide else np.int32)
    first, last = ends[rows.offset], ends[rows.offset + len(rows)]
    return b"" if data is None else data[int(first) : int(last)].to_pybytes()


def binary_rows(batch: pa.RecordBatch) -> bytes:
    """The rows of a batch, end to end."""
    if not len(batch):
        return b""
    nulls = np.array([c.is_null().to_numpy(zero_copy_only=False) for c in batch.columns]).T
    parts = [_fixed(np.packbits(nulls, axis=1))]
    for column, field in zip(batch.columns, batch.schema, strict=True):
        parts += _binary_parts(column, field)
    return whole(pc.binary_join_element_wise(*parts, pa.scalar(b"", pa.large_binary())))


def _binary_parts(column: pa.Array, field: pa.Field) -> list[pa.Array]:
    """The bytes of a column's cells, in one part or several."""
    if pa.types.is_boolean(column.type):
        letters = pc.fill_null(pc.if_else(column, ord("T"), ord("F")), ord("?"))
        return [_fixed(letters.to_numpy(zero_copy_only=False).astype("u1")[:, None])]
    if column.type in KINDS:
        # some readers see the value alone, not that it is none (pyvo, row by row)
        none = math.nan if pa.types.is_floating(column.type) else 0
        values = pc.fill_null(column, none).to_numpy(zero_copy_only=False)
        return [_fixed(_bytes(values, KINDS[column.type][1]))]
    kind, size, _ = kind_of(field)
    if pa.types.is_list(column.type):
        return _list_parts(column, size)
    binary = _encoded(column, kind)
    width = 2 if kind == "unicodeChar" else 1
    lengths = pc.binary_length(binary).to_numpy(zero_copy_only=False) // width
    return [_fixed(_bytes(lengths, ">i4")), binary]


def _list_parts(column: pa.Array, size: str | None) -> list[pa.Array]:
    number = KINDS[column.type.value_type][1]
    lists = [[] if v is None else v for v in column.to_pylist()]
    if size not in (None, "*"):
        length = math.prod(map(int, (size or "").split("x")))
        lists = [v or [np.nan] * length for v in lists]
    packed = [np.array([np.nan if x is None else x for x in v], number).tobytes() for v in lists]
    binary = pa.array(packed, pa.large_binary())
    if size != "*":
        return [binary]
    return [_fixed(_bytes(np.array([len(v) for v in lists]), ">i4")), binary]


def _encoded(column: pa.Array, kind: str) -> pa.Array:
    filled = pc.fill_null(column, b"" if pa.types.is_binary(column.type) else "")
    if kind != "unicodeChar":
        return filled.cast(pa.large_binary())
    if not pc.all(pc.string_is_ascii(filled)).as_py():
        cells = [cell.encode("utf-16-be") for cell in filled.to_pylist()]
        return pa.array(cells, pa.large_binary())
    letters = np.frombuffer(whole(filled), np.uint8)
    wide = np.zeros(2 * len(letters), np.uint8)
    wide[1::2] = letters
    ends = np.concatenate([[0], np.cumsum(2 * pc.binary_length(filled).to_numpy())])
    buffers = [None, pa.py_buffer(ends.astype(np.int64)), pa.py_buffer(wide)]
    return pa.Array.from_buffers(pa.large_binary(), len(filled), buffers)


def _bytes(values: np.ndarray, kind: str) -> np.ndarray:
    """Numbers (N,) as bytes (N, width)."""
    return np.ascontiguousarray(values.astype(kind)).view(np.uint8).reshape(len(values), -1)


def _fixed(rows: np.ndarray) -> pa.Array:
    """Bytes (N, width) as an array of binary values."""
    count, width = rows.shape
    ends = np.arange(count + 1, dtype=np.int64) * width
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(rows))]
    return pa.Array.from_buffers(pa.large_binary(), count, buffers)
