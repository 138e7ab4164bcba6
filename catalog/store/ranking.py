"""The ranking: galaxies by the answer on which volunteers and model disagree most."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.row_filter import galaxies_where
from zoolens.catalog.store.shown import FEWEST_VOTES, shown, valid
from zoolens.catalog.store.store import Store

# the columns of a ranking for people
RANKED = ("rank", "iauname", "label", "votes", "observed", "predicted", "ce", "weighted_ce")
MEASURES = ("weighted_ce", "ce", "reach_weighted_ce")


def rank_galaxies(
    store: Store,
    limit: int,
    *,
    min_votes: float = 0,
    label: str | None = None,
    question: str | None = None,
    by: str = "weighted_ce",
    where: str | None = None,
) -> pa.Table:
    """The `limit` worst galaxies of the newest score run, one row each, worst first.

    A galaxy ranks by its largest value of `by`, over all answers or those of `label` or
    `question`. Answers to questions that fewer than `min_votes` volunteers were asked
    do not count; where: only galaxies of this condition (`catalog.store.row_filter`). Among equals
    the first answer in the tree counts; galaxies go by name.
    Columns rank, galaxy_id, iauname, answer_id, label, votes, observed, predicted, ce,
    weighted_ce, and `by`. Raises `CatalogError` for a bad choice, `UnknownName` for an
    unknown one.
    """
    if limit < 1 or not min_votes >= 0:  # so NaN too
        raise CatalogError("the limit must be 1 or more, and the fewest votes 0 or more")
    if by not in MEASURES:
        raise CatalogError(f"no ranking by {by!r}; choose one of {', '.join(MEASURES)}")
    store.needs_votes("a ranking by loss")
    tree, run_id = store.tree, store.newest_run("score")
    chosen = _chosen(tree, label, question)
    columns = ["answer_id", "total_votes", "observed", "predicted", "ce", "weighted_ce"]
    columns += [by] if by not in columns else []
    asked = [run_id, float(min_votes)]
    some = "" if where is None else f" AND galaxy_id IN {galaxies_where(store, where)}"
    if by == "weighted_ce" and len(chosen) == len(tree.labels):
        rows, least = _from_galaxies(store, asked, limit, columns, some)
    else:
        # a galaxy has at most one row per answer, so the worst `limit` have one among the worst
        # `limit` times as many as there are answers; one pass over one column finds the least
        among = f"{_ASKED} AND answer_id IN ({', '.join(map(str, chosen))}){some}"
        least = _least(store, by, f"{valid('loss')} WHERE {among}", asked, limit * len(chosen))
        rows = _worst_rows(columns, by, among)
    listed = ", ".join(f"w.{name}" for name in columns[2:])
    return store.arrow(
        f"""SELECT row_number() OVER (ORDER BY w.{by} DESC, g.iauname) AS rank, w.galaxy_id,
    g.iauname, w.answer_id, a.label, w.total_votes AS votes, {listed}
FROM ({rows}) w JOIN galaxy g ON g.galaxy_id = w.galaxy_id
JOIN answer a ON a.answer_id = w.answer_id ORDER BY rank LIMIT {limit}""",
        [*asked, least],
    )


def most_asked(
    store: Store,
    *,
    label: str | None = None,
    question: str | None = None,
    where: str | None = None,
) -> float | None:
    """The most volunteers who were asked a question with a loss that can rank; None if none can."""
    chosen = _chosen(store.tree, label, question)
    run_id = store.newest_run("score")
    among = f"weighted_ce IS NOT NULL AND answer_id IN ({', '.join(map(str, chosen))})"
    if where is not None:
        among += f" AND galaxy_id IN {galaxies_where(store, where)}"
    sql = f"SELECT max(total_votes) FROM {valid('loss')} WHERE run_id = ? AND {among}"
    most: float | None = store.value(sql, [run_id])
    return most


def why_none(
    most: float | None,
    whose: str,
    *,
    min_votes: float = 0,
    label: str | None = None,
    question: str | None = None,
    where: str | None = None,
) -> str:
    """Why `rank_galaxies` ranks no galaxy, and what to do, in one sentence.

    most: as `most_asked` has it; whose: of which losses.
    """
    of = label or question
    some = "" if where is None else f" with {where}"
    if most is None:
        return f"no galaxy{some} of {whose} has a loss" + (f" of {of}" if of else "")
    return (
        f"no galaxy{some} ranks: of the questions with a loss{f' ({of})' if of else ''} none was "
        f"asked of {min_votes:g} volunteers, at most of {most:g}; ask for fewer votes"
    )


def costliest_answers(
    store: Store, galaxy_id: Sequence[int], min_votes: float | None = None
) -> dict[int, int]:
    """The answer with the largest weighted_ce of each galaxy that has one, by number.

    Only answers to questions that `min_votes` volunteers were asked; by default that
    `FEWEST_VOTES` were asked, where a galaxy has such a question, and else any. Of equals the
    first in the tree. Empty if no score run shows.
    """
    ids = np.unique(np.array(galaxy_id, np.int64))
    if min_votes is not None:
        return _costliest(store, ids, min_votes)
    found = _costliest(store, ids, FEWEST_VOTES)
    rest = np.setdiff1d(ids, np.array([*found], np.int64))
    return found | _costliest(store, rest, 0)


def _costliest(store: Store, ids: Ids, min_votes: float) -> dict[int, int]:
    run = f"run_id = ({shown('score')})"
    sql = f"SELECT galaxy_id, answer_id FROM {valid('galaxy_loss')} WHERE {run}"
    if min_votes > 0:
        among = f"{run} AND total_votes >= {float(min_votes)} AND weighted_ce IS NOT NULL"
        sql = f"""SELECT galaxy_id, max_by(answer_id, (weighted_ce, -answer_id)) AS answer_id
    FROM {valid("loss")} WHERE {among} GROUP BY galaxy_id"""
    rows = read_rows(store, sql, ids)
    return dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def all_ranks(store: Store, *, min_votes: float = 0) -> tuple[str, list[float]]:
    """A query, and its parameters, for the rank of every galaxy that has one.

    As `rank_galaxies` by weighted_ce, for any number of galaxies: columns galaxy_id,
    rank, answer_id, ce, weighted_ce.
    """
    asked = [store.newest_run("score"), float(min_votes)]
    columns = ("answer_id", "ce", "weighted_ce")
    rows = f"SELECT galaxy_id, {', '.join(columns)} FROM {valid('galaxy_loss')} WHERE {_ASKED}"
    if min_votes > 0:
        rows, asked = _worst_rows(columns, "weighted_ce", _ASKED), [*asked, -math.inf]
    return (
        f"""SELECT w.*, row_number() OVER (ORDER BY w.weighted_ce DESC, g.iauname) AS rank
FROM ({rows}) w JOIN galaxy g ON g.galaxy_id = w.galaxy_id""",
        asked,
    )


# Parameters of all queries: $1 the run, $2 the fewest votes, $3 the least loss that can rank.
_ASKED = "run_id = $1 AND total_votes >= $2"


def _from_galaxies(
    store: Store, asked: Sequence[float], limit: int, columns: Sequence[str], some: str
) -> tuple[str, float]:
    """Query for the galaxies that can rank, from what is stored of each galaxy.

    some: a further condition.

    If too few volunteers were asked about a galaxy's worst answer, the galaxy ranks by another
    answer, whose loss is no larger. So its other losses are looked up only if its largest
    loss is among the worst.
    """
    least = _least(
        store, "weighted_ce", f"{valid('galaxy_loss')} WHERE {_ASKED}{some}", asked, limit
    )
    doubtful = store.arrow(
        f"SELECT galaxy_id FROM {valid('galaxy_loss')} "
        f"WHERE run_id = $1 AND total_votes < $2 AND weighted_ce >= $3{some}",
        [*asked, least],
    )["galaxy_id"].to_pylist()
    rows = (
        f"SELECT galaxy_id, {', '.join(columns)} FROM {valid('galaxy_loss')} "
        f"WHERE {_ASKED} AND weighted_ce >= $3{some}"
    )
    if doubtful:
        among = f"{_ASKED} AND galaxy_id IN ({', '.join(map(str, doubtful))})"
        rows += f" UNION ALL {_worst_rows(columns, 'weighted_ce', among)}"
    return rows, least


def _least(store: Store, by: str, some: str, asked: Sequence[float], rows: int) -> float:
    """The smallest of the `rows` largest values; minus infinity if there are fewer."""
    found = store.arrow(
        f"SELECT {by} FROM {some} AND {by} IS NOT NULL ORDER BY {by} DESC LIMIT {rows}", asked
    )[by]
    return found[-1].as_py() if len(found) == rows else -math.inf


def _worst_rows(columns: Sequence[str], by: str, among: str) -> str:
    """Query for the worst row of each galaxy, for those that can rank."""
    packed = ", ".join(f"{name}: {name}" for name in columns)
    # compared as pairs with the answer's place in the tree: among equals the first wins
    return f"""SELECT galaxy_id, unnest(max_by({{{packed}}}, ({by}, -answer_id)))
    FROM {valid("loss")} WHERE {among} AND {by} >= $3 GROUP BY galaxy_id"""


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
