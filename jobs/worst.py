"""`worst`: the galaxies on which volunteers and model disagree most."""

from pathlib import Path

import pyarrow as pa

from zoolens.catalog.errors import tell
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
