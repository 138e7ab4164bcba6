"""The rows of an answer in the few types that every format has.

Whole numbers, floats, booleans, text, bytes, and lists of floats: what DuckDB gives beside these
becomes one of them, as `plain_type` says.
"""

import math
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.columns import column
from zoolens.catalog.store.dictionary import Column

LIST, FLOATS = pa.list_(pa.float64()), pa.list_(pa.float32())
_GEOMETRIES = {"POINT": b"point", "CIRCLE": b"circle", "POLYGON": b"polygon"}
XTYPE, ARRAYSIZE = b"xtype", b"arraysize"


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that a column of an answer is given in.

    Decimals are floats, unless without places: sums of whole numbers are whole numbers. Times are
    text as ISO 8601 has them.
    """
    if pa.types.is_boolean(kind) or pa.types.is_binary(kind) or kind == pa.float32():
        return kind
    if pa.types.is_integer(kind):
        if kind.bit_width < 16 or kind == pa.int16():
            return pa.int16()
        return pa.int32() if kind.bit_width < 32 or kind == pa.int32() else pa.int64()
    if pa.types.is_decimal(kind):
        return pa.int64() if kind.scale == 0 else pa.float64()
    if pa.types.is_floating(kind):
        return pa.float64()
    if pa.types.is_list(kind) and _is_number(kind.value_type):
        return FLOATS if kind.value_type == pa.float32() else LIST
    return pa.string()


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def described_schema(schema: pa.Schema, columns: Sequence[Column]) -> pa.Schema:
    """The schema of an answer in plain types, with names, units and words of its columns."""
    made = []
    for given, said in zip(schema, columns, strict=True):
        kind = plain_type(given.type)
        field = column(said.name, kind, said.description, unit=said.unit, ucd=said.ucd)
        xtype = _GEOMETRIES.get(said.type) or said.xtype.encode() or None
        if pa.types.is_temporal(given.type):
            xtype = b"timestamp"
        if xtype is not None:
            field = field.with_metadata({**(field.metadata or {}), XTYPE: xtype})
        if said.arraysize and pa.types.is_list(kind):
            size = said.arraysize.encode()
            field = field.with_metadata({**(field.metadata or {}), ARRAYSIZE: size})
        if said.type == "CHAR" and kind == pa.string():
            field = field.with_metadata({**(field.metadata or {}), b"datatype": b"char"})
        made.append(field)
    return pa.schema(made)


def plain(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Rows of an answer in the types of `described_schema`.

    Raises `CatalogError` for a whole number that no format holds.
    """
    arrays = [
        _plain_column(given, field) for given, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain_column(given: pa.Array, field: pa.Field) -> pa.Array:
    if pa.types.is_list(field.type) and ARRAYSIZE in (field.metadata or {}):
        _check_lengths(given, field)
    if given.type == field.type:
        return given
    if pa.types.is_timestamp(given.type):
        return pc.strftime(pc.cast(given, pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%S")
    try:
        return given.cast(field.type)
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise CatalogError(f"column {field.name}: {reason}; CAST it to DOUBLE") from None
    except pa.ArrowNotImplementedError:
        return pa.array([None if v is None else str(v) for v in given.to_pylist()], field.type)


def _check_lengths(lists: pa.Array, field: pa.Field) -> None:
    """Raises `CatalogError` for lists that are not as long as their column says."""
    size = (field.metadata or {})[ARRAYSIZE].decode()
    if "*" not in size:
        length = math.prod(map(int, size.split("x")))
        if not pc.all(pc.equal(pc.list_value_length(lists), length), min_count=0).as_py():
            raise CatalogError(f"column {field.name}: arrays of other sizes than {size} are in it")


def as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows for formats without bytes and lists: bytes as hexadecimal, lists with spaces."""
    arrays, fields = [], []
    for array, field in zip(batch.columns, batch.schema, strict=True):
        if pa.types.is_binary(field.type):
            array = pa.array(
                [None if v is None else v.hex() for v in array.to_pylist()], pa.string()
            )
        elif field.type in (LIST, FLOATS):
            array = joined(array)
        elif field.type == pa.int16():
            array = array.cast(pa.int32())  # which is what FITS is written of
        arrays.append(array)
        fields.append(field.with_type(array.type))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def joined(lists: pa.Array) -> pa.Array:
    """Lists of floats as text, with a space between."""
    return pc.binary_join(lists.cast(pa.list_(pa.string())), " ")
