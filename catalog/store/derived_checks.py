"""Whether stored samples and maps agree with what was computed from them, for `verify`.

Blobs have no checksum. But means and statistics were computed from them, so a blob that has
changed no longer agrees with those.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from zoolens.catalog.store.matrices import floats
from zoolens.catalog.store.store import Store

_ROWS = 4096
_CLOSE = 1e-4  # relative to the larger value: sums of float32 in another order differ

_POSTERIORS = """SELECT b.samples, b.answers, b.concentrations, p.means
FROM posterior b JOIN (
    SELECT run_id, galaxy_id, list(concentration ORDER BY answer_id) AS means
    FROM prediction GROUP BY run_id, galaxy_id) p USING (run_id, galaxy_id)
WHERE octet_length(concentrations) = 4 * samples * answers"""
_MAPS = """SELECT m.answers, m.height * m.width AS pixels, m.mean, s.sums
FROM saliency_map m JOIN (
    SELECT s.run_id, s.galaxy_id, a.question_id,
        list(s.increase + s.decrease ORDER BY answer_id) AS sums
    FROM saliency_stat s JOIN answer a USING (answer_id)
    GROUP BY s.run_id, s.galaxy_id, a.question_id) s USING (run_id, galaxy_id, question_id)
WHERE octet_length(m.mean) = 4 * m.answers * m.height * m.width"""


def altered_posteriors(store: Store) -> int:
    """How many galaxies have samples whose means are not the stored concentrations."""
    return sum(
        not _agree(values.reshape(samples, answers).mean(axis=0), known)
        for samples, answers, values, known in _rows(store, _POSTERIORS, "concentrations", "means")
    )


def altered_maps(store: Store) -> int:
    """How many galaxies and questions have maps whose sums are not the stored ones."""
    return sum(
        not _agree(values.reshape(answers, pixels).sum(axis=1), known)
        for answers, pixels, values, known in _rows(store, _MAPS, "mean", "sums")
    )


def _rows(
    store: Store, sql: str, blob: str, known: str
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """The two sizes of each row, its blob as float64, and the values stored beside it."""
    for batch in store.batches(sql, [], _ROWS):
        rows = pa.Table.from_batches([batch])
        sizes = [rows.column(i).to_numpy() for i in (0, 1)]
        ends = np.cumsum(sizes[0] * sizes[1])
        parts = np.split(floats(rows[blob]).astype(np.float64), ends[:-1])
        stored = (np.array(one, np.float64) for one in rows[known].to_pylist())
        yield from zip(*(size.tolist() for size in sizes), parts, stored, strict=True)


def _agree(found: np.ndarray, known: np.ndarray) -> bool:
    """Whether values are the same, rounding apart, and missing in the same places."""
    return len(found) == len(known) and bool(
        np.allclose(found, known, rtol=_CLOSE, atol=_CLOSE * _largest(known), equal_nan=True)
    )


def _largest(values: np.ndarray) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0))
