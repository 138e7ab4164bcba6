"""The ranking: galaxies by the answer on which volunteers and model disagree most."""

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
    tree, run_id = store.tree, store.newest_run("score")
    chosen = ", ".join(map(str, _chosen(tree, label, question)))
    some = f"FROM loss WHERE run_id = ? AND total_votes >= ? AND answer_id IN ({chosen})"
    # The worst galaxies have a row among so many worst ones, since none has more rows
    # than answers: one pass over one column tells what need not be compared.
    least = store.value(
        f"SELECT min({by}) FROM (SELECT {by} {some} AND {by} IS NOT NULL "
        f"ORDER BY {by} DESC LIMIT {limit * len(tree.labels)})",
        [run_id, min_votes],
    )
    shown = ["observed", "predicted", "ce", "weighted_ce"]
    shown += [by] if by not in shown else []
    packed = ", ".join(f"{name}: {name}" for name in ["answer_id", "total_votes", *shown])
    # answers are compared as a pair with their place: among equals the first wins
    return store.arrow(
        f"""SELECT row_number() OVER (ORDER BY w.{by} DESC, g.iauname) AS rank, w.galaxy_id,
    g.iauname, w.answer_id, a.label, w.total_votes AS votes, {", ".join(f"w.{n}" for n in shown)}
FROM (
    SELECT galaxy_id, unnest(max_by({{{packed}}}, ({by}, -answer_id)))
    {some} AND {by} >= ? GROUP BY galaxy_id
) w JOIN galaxy g ON g.galaxy_id = w.galaxy_id JOIN answer a ON a.answer_id = w.answer_id
ORDER BY rank LIMIT ?""",
        [run_id, min_votes, least, limit],
    )


def _chosen(tree: DecisionTree, label: str | None, question: str | None) -> list[int]:
    """Numbers of the answers that count."""
    answers = range(len(tree.labels))
    if question is not None:
        names = [known.name for known in tree.questions]
        if question not in names:
            raise UnknownName(
                f"no question {question!r} in tree {tree.name}; nearest: {nearest(question, names)}"
            )
        where = tree.slices[names.index(question)]
        answers = range(where.start, where.stop)
    one = None if label is None else tree.answer_id(label)
    return [answer for answer in answers if one in (None, answer)] or [-1]
