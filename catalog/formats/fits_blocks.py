"""FITS tables that others made, a block of rows at a time, in bounded memory.

Headers say where the first table is and how long its rows are; so the file is read through
once, packed or not, and astropy is given some rows at a time under the table's own header.
Only lists of various lengths, which lie behind the rows, make it hold the whole table.

FITS Standard 4.0, sections 3 (structure), 7.3 (binary tables), 7.3.5 (arrays of
variable length).
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_BLOCK_BYTES, MOST_ROWS
from zoolens.catalog.formats.dialect import opened

if TYPE_CHECKING:
    from astropy.io.fits import Header

_UNIT = 2880  # bytes; headers and data fill multiples of it
_LONGEST_HEADER = 2**22  # bytes, 50,000 cards; a table of 999 columns has some 10,000
_END = re.compile(rb"(?s)(?:.{80})*?END {77}")
_READ = 2**22  # bytes of what is skipped, at a time
_TABLES = ("BINTABLE", "A3DTABLE", "TABLE")
# Of an array of variable length a row has two numbers: how many values, and where they begin.
_VARIABLE = re.compile(r"\s*(\d*)([PQ])(\w)")
_POINTERS = {"P": "J", "Q": "K"}
_VALUES = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_MOST_HELD = 2**30  # bytes of a table with such arrays


def fits_schema(path: Path) -> pa.Schema:
    """The columns of the first table of a FITS file; what Arrow cannot hold has the type null.

    Raises `TableRefused` if there is no table or it
    has too many rows, `OSError` if the file is damaged.
    """
    with _damage_as_oserror(), opened(path) as file:
        header = table_header(path, file)
        some = min(int(header["NAXIS2"]), _rows_at_once(path, header, 100))
        table = _read_rows(file, header, some)
        kinds = [_kind(_Column(path, header, table, name, 1, None)) for name in table.colnames]
        return pa.schema([*zip(table.colnames, kinds, strict=True)])


def fits_blocks(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """Some columns of all rows, at most `rows` at a time; the file is read to its end.

    Raises as `fits_schema`, and `TableRefused` if one of the columns has the type null, or
    holds text that is not UTF-8.
    """
    with _damage_as_oserror(), opened(path) as file:
        header = table_header(path, file)
        left = int(header["NAXIS2"])
        at_once, first = _rows_at_once(path, header, rows), 1
        source, behind = file, None
        while left:
            if first == 1 and _any_variable(header, columns):
                source, behind = _held(path, file, header)
            table = _read_rows(source, header, min(at_once, left))
            found = [_Column(path, header, table, name, first, behind) for name in columns]
            yield pa.table([_checked(column) for column in found], names=[*columns])
            first += len(table)
            left -= len(table)
        while file.read(_READ):  # so that a gzip cut short is seen
            pass


def _any_variable(header: "Header", columns: Sequence[str]) -> bool:
    return any(
        _VARIABLE.match(str(header[f"TFORM{n}"]))
        for n in range(1, int(header["TFIELDS"]) + 1)
        if str(header.get(f"TTYPE{n}", "")).strip() in columns
    )


def _held(path: Path, file: BinaryIO, header: "Header") -> tuple[BinaryIO, bytes]:
    """All of a table's data: its rows, and what lies behind them."""
    size = _data_bytes(header)
    if size > _MOST_HELD:
        raise TableRefused(
            f"{path} has lists of various lengths in {size / 2**30:,.1f} GiB; up to "
            f"{_MOST_HELD / 2**30:.0f} are read: split it, or save it as Parquet"
        )
    data = file.read(size)
    if len(data) < size:
        raise OSError(f"it is truncated: {len(data):,} bytes of {size:,}")
    start = int(header.get("THEAP", int(header["NAXIS1"]) * int(header["NAXIS2"])))
    return io.BytesIO(data), data[start:]


def table_header(path: Path, file: BinaryIO) -> "Header":
    """The header of the first table, after which its rows follow."""
    header = _next_header(file, b"SIMPLE  =")
    while header is not None:
        if str(header.get("XTENSION", "")).strip() in _TABLES and not header.get("ZIMAGE"):
            rows = int(header["NAXIS2"])
            if not 0 <= rows <= MOST_ROWS:
                raise TableRefused(
                    f"{path} says that it has {rows:,} rows; a table may have {MOST_ROWS:,}: "
                    "split it"
                )
            return header
        _skip(file, _data_bytes(header))
        header = _next_header(file, b"XTENSION=")
    raise TableRefused(f"{path} holds no table, only images")


def _next_header(file: BinaryIO, begin: bytes) -> "Header | None":
    """The header that begins here; None at the end of the file."""
    from astropy.io.fits import Header

    held = file.read(_UNIT)
    if begin == b"XTENSION=" and not held.startswith(begin):
        return None  # what may follow the last extension is of no format
    if not held.startswith(begin):
        raise OSError("it does not begin as FITS does")
    while not _END.match(held):
        more = file.read(_UNIT)
        if len(more) < _UNIT or len(held) > _LONGEST_HEADER:
            raise OSError("a header has no end")
        held += more
    return Header.fromstring(held)


def _data_bytes(header: "Header") -> int:
    """Bytes of what follows a header (section 4.4.1.2), without what fills its last block."""
    axes = [int(header[f"NAXIS{n}"]) for n in range(1, int(header["NAXIS"]) + 1)]
    if axes and axes[0] == 0 and header.get("GROUPS"):
        axes = axes[1:]
    values = int(np.prod(axes, dtype=object)) if axes else 0
    values = int(header.get("GCOUNT", 1)) * (int(header.get("PCOUNT", 0)) + values)
    size = abs(int(header["BITPIX"])) // 8 * values
    if min([size, *axes]) < 0:
        raise OSError("a header claims a negative size")
    return size


def _skip(file: BinaryIO, size: int) -> None:
    left = size + -size % _UNIT
    while left:
        found = len(file.read(min(left, _READ)))
        if not found:
            raise OSError("it is truncated")
        left -= found


def _rows_at_once(path: Path, header: "Header", rows: int) -> int:
    """How many rows, at most `rows`, take no more memory than a block may."""
    row_bytes = int(header["NAXIS1"])
    if not 0 <= row_bytes <= MOST_BLOCK_BYTES:
        raise TableRefused(
            f"{path} has rows of {row_bytes:,} bytes; up to {MOST_BLOCK_BYTES:,} are read"
        )
    return max(1, min(rows, MOST_BLOCK_BYTES // max(1, row_bytes)))


def _read_rows(file: BinaryIO, header: "Header", rows: int) -> Any:
    """The next rows as an astropy table, arrays of variable length as the two numbers."""
    from astropy.io.fits import BinTableHDU, TableHDU
    from astropy.table import Table

    size = rows * int(header["NAXIS1"])
    data = file.read(size)
    if len(data) < size:
        raise OSError(f"it is truncated: {len(data):,} bytes of {size:,}")
    own = header.copy()
    own["NAXIS2"], own["PCOUNT"] = rows, 0
    own.remove("THEAP", ignore_missing=True)
    for n in range(1, int(own["TFIELDS"]) + 1):
        if found := _VARIABLE.match(str(own[f"TFORM{n}"])):
            own[f"TFORM{n}"] = f"{2 * int(found[1] or 1)}{_POINTERS[found[2]]}"
            own.remove(f"TDIM{n}", ignore_missing=True)
    kind = TableHDU if str(own["XTENSION"]).strip() == "TABLE" else BinTableHDU
    block = own.tostring().encode("ascii") + data + bytes(-size % _UNIT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about units and the like, which are not read
        return Table.read(kind.fromstring(block, uint=True))


class _Column(NamedTuple):
    """A column of a block of rows, of which `first` is the first; behind: what follows all rows."""

    path: Path
    header: "Header"
    table: Any
    name: str
    first: int
    behind: bytes | None

    @property
    def number(self) -> int:
        return int(self.table.colnames.index(self.name)) + 1

    @property
    def form(self) -> str:
        return str(self.header[f"TFORM{self.number}"]).strip()

    @property
    def is_scaled(self) -> bool:
        return any(f"{key}{self.number}" in self.header for key in ("TSCAL", "TZERO"))


def _kind(column: _Column) -> pa.DataType:
    """Its Arrow type; null if Arrow cannot hold it."""
    if found := _VARIABLE.match(column.form):
        known = found[3] in _VALUES and not column.is_scaled
        values = np.dtype(_VALUES[found[3]]).newbyteorder("=") if known else None
        return pa.null() if values is None else pa.list_(pa.from_numpy_dtype(values))
    try:
        return _values(column.table[column.name]).type
    except (pa.ArrowException, UnicodeDecodeError):
        return pa.null()


def _checked(column: _Column) -> pa.Array:
    try:
        if _VARIABLE.match(column.form):
            return _lists(column)
        return _values(column.table[column.name])
    except UnicodeDecodeError:
        row = column.first + _first_that_is_no_text(column.table[column.name])
        where = f"{column.path}, row {row}, column {column.name}"
        raise TableRefused(f"{where}: not UTF-8 text; save the table as UTF-8") from None
    except pa.ArrowException:
        raise TableRefused(
            f"{column.path} stores {column.name} as {column.form}, which is neither numbers nor "
            "text nor lists of them"
        ) from None


def _first_that_is_no_text(column: Any) -> int:
    values = np.asarray(column.filled() if hasattr(column, "filled") else column)
    for row, value in enumerate(values.tolist()):
        try:
            value.decode()
        except (UnicodeDecodeError, AttributeError):
            return row
    return 0


def _lists(column: _Column) -> pa.Array:
    """Arrays of variable length; those of two rows may lie in the same place."""
    kind = _kind(column)
    if pa.types.is_null(kind):
        raise pa.ArrowInvalid("no numbers")
    code = np.dtype(_VALUES[column.form.lstrip("0123456789")[1]])
    counts, places = np.asarray(column.table[column.name]).reshape(-1, 2).T.astype(np.int64)
    behind = column.behind or b""
    if np.any(counts < 0) or counts.sum() * code.itemsize > MOST_BLOCK_BYTES:
        raise TableRefused(
            f"{column.path}, from row {column.first} on: the lists of {column.name} claim "
            f"{counts.sum():,} values"
        )
    if np.any((counts > 0) & ((places < 0) | (places + counts * code.itemsize > len(behind)))):
        raise OSError(f"lists of {column.name} lie outside the table")
    parts = [
        np.frombuffer(behind, code, count, place) if count else np.empty(0, code)
        for count, place in zip(counts.tolist(), places.tolist(), strict=True)
    ]
    values = np.concatenate([np.empty(0, code), *parts]).astype(code.newbyteorder("="))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def _values(column: Any) -> pa.Array:
    values = np.asarray(column.filled() if hasattr(column, "filled") else column)
    mask = np.asarray(column.mask) if hasattr(column, "mask") else None
    if values.dtype.kind == "S":
        values = np.char.strip(np.char.decode(values, "utf-8"))
    elif values.dtype.kind == "U":
        values = np.char.strip(values)
    values = values.astype(values.dtype.newbyteorder("="))
    if values.ndim == 1:
        return pa.array(values, mask=mask)
    width = int(np.prod(values.shape[1:]))
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), width)


@contextmanager
def _damage_as_oserror() -> Iterator[None]:
    """Whatever astropy trips on in hostile bytes becomes `OSError`."""
    try:
        yield
    except TableRefused:
        raise
    except Exception as error:
        raise OSError(str(error) or type(error).__name__) from None
