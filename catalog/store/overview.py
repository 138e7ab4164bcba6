"""What a catalogue holds on the whole: for a page that has to know before it asks.

It is read of the tables, not of the views, whose joins take memory before their first row.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from zoolens.catalog.store.shown import shown
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import VIEWS

_COUNTS = """SELECT count(*), count(CASE WHEN dec IS NOT NULL THEN ra END)
FROM galaxy SEMI JOIN (SELECT run_id FROM run WHERE status = 'complete') USING (run_id)"""
_TREE = "SELECT question, answer, label, asked_after FROM answers ORDER BY answer_id"
# By job the run that ended last; of `explain` that of each method.
_RUNS = """SELECT job, json_extract_string(config, '$.method') AS method,
    max_by(run_id, finished_at) AS run, max(finished_at) AS ended
FROM run WHERE status = 'complete' GROUP BY job, method ORDER BY ended, job, method"""
# The table that has a row where a view has one.
_TABLES = {
    "galaxies": "galaxy",
    "answers": "answer",
    "votes": "vote",
    "predictions": "prediction",
    "question_predictions": "question_prediction",
    "losses": "loss",
    "worst": "galaxy_loss",
    "question_losses": "question_loss",
    "saliency": "saliency_map",
    "saliency_stats": "saliency_stat",
    "own": "own_row",
    "estimates": "estimate",
    "estimate_maps": "estimate_map",
    "evaluations": "evaluation",
    "rejects": "reject",
    "runs": "run",
}
_MADE_BY = {view.name: view.job for view in VIEWS} | {"worst": "score"}
JOBS = sorted({view.job for view in VIEWS if view.job})  # whose rows the views show


@dataclass(frozen=True)
class MadeBy:
    """A complete run of a job; method: of explain, None of others; ended: UTC, ISO 8601."""

    job: str
    method: str | None
    run: int
    ended: str | None


@dataclass(frozen=True)
class Overview:
    """How many galaxies, how many with positions; whether with images; tree, runs, views with rows.

    tree: question, answer, label and the labels that lead to the question, of each answer.
    """

    galaxies: int
    positions: int
    images: bool
    tree: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    runs: tuple[MadeBy, ...]
    filled: frozenset[str]


def overview(store: Store) -> Overview:
    """What a catalogue holds."""
    ((galaxies, positions),) = store.rows(_COUNTS)
    return Overview(
        galaxies,
        positions,
        _has_rows(store, "image"),
        tuple(
            (question, answer, label, tuple(filter(None, (after or "").split(","))))
            for question, answer, label, after in store.rows(_TREE)
        ),
        tuple(
            MadeBy(job, method, run, None if ended is None else ended.isoformat())
            for job, method, run, ended in store.rows(_RUNS)
        ),
        frozenset(
            view for view, table in _TABLES.items() if _has_rows(store, table, _MADE_BY[view])
        ),
    )


def _has_rows(store: Store, table: str, job: str | None = None) -> bool:
    """Whether a table has rows; job: of the run of it that shows."""
    if job is None:
        return bool(store.rows(f"SELECT 1 FROM {table} LIMIT 1"))
    run = store.value(shown(job))
    sql = f"SELECT 1 FROM {table} WHERE run_id = ? LIMIT 1"
    return run is not None and bool(store.rows(sql, [run]))


def together(pieces: Iterable[Overview]) -> Overview:
    """What the pieces of a survey hold, of which each has runs of its own numbers."""
    held = list(pieces)
    made = {(one.job, one.method): one for piece in held for one in piece.runs}
    return Overview(
        sum(one.galaxies for one in held),
        sum(one.positions for one in held),
        any(one.images for one in held),
        next((one.tree for one in held if one.tree), ()),
        tuple(made.values()),
        frozenset().union(*(one.filled for one in held)),
    )
