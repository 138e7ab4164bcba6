"""The ranking of a survey: the worst galaxies of each piece, merged."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.store.estimates import rank_estimates
from zoolens.catalog.store.ranking import most_asked, rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.asking import ask_each


def rank_survey(
    folder: Path,
    limit: int,
    *,
    min_votes: float = 0,
    label: str | None = None,
    question: str | None = None,
    by: str = "weighted_ce",
    where: str | None = None,
) -> tuple[pa.Table, float | None]:
    """`catalog.store.ranking.rank_galaxies` of a survey, whose pieces have one model and weights.

    Second: if no galaxy ranks, the most volunteers that a question was asked of, as
    `catalog.store.ranking.most_asked` has it. No more than `limit` rows of all pieces together, and
    as many of one, are in memory.
    """

    def ask(store: Store) -> pa.Table:
        asked = {"label": label, "question": question, "where": where}
        ranking = rank_galaxies(store, limit, min_votes=min_votes, by=by, **asked)
        if not len(ranking):
            mosts.append(most_asked(store, **asked) or -1)
        return ranking

    mosts: list[float] = []
    ranking = _merged(ask_each(folder, ask, "score"), by, limit)
    most = max(mosts, default=-1)
    return ranking, None if len(ranking) or most < 0 else most


def rank_estimates_of_survey(
    folder: Path, against: str, limit: int, *, by: str | None = None, where: str | None = None
) -> pa.Table:
    """`catalog.store.estimates.rank_estimates` of a survey, whose pieces have one model."""
    ask = partial(rank_estimates, against=against, limit=limit, by=by, where=where)
    return _merged(ask_each(folder, ask, "estimate"), by, limit)


def _merged(rankings: Iterable[pa.Table], by: str | None, limit: int) -> pa.Table:
    """The first `limit` rows of several rankings, ranked anew."""
    parts = iter(rankings)
    merged = next(parts)
    # unless asked, estimates rank by the first that they have
    measure = by or ("ce" if "ce" in merged.column_names else "error")
    order = [(measure, "descending"), ("iauname", "ascending")]
    for part in parts:
        merged = pa.concat_tables([merged, part]).sort_by(order).slice(0, limit)
    rank = pa.array(range(1, len(merged) + 1), pa.int64())
    return merged.set_column(merged.schema.get_field_index("rank"), "rank", rank)
