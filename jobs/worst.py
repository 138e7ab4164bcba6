"""`worst`: the galaxies on which volunteers and model disagree most."""

from pathlib import Path

import pyarrow as pa

from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store


def worst(
    catalog: Path,
    *,
    limit: int = 10,
    min_votes: float = 0,
    answer: str | None = None,
    question: str | None = None,
    by: str = "weighted_ce",
) -> pa.Table:
    """The `limit` worst galaxies, as a table for people: see `catalog.store.ranking`."""
    with Store.look(catalog) as store:
        ranking = rank_galaxies(
            store, limit, min_votes=min_votes, label=answer, question=question, by=by
        )
        return ranking.drop_columns(["galaxy_id", "answer_id"])
