"""Parquet tables that others made, a block of rows at a time, in bounded memory.

What a file declares is compared with the bounds before it is read. Text is read as a dictionary
of different values, and only repeated if the rows do not take too much then.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_BLOCK_BYTES, MOST_BYTES, MOST_ROWS
from zoolens.catalog.formats.parquet_footer import Group, row_groups
from zoolens.catalog.runtime.files import check_file

_ROWS = 32_768  # of a block
_TEXT = ("string", "large_string", "string_view")
_BYTES = ("binary", "large_binary", "binary_view")


def open_parquet(path: Path) -> parquet.ParquetFile:
    """A Parquet file whose text is read as dictionaries; close it after use.

    Raises `TableRefused` if it is no regular file or has too many rows, `OSError` or
    `pyarrow.ArrowException` if it is damaged.
    """
    check_file(path, "table", TableRefused)
    with parquet.ParquetFile(path) as file:
        rows, columns = file.metadata.num_rows, file.schema
        if rows > MOST_ROWS:
            raise TableRefused(
                f"{path} says that it has {rows:,} rows; a table may have {MOST_ROWS:,}: split it"
            )
        texts = [
            column.path
            for column in map(columns.column, range(len(columns)))
            if column.physical_type == "BYTE_ARRAY"
        ]
    return parquet.ParquetFile(path, read_dictionary=texts)


def parquet_blocks(
    path: Path,
    file: parquet.ParquetFile,
    columns: Sequence[str],
    rows: int,
    *,
    raw: Collection[str] = (),
) -> Iterator[pa.Table]:
    """Some columns of all rows, at most `rows` at a time; bytes become text unless `raw`.

    file: as `open_parquet` gives it. columns: `image.path` is a field of the column `image`.
    Raises `TableRefused` if a column holds neither numbers nor text nor lists of numbers, text
    is not UTF-8, or rows take too much memory.
    """
    for name in columns:
        kind = _field(file.schema_arrow, name).type
        if not _is_readable(kind):
            raise TableRefused(
                f"{path} stores {name} as {kind!s:.60}, which is neither numbers nor text"
            )
    check_declared(path, columns, MOST_BYTES)
    first = 1
    for groups in _runs(file, rows):
        for batch in file.iter_batches(rows, row_groups=groups, columns=[*columns]):
            if len(batch):
                found = [_plain(path, n, _values(batch, n), first, n in raw) for n in columns]
                yield pa.table(found, names=[*columns])
                first += len(batch)


def _runs(file: parquet.ParquetFile, rows: int) -> Iterator[list[int]]:
    """The numbers of row groups, of `rows` rows or more together: of one read Arrow keeps all."""
    run: list[int] = []
    held = 0
    for group in range(file.num_row_groups):
        run.append(group)
        held += file.metadata.row_group(group).num_rows
        if held >= rows:
            yield run
            run, held = [], 0
    if run:
        yield run


def parquet_whole(path: Path, columns: Sequence[str], *, raw: Collection[str] = ()) -> pa.Table:
    """All rows of some columns at once; see `parquet_blocks`.

    Raises as that does and as `open_parquet`, and if the rows take too much memory together.
    """
    with open_parquet(path) as file:
        empty = pa.table({name: pa.nulls(0) for name in columns})
        tables, size = [], 0
        for table in parquet_blocks(path, file, columns, _ROWS, raw=raw):
            tables.append(table)
            size += table.nbytes
            if size > MOST_BYTES:
                raise TableRefused(f"{path} takes more than {MOST_BYTES / 2**30:.0f} GiB at once")
    return pa.concat_tables(tables) if tables else empty


def check_declared(path: Path, columns: Sequence[str], most: int) -> list[Group]:
    """The row groups of a file.

    Raises `TableRefused` if `columns` say that they take more than `most` bytes in one of them,
    `OSError` if the footer is damaged.
    """
    groups = row_groups(path)
    for group in groups:
        size = sum(
            # flat columns have one value a row; numbers in lists take 8 bytes
            max(chunk.size, 8 * chunk.values if "." in chunk.path else 0)
            for chunk in group.chunks
            if chunk.path in columns or chunk.path.split(".")[0] in columns
        )
        if size > most:
            raise TableRefused(
                f"{path} has a row group of {size / 2**30:,.0f} GiB; up to {most / 2**30:.0f} "
                "are read: write smaller row groups"
            )
    return groups


def _field(schema: pa.Schema, name: str) -> pa.Field:
    if name in schema.names:
        return schema.field(name)
    place = name.split(".")
    field = schema.field(place[0])
    for part in place[1:]:
        field = field.type.field(part)
    return field


def _values(batch: pa.RecordBatch, name: str) -> pa.Array:
    if name in batch.schema.names:
        return batch.column(name)
    place = name.split(".")
    column = batch.column(place[0])
    for part in place[1:]:
        column = column.field(part)
    return column


def _plain(path: Path, name: str, column: pa.Array, first: int, raw: bool) -> pa.Array:
    """A column without dictionary; `first` is the number of its first row."""
    if pa.types.is_dictionary(column.type):
        values = column.dictionary
        if _is_any(values.type, _TEXT + _BYTES):
            lengths = pc.fill_null(pc.binary_length(values).take(column.indices), 0)
            if (pc.sum(lengths).as_py() or 0) > MOST_BLOCK_BYTES:
                row = int(np.argmax(lengths.to_numpy(zero_copy_only=False)))
                raise TableRefused(
                    f"{path}, row {first + row}, column {name}: {lengths[row].as_py():,} bytes "
                    "of text, as in many rows; no table of galaxies has such"
                )
        column = values.take(column.indices)
    if _is_any(column.type, _BYTES) and not raw:
        column = column.view(pa.large_string() if _is_large(column.type) else pa.string())
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise TableRefused(_no_text(path, name, column, first)) from None
    return column


def _no_text(path: Path, name: str, column: pa.Array, first: int) -> str:
    """What to say of a column that is not valid, naming its first such row."""
    for row in range(len(column)):
        try:
            column.slice(row, 1).validate(full=True)
        except pa.ArrowInvalid:
            where = f"{path}, row {first + row}, column {name}"
            return f"{where}: not UTF-8 text; save the table as UTF-8"
    return f"{path}, column {name}: damaged"


def _is_readable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _is_any(kind.value_type, ("integer", "floating", "decimal", "null", "boolean"))
    numbers = ("integer", "floating", "decimal", "null", "boolean")
    return _is_any(kind, numbers + _TEXT + _BYTES)


def _is_large(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_binary(kind))


def _is_any(kind: pa.DataType, tests: Sequence[str]) -> bool:
    return any(getattr(pa.types, f"is_{test}")(kind) for test in tests)
