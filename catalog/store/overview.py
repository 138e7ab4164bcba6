"""What a catalogue, or a survey, holds on the whole: for a page that has to know before it asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoolens.catalog.store.views import VIEWS

Ask = Callable[[str], Sequence[tuple[Any, ...]]]  # the rows of a query

_COUNTS = "SELECT count(*), count(CASE WHEN dec IS NOT NULL THEN ra END), count(image) FROM galaxies"
_TREE = "SELECT question, answer, label, asked_after FROM answers ORDER BY answer_id"
# By job the run that ended last; of `explain` that of each method.
_RUNS = """SELECT job, json_extract_string(config, '$.method') AS method,
    max_by(run_id, finished_at) AS run, max(finished_at) AS ended
FROM runs WHERE status = 'complete' GROUP BY job, method ORDER BY ended, job, method"""
# Views whose rows are there where another's are, which is quicker to look at.
_LIKE = {"worst": "losses"}
# The names of all views, for whatever opens only those that a query names.
EVERY = " ".join(view.name for view in VIEWS)


@dataclass(frozen=True)
class MadeBy:
    """A complete run of a job; method: of explain, None of others; ended: UTC, ISO 8601."""

    job: str
    method: str | None
    run: int
    ended: str | None


@dataclass(frozen=True)
class Overview:
    """Numbers of galaxies, with positions, with images; the tree; the runs; views with rows.

    tree: question, answer, label and the labels that lead to the question, of each answer.
    """

    galaxies: int
    positions: int
    images: int
    tree: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    runs: tuple[MadeBy, ...]
    filled: frozenset[str]


def overview(ask: Ask) -> Overview:
    """What a catalogue holds, by its views."""
    ((galaxies, positions, images),) = ask(_COUNTS)
    there = {
        view.name: bool(ask(f"SELECT 1 FROM {view.name} LIMIT 1"))
        for view in VIEWS
        if view.name not in _LIKE
    }
    return Overview(
        galaxies,
        positions,
        images,
        tuple(
            (question, answer, label, tuple(filter(None, (after or "").split(","))))
            for question, answer, label, after in ask(_TREE)
        ),
        tuple(
            MadeBy(job, method, run, None if ended is None else ended.isoformat())
            for job, method, run, ended in ask(_RUNS)
        ),
        frozenset(view.name for view in VIEWS if there[_LIKE.get(view.name, view.name)]),
    )
