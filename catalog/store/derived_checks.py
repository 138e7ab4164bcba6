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
# Runs of several models, and how many those are.
_ENSEMBLES = """SELECT run_id, json_array_length(config, '$.models') AS models FROM run
WHERE job = 'predict' AND models > 1"""
_SPREADS = """SELECT b.samples, b.answers, b.concentrations, p.spreads
FROM posterior b JOIN (
    SELECT galaxy_id, list(fraction_model_sd ORDER BY answer_id) AS spreads
    FROM prediction WHERE run_id = {run} GROUP BY galaxy_id) p USING (galaxy_id)
WHERE b.run_id = {run} AND octet_length(concentrations) = 4 * samples * answers"""
_MAPS = """SELECT m.answers, m.height * m.width AS pixels, m.mean, s.sums
FROM saliency_map m JOIN (
    SELECT s.run_id, s.galaxy_id, a.question_id,
        list(s.increase + s.decrease ORDER BY answer_id) AS sums
    FROM saliency_stat s JOIN answer a USING (answer_id) WHERE s.of = 'concentration'
    GROUP BY s.run_id, s.galaxy_id, a.question_id) s USING (run_id, galaxy_id, question_id)
WHERE octet_length(m.mean) = 4 * m.answers * m.height * m.width"""


def altered_posteriors(store: Store) -> int:
    """How many galaxies have samples whose means are not the stored concentrations."""
    return sum(
        not _agree(values.reshape(samples, answers).mean(axis=0), known)
        for samples, answers, values, known in _rows(store, _POSTERIORS, "concentrations", "means")
    )


def altered_spreads(store: Store) -> int:
    """How many galaxies have samples whose spread between models is not the stored one.

    That is the standard deviation (ddof 0) over models of the mean fraction of each one's samples,
    those of one model after those of another; of a single model there is none.
    """
    tree = store.tree_or_none
    if tree is None:
        return 0
    starts = [where.start for where in tree.slices]
    altered = 0
    for number, models in store.rows(_ENSEMBLES):
        sql = _SPREADS.format(run=number)
        for samples, answers, values, known in _rows(store, sql, "concentrations", "spreads"):
            if samples % models:
                altered += 1
                continue
            alpha = values.reshape(models, samples // models, answers)
            totals = np.add.reduceat(alpha, starts, axis=-1)[..., tree.question_of]
            found = (alpha / totals).mean(axis=1).std(axis=0)
            altered += not _agree(found, known)
    return altered


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
