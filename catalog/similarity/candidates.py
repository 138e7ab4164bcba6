"""Which galaxies may be a counterpart: those that enough volunteers were asked about."""

from dataclasses import dataclass

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.store.matrices import comparable_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store


@dataclass(frozen=True)
class Candidates:
    """Galaxies, ascending, whose volunteers were asked a question, and with a prediction of it.

    enough: asked of `fewest` volunteers; fewer: of fewer, who only fill places that would be
    empty. A galaxy of a campaign without the question was asked of nobody.
    """

    enough: Ids
    fewer: Ids
    fewest: float

    def others(self, galaxy_id: int) -> tuple[int, int]:
        """How many there are with enough votes, and altogether, other than a galaxy itself."""
        enough = len(self.enough) - int(np.isin(galaxy_id, self.enough))
        fewer = len(self.fewer) - int(np.isin(galaxy_id, self.fewer))
        return enough, enough + fewer


def candidates_of(
    store: Store, predict_run: int, answer_id: int, min_votes: float | None
) -> Candidates:
    """The candidates for the question of an answer.

    min_votes: none of fewer count; by default those of `FEWEST_VOTES` come first, and others fill
    the places that they leave.
    """
    ids, totals = comparable_galaxies(store, predict_run, answer_id)
    fewest = FEWEST_VOTES if min_votes is None else min_votes
    enough = totals >= fewest
    fewer = ids[~enough] if min_votes is None else np.empty(0, np.int64)
    return Candidates(ids[enough], fewer, fewest)
