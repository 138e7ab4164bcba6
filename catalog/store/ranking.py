"""The ranking: galaxies by the answer on which volunteers and model disagree most."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import newest

MEASURES = ("weighted_ce", "ce", "reach_weighted_ce")


def rank_galaxies(
    store: Store,
    limit: int,
    *,
    min_votes: float = 0,
    label: str | None = None,
    question: str | None = None,
    by: str = "weighted_ce",
) -> pa.Table:
    """The `limit` worst galaxies of the newest score run, one row each, worst first.

    A galaxy ranks by its largest value of `by`, over all answers or those of `label` or
    `question`. Answers to questions that fewer than `min_votes` volunteers were asked
    do not count. Among equals the first answer in the tree counts; galaxies go by name.
    Columns rank, galaxy_id, iauname, answer_id, label, votes, observed, predicted, ce,
    weighted_ce, and `by`. Raises `CatalogError` for a bad choice, `UnknownName` for an
    unknown one.
    """
    if limit < 1 or not min_votes >= 0:  # so NaN too
        raise CatalogError("the limit must be 1 or more, and the fewest votes 0 or more")
    if by not in MEASURES:
        raise CatalogError(f"no ranking by {by!r}; choose one of {', '.join(MEASURES)}")
    tree, run_id = store.tree, store.newest_run("score")
    chosen = _chosen(tree, label, question)
    shown = ["answer_id", "total_votes", "observed", "predicted", "ce", "weighted_ce"]
    shown += [by] if by not in shown else []
    asked = [run_id, float(min_votes)]
    if by == "weighted_ce" and len(chosen) == len(tree.labels):
        rows, least = _from_galaxies(store, asked, limit, shown)
    else:
        rows, least = _from_answers(store, asked, limit, shown, by, chosen)
    columns = ", ".join(f"w.{name}" for name in shown[2:])
    return store.arrow(
        f"""SELECT row_number() OVER (ORDER BY w.{by} DESC, g.iauname) AS rank, w.galaxy_id,
    g.iauname, w.answer_id, a.label, w.total_votes AS votes, {columns}
FROM ({rows}) w JOIN galaxy g ON g.galaxy_id = w.galaxy_id
JOIN answer a ON a.answer_id = w.answer_id ORDER BY rank LIMIT {limit}""",
        [*asked, least],
    )


def costliest_answer(store: Store, galaxy_id: int, min_votes: float = 0) -> int | None:
    """The answer with a galaxy's largest weighted_ce in the newest score run, or None.

    Only answers to questions that `min_votes` volunteers were asked; of equals the first.
    """
    answer: int | None = store.value(
        """SELECT answer_id FROM loss WHERE run_id = ? AND galaxy_id = ?
AND weighted_ce IS NOT NULL AND total_votes >= ? ORDER BY weighted_ce DESC, answer_id LIMIT 1""",
        [store.newest_run("score"), galaxy_id, min_votes],
    )
    return answer


def costliest_answers(
    store: Store, galaxy_id: Sequence[int], min_votes: float = 0
) -> dict[int, int]:
    """`costliest_answer` by galaxy, for those that have one; empty if nothing is scored."""
    sql = f"SELECT galaxy_id, answer_id FROM galaxy_loss WHERE run_id = ({newest('score')})"
    if min_votes > 0:
        among = f"run_id = ({newest('score')}) AND total_votes >= {float(min_votes)}"
        sql = f"""SELECT galaxy_id, max_by(answer_id, (weighted_ce, -answer_id)) AS answer_id
    FROM loss WHERE {among} AND weighted_ce IS NOT NULL GROUP BY galaxy_id"""
    rows = read_rows(store, sql, np.unique(np.array(galaxy_id, np.int64)))
    return dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def all_ranks(store: Store, *, min_votes: float = 0) -> tuple[str, list[float]]:
    """A query, and its parameters, for the rank of every galaxy that has one.

    As `rank_galaxies` by weighted_ce, for any number of galaxies: columns galaxy_id,
    rank, answer_id, ce, weighted_ce.
    """
    asked = [store.newest_run("score"), float(min_votes)]
    shown = ("answer_id", "ce", "weighted_ce")
    rows = f"SELECT galaxy_id, {', '.join(shown)} FROM galaxy_loss WHERE {_ASKED}"
    if min_votes > 0:
        rows, asked = _worst_rows(shown, "weighted_ce", _ASKED), [*asked, -math.inf]
    return (
        f"""SELECT w.*, row_number() OVER (ORDER BY w.weighted_ce DESC, g.iauname) AS rank
FROM ({rows}) w JOIN galaxy g ON g.galaxy_id = w.galaxy_id""",
        asked,
    )


# Parameters of all queries: $1 the run, $2 the fewest votes, $3 the least loss that can rank.
_ASKED = "run_id = $1 AND total_votes >= $2"


def _from_galaxies(
    store: Store, asked: Sequence[float], limit: int, shown: Sequence[str]
) -> tuple[str, float]:
    """Query for the galaxies that can rank, from what is stored of each galaxy.

    If too few volunteers were asked about a galaxy's worst answer, the galaxy ranks by another
    answer, whose loss is no larger. So its other losses are looked up only if its largest
    loss is among the worst.
    """
    least = _least(store, "weighted_ce", f"galaxy_loss WHERE {_ASKED}", asked, limit)
    doubtful = store.arrow(
        "SELECT galaxy_id FROM galaxy_loss "
        "WHERE run_id = $1 AND total_votes < $2 AND weighted_ce >= $3",
        [*asked, least],
    )["galaxy_id"].to_pylist()
    rows = (
        f"SELECT galaxy_id, {', '.join(shown)} FROM galaxy_loss "
        f"WHERE {_ASKED} AND weighted_ce >= $3"
    )
    if doubtful:
        among = f"{_ASKED} AND galaxy_id IN ({', '.join(map(str, doubtful))})"
        rows += f" UNION ALL {_worst_rows(shown, 'weighted_ce', among)}"
    return rows, least


def _from_answers(
    store: Store,
    asked: Sequence[float],
    limit: int,
    shown: Sequence[str],
    by: str,
    chosen: Sequence[int],
) -> tuple[str, float]:
    """Query for the galaxies that can rank, from all losses of the chosen answers.

    A galaxy has at most one row per answer, so the worst `limit` galaxies have a row among
    the worst `limit` times as many as there are answers. One pass over one column finds the
    least of those; smaller losses need not be compared.
    """
    among = f"{_ASKED} AND answer_id IN ({', '.join(map(str, chosen))})"
    least = _least(store, by, f"loss WHERE {among}", asked, limit * len(chosen))
    return _worst_rows(shown, by, among), least


def _least(store: Store, by: str, some: str, asked: Sequence[float], rows: int) -> float:
    """The smallest of the `rows` largest values; minus infinity if there are fewer."""
    found = store.arrow(
        f"SELECT {by} FROM {some} AND {by} IS NOT NULL ORDER BY {by} DESC LIMIT {rows}", asked
    )[by]
    return found[-1].as_py() if len(found) == rows else -math.inf


def _worst_rows(shown: Sequence[str], by: str, among: str) -> str:
    """Query for the worst row of each galaxy, for those that can rank."""
    packed = ", ".join(f"{name}: {name}" for name in shown)
    # compared as pairs with the answer's place in the tree: among equals the first wins
    return f"""SELECT galaxy_id, unnest(max_by({{{packed}}}, ({by}, -answer_id)))
    FROM loss WHERE {among} AND {by} >= $3 GROUP BY galaxy_id"""


def _chosen(tree: DecisionTree, label: str | None, question: str | None) -> list[int]:
    """Numbers of the answers that count."""
    answers = range(len(tree.labels))
    if question is not None:
        where = tree.slices[tree.question_id(question)]
        answers = range(where.start, where.stop)
    if label is None:
        return [*answers]
    if (one := tree.answer_id(label)) not in answers:
        raise CatalogError(f"{label} is no answer to {question}; leave one of the two out")
    return [one]
