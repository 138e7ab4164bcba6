"""Which galaxies may be a counterpart: those that enough volunteers were asked about."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Ids
from zoolens.catalog.store.matrices import asked_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store

FEWER, ENOUGH = 1, 2


@dataclass(frozen=True)
class Candidates:
    """Galaxies whose volunteers were asked a question, and that have a prediction of it.

    tier, by number of galaxy from `first` on: `ENOUGH` if `fewest` volunteers were asked; `FEWER`
    if fewer, who only fill places that would be empty; else 0. A galaxy of a campaign without the
    question was asked of nobody. A byte a galaxy, since there may be millions, and ten questions.
    """

    tier: npt.NDArray[np.uint8]
    fewest: float
    first: int = 0

    def among(self, galaxy_id: Ids, tier: int) -> Flags:
        """Which of galaxies (N,) are of a tier, (N,)."""
        place = galaxy_id - self.first
        within = (place >= 0) & (place < len(self.tier))
        return within & (self.tier[np.where(within, place, 0)] == tier)

    def others(self, galaxy_id: int) -> tuple[int, int]:
        """How many have enough votes, and how many there are, other than a galaxy itself."""
        place = galaxy_id - self.first
        own = int(self.tier[place]) if 0 <= place < len(self.tier) else 0
        enough = int(np.count_nonzero(self.tier == ENOUGH)) - (own == ENOUGH)
        return enough, int(np.count_nonzero(self.tier)) - (own > 0)


def candidates_of(
    store: Store, predict_run: int, held: Ids, answer_id: int, min_votes: float | None
) -> Candidates:
    """The candidates for the question of an answer, of the galaxies `held` (N,) by an index.

    min_votes: none of fewer count; by default those of `FEWEST_VOTES` come first, and others fill
    the places that they leave.
    """
    ids, totals = asked_galaxies(store, predict_run, answer_id)
    fewest = FEWEST_VOTES if min_votes is None else min_votes
    if not len(held):
        return Candidates(np.zeros(1, np.uint8), fewest)
    # from the first on, since galaxies of a survey's pieces have large numbers
    first, last = int(held.min()), int(held.max())
    known = (ids >= first) & (ids <= last)
    tier = np.zeros(last - first + 1, np.uint8)
    counts = np.where(totals >= fewest, ENOUGH, FEWER if min_votes is None else 0)
    tier[ids[known] - first] = counts[known]
    there = np.zeros(len(tier), bool)
    there[held - first] = True
    tier[~there] = 0
    return Candidates(tier, fewest, first)
