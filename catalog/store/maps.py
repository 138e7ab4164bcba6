"""Stored saliency maps: which runs have maps of which galaxies, and their blobs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.shown import of_shown, valid
from zoolens.catalog.store.store import Run, Store

# The newest complete explain run by galaxy, of all and of those whose predictions show. Maps for
# comparison are of another job, `comparison`.
_EXPLAINED = f"""SELECT galaxy_id, max_by(run_id, asked_at) AS run_id
FROM {valid("saliency_map")} JOIN run USING (run_id)
WHERE job = 'explain' AND status = 'complete'"""
_SHOWN = f"{_EXPLAINED} AND {of_shown('explain')}"


def explanation_of(store: Store, galaxy_id: int) -> Run | None:
    """The newest complete run that explains the predictions that show and has a galaxy."""
    found = explanations(store, np.array([galaxy_id]))
    return found[0][0] if found else None


def newest_explanation(store: Store, galaxy_id: int) -> Run:
    """As `explanation_of`; if no run has the galaxy, the explain run that shows.

    Raises `CatalogError` if none shows.
    """
    return explanation_of(store, galaxy_id) or store.run(store.newest_run("explain"))


def explanations(store: Store, galaxy_id: Ids) -> list[tuple[Run, Ids]]:
    """For each galaxy (N,), ascending, what `explanation_of` gives, where it gives a run.

    One pair per run: the run and its galaxies, ascending.
    """
    rows = read_rows(store, f"{_SHOWN} GROUP BY galaxy_id", galaxy_id)
    runs, ids = rows["run_id"].to_numpy(), rows["galaxy_id"].to_numpy()
    numbers = np.unique(runs).tolist()
    return [(store.run(number), np.sort(ids[runs == number])) for number in numbers]


def explanations_of(store: Store, galaxy_id: Iterable[int], predict_run: int) -> dict[int, Run]:
    """The newest complete run by galaxy that explains the predictions of a run."""
    wanted = ", ".join(map(str, galaxy_id)) or "NULL"
    found = store.rows(
        f"{_EXPLAINED} AND CAST(json_extract(config, '$.predict_run') AS INTEGER) = ? "
        f"AND galaxy_id IN ({wanted}) GROUP BY galaxy_id ORDER BY galaxy_id",
        [predict_run],
    )
    runs = {run_id: store.run(run_id) for run_id in {run_id for _, run_id in found}}
    return {number: runs[run_id] for number, run_id in found}


# $1 the run of maps, $2 that of the estimates, $3 their names in order
_ESTIMATED = """SELECT e.galaxy_id, e.name, e.value, e.value_sd AS sd, e.value_lo AS lo,
    e.value_hi AS hi, m.height, m.width, m.dtype, m.mean, m.sd AS map_sd
FROM {estimate} e JOIN {maps} m ON m.run_id = $1 AND m.galaxy_id = e.galaxy_id AND m.name = e.name
WHERE e.run_id = $2 AND e.galaxy_id IN ({wanted})
ORDER BY e.galaxy_id, list_position($3, e.name)"""


def estimates_with_maps(
    store: Store, run: Run, galaxy_id: Iterable[int]
) -> dict[int, list[dict[str, Any]]]:
    """What is estimated of galaxies, with the maps of a run, in the order of the model's outputs.

    Of each galaxy that has them: name, value, sd, lo, hi; height, width and dtype of the blobs mean
    and map_sd (`catalog.saliency.arithmetic.decode`).
    """
    estimates = store.run(int(run.config["estimate_run"]))
    wanted = ", ".join(map(str, galaxy_id)) or "NULL"
    sql = _ESTIMATED.format(estimate=valid("estimate"), maps=valid("estimate_map"), wanted=wanted)
    found: dict[int, list[dict[str, Any]]] = {}
    parameters = [run.run_id, estimates.run_id, list(estimates.config["names"])]
    for row in store.arrow(sql, parameters).to_pylist():
        found.setdefault(row.pop("galaxy_id"), []).append(row)
    return found


def has_maps(store: Store, run: Run, galaxy_id: int) -> bool:
    """Whether a run has maps of a galaxy."""
    sql = f"SELECT 1 FROM {valid('saliency_map')} WHERE run_id = ? AND galaxy_id = ? LIMIT 1"
    return store.value(sql, [run.run_id, galaxy_id]) is not None


def stored_map(
    store: Store, run: Run, galaxy_id: int, question_id: int, *, sd: bool = False
) -> dict[str, Any] | None:
    """A galaxy's maps of the answers to a question: blob, answers, height, width, dtype.

    As `catalog.saliency.arithmetic.decode` takes them; sd: their standard deviations
    instead. None where the run has none.
    """
    blobs = question_blobs(store, run, np.array([galaxy_id]), [question_id], sd=sd)
    return next((blob for _, _, blob in blobs), None)


def question_blobs(
    store: Store, run: Run, galaxy_id: Ids, question_id: Sequence[int], *, sd: bool = False
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Galaxy, question, and what `stored_map` gives, of galaxies (N,), ascending."""
    sql = (
        "SELECT galaxy_id, question_id, answers, height, width, dtype, "
        f"{'sd' if sd else 'mean'} AS blob FROM {valid('saliency_map')} "
        f"WHERE run_id = ? AND question_id IN ({', '.join(map(str, question_id)) or 'NULL'})"
    )
    for batch in read_rows(store, sql, galaxy_id, run.run_id).to_batches():
        for row in batch.to_pylist():
            yield row.pop("galaxy_id"), row.pop("question_id"), row


def read_maps(store: Store, explain_run: int, galaxy_id: Ids) -> pa.Table:
    """All maps that a run has of the galaxies (N,), in order of galaxy and question.

    Columns galaxy_id, question_id, height, width, mean, sd.
    """
    sql = f"""SELECT galaxy_id, question_id, height, width, mean, sd
FROM {valid("saliency_map")} WHERE run_id = ?"""
    rows = read_rows(store, sql, galaxy_id, explain_run)
    return rows.sort_by([("galaxy_id", "ascending"), ("question_id", "ascending")])


def runs_with_maps(store: Store, galaxy_id: int) -> list[Run]:
    """The complete runs that have maps of a galaxy, the newest first; those for comparison too."""
    sql = f"""SELECT run_id FROM run SEMI JOIN
(SELECT run_id FROM {valid("saliency_map")} WHERE galaxy_id = ?) USING (run_id)
WHERE status = 'complete' AND job IN ('explain', 'comparison') ORDER BY asked_at DESC"""
    return [store.run(run_id) for (run_id,) in store.rows(sql, [galaxy_id])]
