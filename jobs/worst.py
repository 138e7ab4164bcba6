"""`worst`: the galaxies on which volunteers and model disagree most."""

from pathlib import Path

import pyarrow as pa

from zoolens.catalog.errors import tell
from zoolens.catalog.store.estimates import rank_estimates
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.ranking import most_asked, rank_galaxies, why_none
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import is_survey
from zoolens.catalog.survey.ranking import rank_estimates_of_survey, rank_survey


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

    catalog: one, or a survey, whose pieces must have one model and one set of weights. min_votes:
    only answers to questions that so many volunteers were asked; where: only galaxies for which
    this SQL condition on the views `galaxies` and `own` is true. If no galaxy ranks, a warning
    (`Told`) says why.
    """
    asked = {"label": answer, "question": question, "where": where}
    if is_survey(catalog):
        ranking, most = rank_survey(catalog, limit, min_votes=min_votes, by=by, **asked)
        if not len(ranking):
            tell(why_none(most, str(catalog), min_votes=min_votes, **asked))
    else:
        with Store.look(catalog) as store:
            warn_of(store, "score", "predict")
            ranking = rank_galaxies(store, limit, min_votes=min_votes, by=by, **asked)
            if not len(ranking):
                whose = f"score run {store.newest_run('score')}"
                tell(why_none(most_asked(store, **asked), whose, min_votes=min_votes, **asked))
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
    if is_survey(catalog):
        ranking = rank_estimates_of_survey(catalog, against, limit, by=by, where=where)
    else:
        with Store.look(catalog) as store:
            warn_of(store, "estimate")
            ranking = rank_estimates(store, against, limit, by=by, where=where)
    if not len(ranking):
        some = "" if where is None else f" with {where}"
        tell(f"no galaxy{some} ranks: none has both an estimate and a label in {against}")
    return ranking
