"""Rows of one length from Arrow batches: what a FITS table and a VOTable are made of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Flags

Encode = Callable[[pa.Array], pa.Array]  # text to binary, NULL stays NULL

_BLOCK_BYTES = 8 << 20  # of records at a time: more would exceed the cache and be slower


@dataclass
class Extent:
    """The range of the values of one column of a file.

    nulls: how many are NULL; ascii: whether all text is; width: the bytes of the longest
    text, as encoded; least, most: of integers, 0 where there are none.
    """

    nulls: int = 0
    ascii: bool = True
    width: int = 0
    least: int = 0
    most: int = 0


def extents(table: Path, encode: Encode, only: Sequence[str] | None = None) -> list[Extent]:
    """The extent of each column of a Parquet file; text and integers are read for it.

    only: the names of the columns to look at, all if None.
    """
    with pq.ParquetFile(table) as file:
        schema = file.schema_arrow
        found = [Extent() for _ in schema]
        wanted = [
            i
            for i, field in enumerate(schema)
            if (_is_text(field) or _is_integer(field)) and (only is None or field.name in only)
        ]
        names = [schema.names[i] for i in wanted]
        for batch in _batches(file, 65_536, names):
            for i, column in zip(wanted, batch.columns, strict=True):
                _widen(found[i], column, encode)
    return found


def blocks(table: Path, row_bytes: int) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file, in order, a few megabytes of records at a time."""
    with pq.ParquetFile(table) as file:
        yield from _batches(file, max(1, _BLOCK_BYTES // row_bytes))


def padded(binary: pa.Array, width: int) -> npt.NDArray[np.uint8]:
    """Binary values (N,) as bytes (N, width), zeros after their end; NULL is all zeros."""
    binary = binary.cast(pa.large_binary()).fill_null(b"")
    _, offsets, data = binary.buffers()
    ends = np.frombuffer(offsets, np.int64)[binary.offset : binary.offset + len(binary) + 1]
    rows = np.zeros((len(binary), width), np.uint8)
    if data is not None:
        within = np.arange(width) < np.diff(ends)[:, None]
        rows[within] = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    return rows


def plain_values(column: pa.Array, null: int = 0) -> npt.NDArray[np.generic]:
    """Numbers or booleans (N,); NULL is NaN, False, or `null` where the numbers are integers."""
    if pa.types.is_integer(column.type):
        column = column.fill_null(pa.scalar(null, column.type))
    elif pa.types.is_boolean(column.type):
        column = column.fill_null(False)
    values: npt.NDArray[np.generic] = column.to_numpy(zero_copy_only=False)
    return values


def is_null(column: pa.Array) -> Flags:
    """Which values are NULL, (N,); NaN is not."""
    flags: Flags = column.is_null().to_numpy(zero_copy_only=False)
    return flags


def encoded_each(text: pa.Array, encode: Callable[[str], bytes]) -> pa.Array:
    """Text encoded value by value: slow, so only for text that needs it."""
    cells = text.to_pylist()
    return pa.array([None if cell is None else encode(cell) for cell in cells], pa.large_binary())


def record_type(kinds: Sequence[str]) -> np.dtype[np.void]:
    """A NumPy record with one field for each kind, such as >f8 or S20, without gaps."""
    return np.dtype([(f"f{i}", kind) for i, kind in enumerate(kinds)])


def _batches(
    file: pq.ParquetFile, rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of at most `rows`; one row group at a time, or Arrow holds on to them all."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(rows, row_groups=[group], columns=columns)


def _widen(extent: Extent, column: pa.Array, encode: Encode) -> None:
    extent.nulls += column.null_count
    if column.null_count == len(column):
        return
    if pa.types.is_integer(column.type):
        reach = pc.min_max(column).as_py()
        extent.least = min(extent.least, reach["min"])
        extent.most = max(extent.most, reach["max"])
        return
    extent.ascii &= pc.all(pc.string_is_ascii(column)).as_py()
    extent.width = max(extent.width, pc.max(pc.binary_length(encode(column))).as_py())


def _is_text(field: pa.Field) -> bool:
    return bool(pa.types.is_string(field.type) or pa.types.is_large_string(field.type))


def _is_integer(field: pa.Field) -> bool:
    return bool(pa.types.is_integer(field.type))
