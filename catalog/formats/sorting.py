"""The rows of a Parquet file in another order, without holding them all."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Places

_HELD_BYTES = 64 << 20  # of rows sorted at a time
_MOST_PARTS = 256  # each is an open file; beyond that number parts become larger


def rows_in_order(
    table: Path,
    order: Places,
    folder: Path,
    *,
    row_bytes: int | None = None,
    groups: range | None = None,
) -> Iterator[pa.Table]:
    """The rows of a Parquet file as parts, in the order `order` (N,) of their numbers.

    In one pass each row goes to the temporary file, in `folder`, of the part that it will
    be in; then each part is sorted by itself. The parts depend only on the input. row_bytes: of a
    row, where the columns do not tell, as of lists; groups: only those row groups, of N rows.
    """
    with pq.ParquetFile(table) as file, TemporaryDirectory(dir=folder) as scratch:
        part_rows = max(
            1, _HELD_BYTES // (row_bytes or _row_bytes(file)), -(-len(order) // _MOST_PARTS)
        )
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        paths = [Path(scratch, f"{start}.arrow") for start in range(0, len(order), part_rows)]
        _scatter(
            file, range(file.num_row_groups) if groups is None else groups, rank // part_rows, paths
        )
        for number, path in enumerate(paths):
            rows = order[number * part_rows : (number + 1) * part_rows]
            # a part holds its rows in file order: how many of them come before each
            place = np.empty(len(rows), np.int64)
            place[np.argsort(rows)] = np.arange(len(rows))
            with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as reader:
                yield reader.read_all().take(pa.array(place))
            path.unlink()


def _scatter(file: pq.ParquetFile, groups: range, part: Places, paths: list[Path]) -> None:
    """Write each row (N,) of row groups to the file that `part` (N,) says, in file order."""
    # no memory for compression: each of hundreds of writers would have its own
    writers = [pa.ipc.new_stream(str(path), file.schema_arrow) for path in paths]
    first = 0
    for group in groups:  # one by one: in one read Arrow keeps them all in memory
        for batch in file.iter_batches(row_groups=[group]):
            goes = part[first : first + len(batch)]
            first += len(batch)
            together = np.argsort(goes, kind="stable")
            ends = np.cumsum(np.bincount(goes, minlength=len(paths)))
            batch = batch.take(pa.array(together))
            for writer, start, end in zip(writers, [0, *ends[:-1]], ends, strict=True):
                if end > start:
                    writer.write_batch(batch.slice(start, end - start))
    for writer in writers:
        writer.close()


def _row_bytes(file: pq.ParquetFile) -> int:
    """Bytes of a row as Arrow holds it: fixed widths, and 32 for text."""
    return sum(_value_bytes(field.type) for field in file.schema_arrow)


def _value_bytes(kind: pa.DataType) -> int:
    try:
        return -(-int(kind.bit_width) // 8)
    except ValueError:
        return 32
