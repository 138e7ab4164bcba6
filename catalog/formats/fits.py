"""A Parquet table as a FITS binary table.

FITS knows less than Parquet. A NULL number is NaN (an integer: TNULL), so that NaN and NULL
fall together; so do NULL text and empty text. Text is ASCII: whatever is not printable
ASCII, and the backslash, becomes an escape as in Python source (`é` is `\\xe9`, `\\` is
`\\\\`), which `bytes.decode("unicode_escape")` takes back.

FITS Standard 4.0, sections 4.2 (CONTINUE), 7.3 (binary tables) and appendix J (checksums).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zoolens.catalog.errors import CatalogError
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

if TYPE_CHECKING:
    from astropy.io.fits import Header


MOST_COLUMNS = 999

_BLOCK = 2880
_UNSAFE = r"[^ -\[\]-~]"  # printable ASCII but the backslash
_FORMS = {  # FITS format and NumPy kind
    pa.bool_(): ("L", "u1"),
    pa.int32(): ("J", ">i4"),
    pa.int64(): ("K", ">i8"),
    pa.float32(): ("E", ">f4"),
    pa.float64(): ("D", ">f8"),
}


def write_fits(
    table: Path, out: Path, *, name: str, comments: Mapping[str, str] | None = None
) -> None:
    """Write a Parquet file as the table `name` of a FITS file.

    comments: cards of the primary header, such as {"ORIGIN": "..."}. Units, UCDs and
    descriptions become TUNITn, TUCDn and TCOMMn. The same input gives the same bytes.
    Raises `CatalogError` if there are more columns than FITS allows, and where the
    file cannot be written; then nothing is.
    """
    with pq.ParquetFile(table) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    if len(schema) > MOST_COLUMNS:
        raise CatalogError(
            f"{len(schema)} columns are more than the {MOST_COLUMNS} of a FITS table;"
            " choose some with --columns, or take --preset friendly"
        )
    reach = extents(table, _escaped)
    nulls = [_null_of(field, extent) for field, extent in zip(schema, reach, strict=True)]
    record = record_type(
        [_kind(field, extent) for field, extent in zip(schema, reach, strict=True)]
    )
    header = _table_header(schema, reach, nulls, name, rows, record.itemsize)
    with replacing(out) as part, part.open("wb") as stream:
        stream.write(_header_bytes(_primary_header(comments or {}), 0))
        start = stream.tell()
        stream.write(_header_bytes(header, 0))
        total = _write_rows(stream, table, record, nulls)
        stream.seek(start)
        stream.write(_header_bytes(header, total))


def _write_rows(
    stream: BinaryIO, table: Path, record: np.dtype[np.void], nulls: Sequence[int | None]
) -> int:
    """Write all rows and what fills the last block; their checksum."""
    written = total = 0
    for batch in blocks(table, record.itemsize):
        rows = np.zeros(len(batch), record)
        for i, (column, null) in enumerate(zip(batch.columns, nulls, strict=True)):
            rows[f"f{i}"] = _values(column, null, record[i])
        data = rows.tobytes()
        stream.write(data)
        total = _checksum(bytes(written % 4) + data + bytes(-(written + len(data)) % 4), total)
        written += len(data)
    stream.write(bytes(-written % _BLOCK))
    return total


def _values(
    column: pa.Array, null: int | None, kind: np.dtype[np.generic]
) -> npt.NDArray[np.generic]:
    if kind.kind == "S":
        return padded(_escaped(column), kind.itemsize).view(kind)[:, 0]
    values = plain_values(column, null or 0)
    if pa.types.is_boolean(column.type):
        letters = np.where(values, ord("T"), ord("F"))
        return np.where(is_null(column), 0, letters)
    return values


def _escaped(text: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(text, _UNSAFE)).as_py():
        return encoded_each(text, lambda cell: cell.encode("unicode_escape"))
    return text.cast(pa.large_binary())


def _kind(field: pa.Field, extent: Extent) -> str:
    return _FORMS[field.type][1] if field.type in _FORMS else f"S{max(1, extent.width)}"


def _null_of(field: pa.Field, extent: Extent) -> int | None:
    """The integer that stands for NULL, which no row has; None where there is no NULL."""
    if not pa.types.is_integer(field.type) or not extent.nulls:
        return None
    limits = np.iinfo(field.type.to_pandas_dtype())
    if extent.least > limits.min:
        return int(limits.min)
    if extent.most < limits.max:
        return int(limits.max)
    raise CatalogError(
        f"column {field.name} holds NULL, the least and the largest integer, and a FITS table"
        " has no number left for NULL; leave the column out with --columns"
    )


def _primary_header(comments: Mapping[str, str]) -> "Header":
    from astropy.io.fits import PrimaryHDU

    header = PrimaryHDU().header
    header["EXTEND"] = True
    for key, text in comments.items():
        header[key] = _ascii(text)
    return header


def _table_header(
    schema: pa.Schema,
    reach: Sequence[Extent],
    nulls: Sequence[int | None],
    name: str,
    rows: int,
    row_bytes: int,
) -> "Header":
    from astropy.io.fits import Header

    header = Header()
    header["XTENSION"] = ("BINTABLE", "binary table extension")
    header["BITPIX"] = 8
    header["NAXIS"] = 2
    header["NAXIS1"] = (row_bytes, "bytes of a row")
    header["NAXIS2"] = (rows, "rows")
    header["PCOUNT"] = 0
    header["GCOUNT"] = 1
    header["TFIELDS"] = (len(schema), "columns")
    header["EXTNAME"] = _ascii(name)
    cards: list[tuple[str, str | int]] = []
    for n, (field, extent, null) in enumerate(zip(schema, reach, nulls, strict=True), 1):
        form = _FORMS[field.type][0] if field.type in _FORMS else f"{max(1, extent.width)}A"
        said = meaning(field)
        cards += [(f"TTYPE{n}", _ascii(field.name)), (f"TFORM{n}", form)]
        cards += [(f"TNULL{n}", null)] if null is not None else []
        words = (("TUNIT", said.unit), ("TUCD", said.ucd), ("TCOMM", said.description))
        cards += [(f"{key}{n}", _ascii(text)) for key, text in words if text]
    header.extend(cards)
    return header


def _header_bytes(header: "Header", data_sum: int) -> bytes:
    """The blocks of a header, checksums set; their length does not depend on `data_sum`."""
    header["DATASUM"] = (str(data_sum), "checksum of the data")
    header["CHECKSUM"] = ("0" * 16, "checksum of header and data")
    total = _checksum(header.tostring().encode("ascii"), data_sum)
    header["CHECKSUM"] = _as_letters(total ^ 0xFFFFFFFF)
    return bytes(header.tostring().encode("ascii"))


def _checksum(data: bytes, total: int = 0) -> int:
    """The 32-bit ones' complement sum of `data` (4 N bytes), added to `total`."""
    total += int(np.frombuffer(data, ">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _as_letters(total: int) -> str:
    """A checksum as 16 letters and digits that add up to it (appendix J).

    Each byte is the sum of four characters, a quarter of it each, moved apart in pairs
    until none is punctuation.
    """
    columns = []
    for byte in total.to_bytes(4, "big"):
        quarter, rest = divmod(byte, 4)
        four = [quarter + rest + ord("0"), *[quarter + ord("0")] * 3]
        while any(not chr(code).isalnum() for code in four):
            for first in (0, 2):
                if not all(chr(code).isalnum() for code in four[first : first + 2]):
                    four[first] += 1
                    four[first + 1] -= 1
        columns.append(four)
    letters = "".join(chr(columns[byte][i]) for i in range(4) for byte in range(4))
    return letters[-1] + letters[:-1]


def _ascii(text: str) -> str:
    """Text as a header may hold it: one line; what is not ASCII is escaped."""
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode("ascii")
