"""A Parquet table as a VOTable, and the VOTable header that goes into a Parquet file.

VOTable 1.4, section 5.4 (BINARY2): each row is a mask of its NULLs, one bit per column, and
then its values, big-endian. Text has the length of the longest of its column: `char` where
all of it is ASCII, else `unicodeChar` (UTF-16). The IVOA note VOTable-in-Parquet 1.0 puts
a VOTable without data beside the columns that it describes.
"""

import binascii
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.formats.columns import meaning
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
from zoolens.catalog.runtime.files import replacing

_LINE = 48_000  # bytes, a multiple of 3, that become a line of base64
_KINDS = {  # VOTable datatype and NumPy kind
    pa.bool_(): ("boolean", "u1"),
    pa.int32(): ("int", ">i4"),
    pa.int64(): ("long", ">i8"),
    pa.float32(): ("float", ">f4"),
    pa.float64(): ("double", ">f8"),
}
_ICRS = "icrs"  # the system of the positions, by its name in the header
_TABLE_END = b"</TABLE>"


def votable_header(
    schema: pa.Schema,
    *,
    name: str,
    description: str = "",
    lengths: Mapping[str, int] | None = None,
) -> str:
    """The VOTable, without data, that describes columns by name, unit, UCD and words.

    lengths: of the longest text of each text column, in characters; text of a column that
    is not among them has any length. astropy's reader of VOTable-in-Parquet needs them all.
    """
    kinds, sizes = [], []
    for field in schema:
        is_text = field.type not in _KINDS
        kinds.append("unicodeChar" if is_text else _KINDS[field.type][0])
        length = (lengths or {}).get(field.name)
        sizes.append((str(max(2, length)) if length is not None else "*") if is_text else None)
    return _header(schema, kinds, sizes, name, description).decode()


def parquet_metadata(
    schema: pa.Schema,
    *,
    name: str,
    description: str = "",
    lengths: Mapping[str, int] | None = None,
) -> dict[bytes, bytes]:
    """The metadata that makes a Parquet file of `schema` a VOTable-in-Parquet."""
    header = votable_header(schema, name=name, description=description, lengths=lengths)
    return {
        b"IVOA.VOTable-Parquet.version": b"1.0",
        b"IVOA.VOTable-Parquet.content": header.encode(),
    }


def write_votable(table: Path, out: Path, *, name: str, description: str = "") -> None:
    """Write a Parquet file as the table `name` of a VOTable with BINARY2 data.

    The same input gives the same bytes. Raises `CatalogError` if the file cannot be
    written; then nothing is.
    """
    with pq.ParquetFile(table) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    forms = [_form(*given) for given in zip(schema, _reach(table, schema), strict=True)]
    kinds, lengths, numpy_kinds = zip(*forms, strict=True)
    record = record_type(numpy_kinds)
    header = _header(schema, kinds, lengths, name, description, rows)
    before, after = header.split(_TABLE_END)
    with replacing(out) as part, part.open("wb") as stream:
        stream.write(before + b'<DATA><BINARY2><STREAM encoding="base64">\n')
        _write_rows(stream, table, record, kinds)
        stream.write(b"</STREAM></BINARY2></DATA>" + _TABLE_END + after)


def _reach(table: Path, schema: pa.Schema) -> list[Extent]:
    reach = extents(table, _utf8)
    beyond = [field.name for field, extent in zip(schema, reach, strict=True) if not extent.ascii]
    for extent, wide in zip(reach, extents(table, _utf16, beyond), strict=True):
        if not extent.ascii:
            extent.width = wide.width
    return reach


def _write_rows(
    stream: BinaryIO, table: Path, record: np.dtype[np.void], kinds: Sequence[str]
) -> None:
    mask_bytes = -(-len(kinds) // 8)
    row = np.dtype([("nulls", "u1", (mask_bytes,)), ("values", record)])
    rest = b""
    for batch in blocks(table, row.itemsize):
        rows = np.zeros(len(batch), row)
        nulls = np.empty((len(batch), len(kinds)), np.bool_)
        values = rows["values"]
        for i, (column, kind) in enumerate(zip(batch.columns, kinds, strict=True)):
            nulls[:, i] = is_null(column)
            values[f"f{i}"] = _values(column, kind, record[i])
        rows["nulls"] = np.packbits(nulls, axis=1)
        rest = _write_lines(stream, rest + rows.tobytes())
    if rest:
        stream.write(binascii.b2a_base64(rest))


def _write_lines(stream: BinaryIO, data: bytes) -> bytes:
    """Write the whole lines of `data` in base64; the bytes that do not fill one."""
    whole = len(data) - len(data) % _LINE
    view = memoryview(data)
    for start in range(0, whole, _LINE):
        stream.write(binascii.b2a_base64(view[start : start + _LINE]))
    return data[whole:]


def _values(column: pa.Array, kind: str, number: np.dtype[np.generic]) -> npt.NDArray[np.generic]:
    if number.kind == "S":
        encoded = _utf8(column) if kind == "char" else _utf16(column)
        return padded(encoded, number.itemsize).view(number)[:, 0]
    values = plain_values(column)
    if kind == "boolean":
        letters = np.where(values, ord("T"), ord("F"))
        return np.where(is_null(column), ord("?"), letters)
    return values


def _form(field: pa.Field, extent: Extent) -> tuple[str, str | None, str]:
    """The datatype, array size and NumPy kind of a column."""
    if field.type in _KINDS:
        kind, number = _KINDS[field.type]
        return kind, None, number
    # not an array of length 1, which some readers take for a single character
    if extent.ascii:
        length = max(2, extent.width)
        return "char", str(length), f"S{length}"
    length = max(2, extent.width // 2)
    return "unicodeChar", str(length), f"S{2 * length}"


def _header(
    schema: pa.Schema,
    kinds: Sequence[str],
    lengths: Sequence[str | None],
    name: str,
    description: str,
    rows: int | None = None,
) -> bytes:
    # units and names that others gave are written as they are, standard or not
    with warnings.catch_warnings(action="ignore"):
        return _written(schema, kinds, lengths, name, description, rows)


def _written(
    schema: pa.Schema,
    kinds: Sequence[str],
    lengths: Sequence[str | None],
    name: str,
    description: str,
    rows: int | None,
) -> bytes:
    from astropy.io.votable.tree import CooSys, Field, Resource, TableElement, VOTableFile

    file = VOTableFile(version="1.4")
    resource = Resource()
    if any(meaning(field).ucd.startswith("pos.eq.") for field in schema):
        resource.coordinate_systems.append(CooSys(ID=_ICRS, system="ICRS"))
    table = TableElement(file, name=name, nrows=rows)
    table.description = description and _later(0)
    described = [description]
    file.resources.append(resource)
    resource.tables.append(table)
    taken: set[str] = set()
    for field, kind, length in zip(schema, kinds, lengths, strict=True):
        said = meaning(field)
        unit, ucd = said.unit or None, said.ucd or None
        entry = Field(file, name=field.name, datatype=kind, arraysize=length, unit=unit, ucd=ucd)
        if entry.ID in taken:  # astropy makes the same of two names, such as `z r` and `z_r`
            entry.ID = f"{entry.ID}.{len(taken)}"
        taken.add(entry.ID)
        if said.ucd.startswith("pos.eq."):
            entry.ref = _ICRS
        entry.description = said.description and _later(len(described))
        described.append(said.description)
        table.fields.append(entry)
    stream = io.BytesIO()
    file.to_xml(stream)
    whole = stream.getvalue().decode()
    words = [escape(" ".join(said.split())) for said in described]
    return re.sub("\ue000(\\d+)\ue001", lambda found: words[int(found[1])], whole).encode()


def _later(number: int) -> str:
    """A placeholder for a description, which is inserted later: astropy would wrap its lines."""
    return f"\ue000{number}\ue001"


def _utf8(text: pa.Array) -> pa.Array:
    return text.cast(pa.large_binary())


def _utf16(text: pa.Array) -> pa.Array:
    return encoded_each(text, lambda cell: cell.encode("utf-16-be"))
