"""Table files that astronomers publish: CSV, gzipped CSV, Parquet, FITS.

CSV is read as text, column by column, and converted to numbers on request: nothing
is guessed, so an identifier keeps its leading zeros, and one odd value affects one row, not
its column.
"""

import io
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.csv import csv_blocks, csv_header, opened
from zoolens.catalog.formats.identifiers import through_floats

_ROWS = 32_768  # of a block
_DAMAGED = (pa.ArrowException, OSError, EOFError, ValueError, TypeError, zlib.error)

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".fits", ".fits.gz", ".fit")


class TableFile:
    """A table file, read in blocks of rows so that its size does not matter.

    schema: its columns. CSV: all are text, an empty field NULL. Parquet: types as
    stored. FITS (the first table of the file, which is held whole): types as stored, text
    stripped, masked values NULL, vectors as lists; what Arrow cannot hold has the
    type null. Raises `TableRefused` if the file is absent, of another kind by its name,
    damaged, or gives two columns one name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = path.name.lower()
        self._stored: dict[str, str] = {}
        if not self._name.endswith(SUFFIXES):
            raise TableRefused(f"{path} is not named as one of {', '.join(SUFFIXES)}")
        if not path.is_file():
            raise TableRefused(f"no table at {path}")
        with self._refusing():
            self.schema = self._open()
        twice = [name for name, count in Counter(self.schema.names).items() if count > 1]
        if twice:
            raise TableRefused(f"{path} has two columns named {twice[0]!r}; rename one")

    def rename(self, names: Mapping[str, str]) -> None:
        """Call columns of the file otherwise from here on: `names` by the file's own."""
        self._stored = {new: old for old, new in names.items()}
        self.schema = pa.schema(
            [field.with_name(names.get(field.name, field.name)) for field in self.schema]
        )

    def blocks(
        self, columns: Sequence[str], misshapen: dict[int, str]
    ) -> Iterator[tuple[npt.NDArray[np.int64], pa.Table]]:
        """The rows, in file order, of some columns, thousands at a time, with their numbers.

        The first data row has the number 1. A row of a CSV file with more or fewer fields
        than the header is left out, and described in `misshapen` by its number. Raises
        `TableRefused` if the file is damaged, or most rows are misshapen.
        """
        first = 1
        stored = [self._stored.get(name, name) for name in columns]
        for found in self._tables(stored, misshapen):
            table = found.select(stored).rename_columns([*columns])
            # what is left out is described before the rows after it come
            every = np.arange(first, first + len(table) + len(misshapen))
            rows = every[~np.isin(every, list(misshapen))][: len(table)]
            yield rows, table
            first = int(rows[-1]) + 1

    def _tables(self, columns: Sequence[str], misshapen: dict[int, str]) -> Iterator[pa.Table]:
        with self._refusing():
            if self._name.endswith((".csv", ".csv.gz")):
                yield from csv_blocks(self.path, columns, misshapen)
            elif self._name.endswith(".parquet"):
                from pyarrow import parquet

                with parquet.ParquetFile(self.path) as file:
                    for batch in file.iter_batches(_ROWS, columns=[*columns]):
                        if len(batch):
                            yield pa.Table.from_batches([batch])
            else:
                table = self._fits.select([*columns])
                for start in range(0, len(table), _ROWS):
                    yield table.slice(start, _ROWS)

    def _open(self) -> pa.Schema:
        if self._name.endswith((".csv", ".csv.gz")):
            return pa.schema([(name, pa.string()) for name in csv_header(self.path)])
        if self._name.endswith(".parquet"):
            from pyarrow import parquet

            return parquet.read_schema(self.path)
        self._fits = _read_fits(self.path)
        return self._fits.schema

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


def numbers(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """A column as float64 (N,), and where it holds something that is not a number.

    NULL and empty text give NaN and False; text such as "many" gives NaN and True;
    "nan" and "inf" are numbers here, for the caller to judge.
    """
    if pa.types.is_large_string(column.type) or pa.types.is_string(column.type):
        text = pc.utf8_trim_whitespace(column)
        text = pc.if_else(pc.equal(text, ""), None, text)
        try:
            values = text.cast(pa.float64())
        except pa.ArrowInvalid:
            return _some_numbers(text.to_pylist())
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = column.cast(pa.float64(), safe=False)
    elif pa.types.is_decimal(column.type) or pa.types.is_null(column.type):
        values = column.cast(pa.float64())
    else:
        present = column.is_valid().to_numpy()
        return np.full(len(column), np.nan), present
    filled = values.to_numpy().astype(np.float64)
    return filled, np.zeros(len(filled), dtype=bool)


def texts(column: pa.ChunkedArray) -> list[str | None]:
    """A column of identifiers or paths as text, stripped; NULL or empty gives None."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = column.cast(pa.large_string())
    return [None if value is None else (str(value).strip() or None) for value in column.to_pylist()]


def check_identifiers_type(path: Path, schema: pa.Schema, column: str) -> None:
    """Raises `TableRefused` if a column is neither text nor whole numbers."""
    kind = schema.field(column).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        raise through_floats(path, column)
    tests = ("string", "large_string", "string_view", "binary", "large_binary", "integer")
    if not any(getattr(pa.types, f"is_{test}")(kind) for test in tests):
        raise TableRefused(
            f"{path} stores {column} as {kind}; identifiers have to be text or integers"
        )


def _some_numbers(
    values: list[str | None],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    numbers_ = np.full(len(values), np.nan)
    bad = np.zeros(len(values), dtype=bool)
    for row, value in enumerate(values):
        if value is not None:
            try:
                numbers_[row] = float(value)
            except ValueError:
                bad[row] = True
    return numbers_, bad


def _read_fits(path: Path) -> pa.Table:
    from astropy.io import fits
    from astropy.table import Table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about units and the like, which are not read
        warnings.filterwarnings("error", message=".*(?i:truncated)")
        try:
            with opened(path) as file:
                data = io.BytesIO(file.read())  # so that a gzip cut short is seen
            with fits.open(data, memmap=False) as content:
                kinds = fits.BinTableHDU | fits.TableHDU
                found = [unit for unit in content if isinstance(unit, kinds)]
                table = Table.read(found[0]) if found else None
        except Exception as error:  # astropy on hostile bytes raises whatever it trips on
            raise OSError(str(error) or type(error).__name__) from None
    if table is None:
        raise TableRefused(f"{path} holds no table, only images")
    return pa.table({name: _fits_column(table[name]) for name in table.colnames})


def _fits_column(column: Any) -> pa.Array:
    try:
        return _fits_values(column)
    except (pa.ArrowException, UnicodeDecodeError):
        return pa.nulls(len(column))  # complex numbers, or text that cannot be decoded


def _fits_values(column: Any) -> pa.Array:
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
