"""One ranking of the galaxies of several catalogues, from files of what is known of each."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.store.store import Store

_ROWS = 122_880
_RANKS = pa.schema({"piece": pa.int32(), "galaxy_id": pa.int64(), "rank": pa.int64()})
_RANKED = """SELECT piece, galaxy_id FROM read_parquet(?) WHERE rank IS NOT NULL
ORDER BY worst_weighted_ce DESC, iauname"""


def rank_together(store: Store, facts: Sequence[Path], scratch: Path) -> None:
    """Replace ranks among the galaxies of each catalogue by those among all galaxies.

    facts: a Parquet file of each, in order of its numbers of galaxies, with the columns piece (its
    place among the files), galaxy_id, iauname, rank and worst_weighted_ce. store: any, whose
    connection sorts, on disk if the rows do not fit in memory; scratch: a folder for them. The
    order is that of `all_ranks`.
    """
    ranks = scratch / "ranks.parquet"
    first = 1
    with pq.ParquetWriter(ranks, _RANKS) as writer:
        for batch in store.batches(_RANKED, [[*map(str, facts)]], _ROWS):
            numbers = pa.array(np.arange(first, first + len(batch)))
            writer.write_batch(pa.record_batch([*batch.columns, numbers], schema=_RANKS))
            first += len(batch)
    sql = "SELECT rank FROM read_parquet(?) ORDER BY piece, galaxy_id"
    waiting = _Waiting(store.batches(sql, [str(ranks)], _ROWS))
    for file in facts:
        ranked = file.with_name(f"ranked-{file.name}")
        with pq.ParquetFile(file) as known, pq.ParquetWriter(ranked, known.schema_arrow) as writer:
            for group in range(known.num_row_groups):
                rows = known.read_row_group(group)
                writer.write_table(_with(rows, waiting), row_group_size=max(1, len(rows)))
        ranked.replace(file)
    ranks.unlink()


def worst_of(store: Store, facts: Sequence[Path], worst: int) -> pa.Table:
    """Columns piece, galaxy_id and answer_id of the `worst` galaxies, in order of their numbers.

    facts: as of `rank_together`, with the column answer_id.
    """
    return store.arrow(
        "SELECT piece, galaxy_id, answer_id FROM read_parquet(?) WHERE rank <= ? "
        "ORDER BY piece, galaxy_id",
        [[*map(str, facts)], worst],
    )


class _Waiting:
    """Numbers that arrive in batches, taken as many at a time as are wanted."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._left = np.empty(0, np.int64)

    def take(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        parts = [self._left]
        while sum(map(len, parts)) < count:
            parts.append(next(self._batches)["rank"].to_numpy())
        rest = np.concatenate(parts)
        self._left = rest[count:]
        taken: np.ndarray[tuple[int], np.dtype[np.int64]] = rest[:count]
        return taken


def _with(rows: pa.Table, ranks: _Waiting) -> pa.Table:
    """Rows with the next ranks where they have some."""
    there = rows["rank"].is_valid().to_numpy()
    values = np.zeros(len(rows), np.int64)
    values[there] = ranks.take(int(there.sum()))
    place = rows.schema.get_field_index("rank")
    return rows.set_column(place, rows.schema.field(place), pa.array(values, mask=~there))
