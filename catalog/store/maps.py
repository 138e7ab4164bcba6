"""Stored saliency maps: of which runs and galaxies there are some, and their blobs."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.views import newest

# Complete runs that explain what the views show, and not maps for comparison.
_EXPLAINED = """SELECT galaxy_id, max_by(run_id, asked_at) AS run_id
FROM saliency_map JOIN run USING (run_id) WHERE job = 'explain' AND status = 'complete'"""


def newest_explanation(store: Store, galaxy_id: int) -> Run:
    """The newest complete explain run that has a galaxy; without one, the newest of all.

    Raises `CatalogError` if no explain run is complete.
    """
    found = store.rows(f"{_EXPLAINED} AND galaxy_id = ? GROUP BY galaxy_id", [galaxy_id])
    return store.run(found[0][1] if found else store.newest_run("explain"))


def newest_explanations(store: Store, galaxy_id: Ids) -> list[tuple[Run, Ids]]:
    """The newest complete explain runs of galaxies (N,), ascending, and which each is that of.

    Galaxies that no such run has are left out.
    """
    rows = read_rows(store, f"{_EXPLAINED} GROUP BY galaxy_id", galaxy_id)
    ids, runs = rows["galaxy_id"].to_numpy(), rows["run_id"].to_numpy()
    return [
        (store.run(number), np.sort(ids[runs == number])) for number in np.unique(runs).tolist()
    ]


def explained_view(store: Store, galaxy_id: int) -> dict[str, Any] | None:
    """How the model saw a galaxy: the view of its newest explanation, else of the predictions.

    The configuration of a `catalog.images.view.View`; None where no run has one.
    """
    found = store.rows(f"{_EXPLAINED} AND galaxy_id = ? GROUP BY galaxy_id", [galaxy_id])
    for run_id in (*(row[1] for row in found), store.value(newest("predict"))):
        if run_id is not None and "view" in (config := store.run(run_id).config):
            view: dict[str, Any] = config["view"]
            return view
    return None


def explanations_of(store: Store, galaxy_id: Iterable[int], predict_run: int) -> dict[int, Run]:
    """Of each galaxy the newest complete run that explains the predictions of a run."""
    wanted = ", ".join(map(str, galaxy_id)) or "NULL"
    found = store.rows(
        f"{_EXPLAINED} AND CAST(json_extract(config, '$.predict_run') AS INTEGER) = ? "
        f"AND galaxy_id IN ({wanted}) GROUP BY galaxy_id ORDER BY galaxy_id",
        [predict_run],
    )
    runs = {run_id: store.run(run_id) for run_id in {run_id for _, run_id in found}}
    return {number: runs[run_id] for number, run_id in found}


def has_maps(store: Store, run: Run, galaxy_id: int) -> bool:
    """Whether a run has maps of a galaxy."""
    sql = "SELECT 1 FROM saliency_map WHERE run_id = ? AND galaxy_id = ? LIMIT 1"
    return store.value(sql, [run.run_id, galaxy_id]) is not None


def stored_map(
    store: Store, run: Run, galaxy_id: int, question_id: int, *, sd: bool = False
) -> dict[str, Any] | None:
    """A galaxy's maps of the answers to a question: blob, answers, height, width, dtype.

    As `catalog.saliency.arithmetic.decode` takes them; sd: their standard deviations
    instead. None where the run has none.
    """
    rows = store.arrow(
        f"SELECT answers, height, width, dtype, {'sd' if sd else 'mean'} AS blob "
        "FROM saliency_map WHERE run_id = ? AND galaxy_id = ? AND question_id = ?",
        [run.run_id, galaxy_id, question_id],
    ).to_pylist()
    return rows[0] if rows else None


def maps_of_questions(
    store: Store, run: Run, galaxy_id: Ids, questions: Collection[int], *, sd: bool = False
) -> pa.Table:
    """The maps that a run has of galaxies (N,), ascending, for some questions, in any order.

    Columns galaxy_id, question_id, and those of `stored_map`.
    """
    sql = f"""SELECT galaxy_id, question_id, answers, height, width, dtype,
    {"sd" if sd else "mean"} AS blob FROM saliency_map
WHERE run_id = ? AND question_id IN ({", ".join(map(str, questions)) or "NULL"})"""
    return read_rows(store, sql, galaxy_id, run.run_id)


def read_maps(store: Store, explain_run: int, galaxy_id: Ids) -> pa.Table:
    """All maps that a run has of the galaxies (N,), in order of galaxy and question.

    Columns galaxy_id, question_id, height, width, mean, sd.
    """
    sql = """SELECT galaxy_id, question_id, height, width, mean, sd
FROM saliency_map WHERE run_id = ?"""
    rows = read_rows(store, sql, galaxy_id, explain_run)
    return rows.sort_by([("galaxy_id", "ascending"), ("question_id", "ascending")])
