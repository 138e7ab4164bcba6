"""Which galaxies may be a counterpart: those that enough volunteers were asked about."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Ids
from zoolens.catalog.store.matrices import asked_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store

FEWER, ENOUGH = 1, 2


class Counted(Protocol):
    """How many candidates there are, and how many votes are wanted of them."""

    @property
    def fewest(self) -> float:
        """How many volunteers a candidate was asked of that has enough votes."""

    def others(self, galaxy_id: int) -> tuple[int, int]:
        """How many have enough votes, and how many there are, other than a galaxy itself."""


@dataclass(frozen=True)
class Candidates:
    """Galaxies whose volunteers were asked a question, and that have a prediction of it.

    held (N,): the galaxies of an index, ascending; tier (N,), of each: `ENOUGH` if `fewest`
    volunteers were asked; `FEWER` if fewer, who only fill places that would be empty; else 0. A
    galaxy of a campaign without the question was asked of nobody. A byte a galaxy, since there may
    be millions, and ten questions; nothing is as long as the largest number, which in a survey
    says nothing of how many there are.
    """

    held: Ids
    tier: npt.NDArray[np.uint8]
    fewest: float

    def among(self, galaxy_id: Ids, tier: int) -> Flags:
        """Which of galaxies (M,) are of a tier, (M,)."""
        of_tier: Flags = self.tier == tier
        if galaxy_id is self.held or not len(self.held):
            return of_tier if galaxy_id is self.held else np.zeros(len(galaxy_id), bool)
        place = np.minimum(np.searchsorted(self.held, galaxy_id), len(self.held) - 1)
        return (self.held[place] == galaxy_id) & of_tier[place]

    def others(self, galaxy_id: int) -> tuple[int, int]:
        """How many have enough votes, and how many there are, other than a galaxy itself."""
        itself = np.array([galaxy_id])
        enough, fewer = (
            int(np.count_nonzero(self.tier == tier)) - int(self.among(itself, tier)[0])
            for tier in (ENOUGH, FEWER)
        )
        return enough, enough + fewer


def candidates_of(
    store: Store, predict_run: int, held: Ids, answer_id: int, min_votes: float | None
) -> Candidates:
    """The candidates for the question of an answer, of the galaxies `held` (N,) by an index.

    held: ascending. min_votes: none of fewer count; by default those of `FEWEST_VOTES` come first,
    and others fill the places that they leave.
    """
    ids, totals = asked_galaxies(store, predict_run, answer_id)
    fewest = FEWEST_VOTES if min_votes is None else min_votes
    tier = np.zeros(len(held), np.uint8)
    if len(held):
        place = np.minimum(np.searchsorted(held, ids), len(held) - 1)
        there = held[place] == ids
        few = FEWER if min_votes is None else 0
        tier[place[there]] = np.where(totals[there] >= fewest, ENOUGH, few)
    return Candidates(held, tier, fewest)
