"""What is stored of samples and maps against what follows from them, for `verify`.

Blobs carry no checksum of their own; but means and statistics were computed from them, so
that a blob which is not what it was no longer agrees.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from zoolens.catalog.store.matrices import floats
from zoolens.catalog.store.store import Store

_ROWS = 4096
_CLOSE = 1e-4  # of the larger: sums of float32 in another order

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
    """Galaxies whose samples do not have the mean concentrations that are stored."""
    return sum(
        not _agree(values.reshape(samples, answers).mean(axis=0), known)
        for samples, answers, values, known in _rows(store, _POSTERIORS, "concentrations", "means")
    )


def altered_maps(store: Store) -> int:
    """Galaxies and questions whose maps do not have the sums that are stored."""
    return sum(
        not _agree(values.reshape(answers, pixels).sum(axis=1), known)
        for answers, pixels, values, known in _rows(store, _MAPS, "mean", "sums")
    )


def _rows(
    store: Store, sql: str, blob: str, known: str
) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
    """Of each row its two sizes, its blob as float64, and what is stored beside it."""
    for batch in store.batches(sql, [], _ROWS):
        rows = pa.Table.from_batches([batch])
        sizes = [rows.column(i).to_numpy() for i in (0, 1)]
        ends = np.cumsum(sizes[0] * sizes[1])
        parts = np.split(floats(rows[blob]).astype(np.float64), ends[:-1])
        stored = (np.array(one, np.float64) for one in rows[known].to_pylist())
        yield from zip(*(size.tolist() for size in sizes), parts, stored, strict=True)


def _agree(found: np.ndarray, known: np.ndarray) -> bool:
    """Whether values are the same but for rounding, and the same ones missing."""
    return len(found) == len(known) and bool(
        np.allclose(found, known, rtol=_CLOSE, atol=_CLOSE * _largest(known), equal_nan=True)
    )


def _largest(values: np.ndarray) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max(initial=0.0))
