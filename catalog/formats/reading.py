"""Tables that astronomers publish: CSV and its like, gzipped or not, Parquet, FITS, HDF5, HATS.

Text is read as text, column by column, and converted to numbers on request: nothing
is guessed, so an identifier keeps its leading zeros, and one odd value affects one row, not
its column.
"""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_BYTES, MOST_ROWS
from zoolens.catalog.formats.csv import csv_blocks, row_numbers
from zoolens.catalog.formats.dialect import TEXT_SUFFIXES, dialect_of, is_text
from zoolens.catalog.formats.fits_blocks import fits_blocks, fits_schema
from zoolens.catalog.formats.hdf5 import HDF5_SUFFIXES, hdf5_blocks, hdf5_schema
from zoolens.catalog.formats.identifiers import through_floats
from zoolens.catalog.formats.missing import without_words
from zoolens.catalog.runtime.files import check_file, sha256_of

if TYPE_CHECKING:
    from zoolens.catalog.formats.extracts import Extract
    from zoolens.catalog.formats.folders import TableFolder

_ROWS = 32_768  # of a block
_POSITION = ("ra", "dec")  # what columns are called that a HATS catalogue says are the position
_DAMAGED = (pa.ArrowException, OSError, EOFError, ValueError, TypeError, zlib.error)

SUFFIXES = (
    *(suffix + packed for suffix in TEXT_SUFFIXES for packed in ("", ".gz")),
    *(".parquet", ".fits", ".fits.gz", ".fit", *HDF5_SUFFIXES),
)


class TableFile:
    """A table in a file or a folder, read in blocks of rows so that its size does not matter.

    path: by which it is called: that of the table, if `path` is an extract of one
    (`catalog.formats.extracts`). schema: its columns. Text: all are text, an empty field NULL.
    Parquet, also many files in a folder (`catalog.formats.folders`): types as stored. FITS (the
    first table of the file): types as stored, text stripped, masked values NULL, vectors as
    lists; what Arrow cannot hold has the type null. most: rows that it may have. Raises
    `TableRefused` if no regular file is there, it is of another kind by its name, damaged, has
    more rows than `catalog.formats.bounds` allows, or gives two columns one name.
    """

    def __init__(self, path: Path, *, most: int | None = None) -> None:
        self.path = path
        self._name = path.name.lower()
        self._stored: dict[str, str] = {}
        self._most = most or MOST_ROWS
        self._extract: Extract | None = None
        self._folder: TableFolder | None = None
        if path.is_dir():
            self._open_folder(path)
        elif not self._name.endswith(SUFFIXES):
            raise TableRefused(
                f"{path} is not named as one of {', '.join(SUFFIXES)}; save it as one of them, as "
                "TOPCAT and astropy do"
            )
        else:
            check_file(path, "table", TableRefused)
            with self._refusing():
                self.schema = self._open()
        twice = [name for name, count in Counter(self.schema.names).items() if count > 1]
        if twice:
            raise TableRefused(f"{path} has two columns named {twice[0]!r}; rename one")

    @property
    def is_extract(self) -> bool:
        """Whether it has only some rows of its table."""
        return self._extract is not None

    @property
    def rows(self) -> int | None:
        """How many rows a folder has, None of another table, which does not say it."""
        return self._folder.rows if self._folder else None

    def _open_folder(self, path: Path) -> None:
        from zoolens.catalog.formats.extracts import is_extract, open_extract
        from zoolens.catalog.formats.folders import open_folder

        if is_extract(path):
            self._extract = open_extract(path)
            self.path, self.schema = self._extract.table, self._extract.schema
            return
        self._folder = open_folder(path)
        self.schema = self._folder.schema
        if self._folder.position and not {*_POSITION} & {*self.schema.names}:
            self.rename(dict(zip(self._folder.position, _POSITION, strict=True)))

    def rename(self, names: Mapping[str, str]) -> None:
        """Call columns of the file otherwise from here on: `names` by the file's own."""
        stored = {new: self._stored.get(old, old) for old, new in names.items()}
        self._stored = {new: old for new, old in self._stored.items() if new not in names} | stored
        self.schema = pa.schema(
            [field.with_name(names.get(field.name, field.name)) for field in self.schema]
        )

    def blocks(
        self, columns: Sequence[str], misshapen: dict[int, str]
    ) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
        """The rows, in file order, of some columns, thousands at a time, with their numbers.

        The first data row has the number 1. A row of a CSV file with more or fewer fields
        than the header is left out, and described in `misshapen` by its number. Raises
        `TableRefused` if the file is damaged, text is not UTF-8, most rows are misshapen, or
        there is more of them, or in them, than `catalog.formats.bounds` allows.
        """
        stored = [self._stored.get(name, name) for name in columns]
        count = 0
        for rows, found in self._numbered(stored, misshapen):
            count += len(rows)
            if count > self._most:
                raise TableRefused(
                    f"{self.path} has more than {self._most:,} rows, as many as a table may have: "
                    "split it, or cut it into a survey with: zoolens ingest --survey"
                )
            yield rows, found.select(stored).rename_columns([*columns])

    def _numbered(
        self, columns: Sequence[str], misshapen: dict[int, str]
    ) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
        """Blocks of rows and their numbers, as `blocks` has them, by the file's own columns."""
        if self._extract is not None:
            with self._refusing():
                yield from self._extract.blocks(columns, _ROWS)
            return
        first = 1
        for found in self._tables(columns, misshapen):
            # what is left out is described before the rows after it come
            rows = row_numbers(first, len(found), misshapen)
            first = int(rows[-1]) + 1
            yield rows, found

    def whole(
        self, columns: Sequence[str], misshapen: dict[int, str]
    ) -> tuple[npt.NDArray[np.int64], pa.Table]:
        """All rows of some columns at once, with their numbers; see `blocks`.

        Raises `TableRefused` also if there is none, or they take too much memory.
        """
        numbers_, tables, size = [], [], 0
        for rows, table in self.blocks(columns, misshapen):
            numbers_.append(rows)
            tables.append(table)
            size += table.nbytes
            if size > MOST_BYTES:
                raise TableRefused(
                    f"the first {rows[-1]:,} rows of {self.path} take {size / 2**30:.0f} GiB, as "
                    "much as is held at once: split it"
                )
        if not tables:
            raise TableRefused(
                f"{self.path} has a header but no row of that length; is it complete?"
            )
        return np.concatenate(numbers_), pa.concat_tables(tables)

    def _tables(self, columns: Sequence[str], misshapen: dict[int, str]) -> Iterator[pa.Table]:
        with self._refusing():
            if self._folder is not None:
                yield from self._folder.blocks(columns, _ROWS)
            elif is_text(self._name):
                yield from csv_blocks(self.path, columns, misshapen)
            elif self._name.endswith(".parquet"):
                from zoolens.catalog.formats.parquet_blocks import open_parquet, parquet_blocks

                with open_parquet(self.path) as file:
                    yield from parquet_blocks(self.path, file, columns, _ROWS)
            elif self._name.endswith(HDF5_SUFFIXES):
                yield from hdf5_blocks(self.path, columns, _ROWS)
            else:
                yield from fits_blocks(self.path, columns, _ROWS)

    def _open(self) -> pa.Schema:
        if is_text(self._name):
            return pa.schema([(name, pa.string()) for name in dialect_of(self.path).names])
        if self._name.endswith(".parquet"):
            from pyarrow import parquet

            from zoolens.catalog.formats.parquet_blocks import open_parquet

            open_parquet(self.path).close()  # which looks at what it declares
            return parquet.read_schema(self.path)
        if self._name.endswith(HDF5_SUFFIXES):
            return hdf5_schema(self.path)
        return fits_schema(self.path)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGED as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise TableRefused(
                f"{self.path} cannot be read as a table: {reason}; is it whole, and what its name "
                "says?"
            ) from None


def table_digest(path: Path) -> str:
    """SHA-256 of a table: of its file, of the names and contents of a folder's.

    That of an extract is its table's. Raises as `TableFile`, and `OSError`.
    """
    if not path.is_dir():
        return sha256_of(path)
    from zoolens.catalog.formats.extracts import is_extract, open_extract
    from zoolens.catalog.formats.folders import open_folder

    if is_extract(path):
        return open_extract(path).digest
    folder = open_folder(path)
    lines = (f"{file.relative_to(path)}\0{sha256_of(file)}\n" for file in folder.files)
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def numbers(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """A column as float64 (N,), and where it holds something that is not a number.

    NULL, empty text and words for missing (`catalog.formats.missing`) give NaN and False; text
    such as "many" gives NaN and True; "inf" is a number here, for the caller to judge.
    """
    if pa.types.is_large_string(column.type) or pa.types.is_string(column.type):
        text = pc.utf8_trim_whitespace(column)
        text = pc.if_else(pc.equal(text, ""), None, text)
        try:
            values = text.cast(pa.float64())
        except pa.ArrowInvalid:
            return _some_numbers(without_words(text))
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = column.cast(pa.float64(), safe=False)
    elif pa.types.is_decimal(column.type) or pa.types.is_null(column.type):
        values = column.cast(pa.float64())
    else:
        present = column.is_valid().to_numpy()
        return np.full(len(column), np.nan), present
    filled = values.to_numpy().astype(np.float64)
    return filled, np.zeros(len(filled), dtype=bool)


def check_identifiers_type(path: Path, schema: pa.Schema, column: str) -> None:
    """Raises `TableRefused` if a column, or one of several, is neither text nor whole numbers."""
    for part in column.split(","):
        _check_identifier_type(path, schema.field(part).type, part)


def _check_identifier_type(path: Path, kind: pa.DataType, column: str) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        raise through_floats(path, column)
    tests = ("string", "large_string", "string_view", "binary", "large_binary", "integer")
    if not any(getattr(pa.types, f"is_{test}")(kind) for test in tests):
        raise TableRefused(
            f"{path} stores {column} as {kind}; identifiers have to be text or integers"
        )


def _some_numbers(text: pa.ChunkedArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    bad = np.zeros(len(text), dtype=bool)
    try:
        return text.cast(pa.float64()).to_numpy().astype(np.float64), bad
    except pa.ArrowInvalid:
        pass  # one by one, to find which are none
    values = np.full(len(text), np.nan)
    for row, value in enumerate(text.to_pylist()):
        if value is not None:
            try:
                values[row] = float(value)
            except ValueError:
                bad[row] = True
    return values, bad
