"""`worst`: the galaxies on which volunteers and model disagree most."""

from pathlib import Path

import pyarrow as pa

from zoolens.catalog.errors import tell
from zoolens.catalog.store.estimates import rank_estimates
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.ranking import rank_galaxies, why_none
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store


def worst(
    catalog: Path,
    *,
    limit: int = 10,
    min_votes: float = FEWEST_VOTES,
    answer: str | None = None,
    question: str | None = None,
    by: str = "weighted_ce",
    where: str | None = None,
) -> pa.Table:
    """The `limit` worst galaxies, as a table for people: see `catalog.store.ranking`.

    min_votes: only answers to questions that so many volunteers were asked; where: only galaxies
    for which this SQL condition on the views `galaxies` and `own` is true. If no galaxy ranks, a
    warning (`Told`) says why.
    """
    with Store.look(catalog) as store:
        warn_of(store, "score", "predict")
        ranking = rank_galaxies(
            store, limit, min_votes=min_votes, label=answer, question=question, by=by, where=where
        )
        if not len(ranking):
            why = why_none(store, min_votes=min_votes, label=answer, question=question, where=where)
            tell(why)
        return ranking.drop_columns(["galaxy_id", "answer_id"])


def worst_estimates(
    catalog: Path,
    against: str,
    *,
    limit: int = 10,
    by: str | None = None,
    where: str | None = None,
) -> pa.Table:
    """The `limit` galaxies whose estimates are furthest from their labels.

    against: the column of the view `own` that holds the labels; where: as for `worst`; see
    `catalog.store.estimates.rank_estimates`.
    """
    with Store.look(catalog) as store:
        warn_of(store, "estimate")
        ranking = rank_estimates(store, against, limit, by=by, where=where)
        if not len(ranking):
            some = "" if where is None else f" with {where}"
            tell(f"no galaxy{some} ranks: none has both an estimate and a label in {against}")
        return ranking
