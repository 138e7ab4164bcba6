"""The ranking: galaxies by the answer on which volunteers and model disagree most."""

from typing import Any

import pyarrow as pa

from catalog.decision_tree import DecisionTree
from catalog.errors import CatalogError, UnknownName, nearest
from catalog.store import Store

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
    do not count. Equals: the answer that comes first in the tree, then galaxies by name.
    Columns rank, galaxy_id, iauname, answer_id, label, votes, observed, predicted, ce,
    weighted_ce, and `by`. Raises `CatalogError` for a bad choice, `UnknownName` for an
    unknown one.
    """
    if limit < 1 or not min_votes >= 0:  # so NaN too
        raise CatalogError("the limit must be 1 or more, and the fewest votes 0 or more")
    if by not in MEASURES:
        raise CatalogError(f"no ranking by {by!r}; choose one of {', '.join(MEASURES)}")
    only, parameters = _only(store.tree, label, question)
    shown = ["observed", "predicted", "ce", "weighted_ce"]
    shown += [by] if by not in shown else []
    packed = ", ".join(f"{name}: {name}" for name in ["answer_id", "total_votes", *shown])
    # answers are compared as a pair with their place: among equals the first wins
    return store.arrow(
        f"""SELECT row_number() OVER (ORDER BY w.{by} DESC, g.iauname) AS rank, w.galaxy_id,
    g.iauname, w.answer_id, a.label, w.total_votes AS votes, {", ".join(f"w.{n}" for n in shown)}
FROM (
    SELECT galaxy_id, unnest(max_by({{{packed}}}, ({by}, -answer_id)))
    FROM loss JOIN answer USING (answer_id)
    WHERE run_id = ? AND {by} IS NOT NULL AND total_votes >= ? {only}
    GROUP BY galaxy_id
) w JOIN galaxy g ON g.galaxy_id = w.galaxy_id JOIN answer a ON a.answer_id = w.answer_id
ORDER BY rank LIMIT ?""",
        [store.newest_run("score"), min_votes, *parameters, limit],
    )


def _only(tree: DecisionTree, label: str | None, question: str | None) -> tuple[str, list[Any]]:
    """Conditions on the answers that count, and their parameters."""
    conditions = ""
    parameters: list[Any] = []
    if label is not None:
        conditions += "AND answer_id = ? "
        parameters.append(tree.answer_id(label))
    if question is not None:
        names = [known.name for known in tree.questions]
        if question not in names:
            raise UnknownName(
                f"no question {question!r} in tree {tree.name}; nearest: {nearest(question, names)}"
            )
        conditions += "AND question = ? "
        parameters.append(question)
    return conditions, parameters
