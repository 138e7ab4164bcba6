"""Which galaxies may be a counterpart: those that enough volunteers were asked about."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
    question was asked of nobody. A byte a galaxy, since there may be millions, and ten questions;
    those of a piece of a survey begin at a high number. among_all: how many have enough votes, and
    how many there are, where these are a few of them.
    """

    tier: npt.NDArray[np.uint8]
    fewest: float
    first: int = 0
    among_all: tuple[int, int] | None = None

    @property
    def counts(self) -> tuple[int, int]:
        """How many have enough votes, and how many there are."""
        enough = int(np.count_nonzero(self.tier == ENOUGH))
        return self.among_all or (enough, int(np.count_nonzero(self.tier)))

    def among(self, galaxy_id: Ids, tier: int) -> Flags:
        """Which of galaxies (N,) are of a tier, (N,)."""
        place = galaxy_id - self.first
        within = (place >= 0) & (place < len(self.tier))
        return within & (self.tier[np.where(within, place, 0)] == tier)

    def others(self, galaxy_id: int) -> tuple[int, int]:
        """How many have enough votes, and how many there are, other than a galaxy itself."""
        place = galaxy_id - self.first
        own = int(self.tier[place]) if 0 <= place < len(self.tier) else 0
        enough, every = self.counts
        return enough - (own == ENOUGH), every - (own > 0)


@dataclass(frozen=True)
class Totals:
    """How many candidates a survey has, of which a few are in one catalogue.

    asked: by question, those with enough votes, and all; alike: by galaxy, those that could be
    predicted alike.
    """

    asked: dict[int, tuple[int, int]] = field(default_factory=dict)
    alike: dict[str, int] = field(default_factory=dict)

    def add(self, candidates: Mapping[int, Candidates]) -> None:
        """Count in those of one more piece, by question."""
        for question, one in candidates.items():
            before, now = self.asked.get(question, (0, 0)), one.counts
            self.asked[question] = before[0] + now[0], before[1] + now[1]

    def told(self, candidates: Mapping[int, Candidates]) -> dict[int, Candidates]:
        """Candidates that tell how many there are in all."""
        return {
            question: replace(one, among_all=self.asked.get(question))
            for question, one in candidates.items()
        }


def candidates_of(
    store: Store, predict_run: int, held: Ids, answer_id: int, min_votes: float | None
) -> Candidates:
    """The candidates for the question of an answer, of the galaxies `held` (N,) by an index.

    min_votes: none of fewer count; by default those of `FEWEST_VOTES` come first, and others fill
    the places that they leave.
    """
    ids, totals = asked_galaxies(store, predict_run, answer_id)
    fewest = FEWEST_VOTES if min_votes is None else min_votes
    some = [numbers for numbers in (held, ids) if len(numbers)]
    first = min((int(numbers.min()) for numbers in some), default=0)
    last = max((int(numbers.max()) for numbers in some), default=0)
    tier = np.zeros(last - first + 1, np.uint8)
    tier[ids - first] = np.where(totals >= fewest, ENOUGH, FEWER if min_votes is None else 0)
    there = np.zeros(len(tier), bool)
    there[held - first] = True
    tier[~there] = 0
    return Candidates(tier, fewest, first)
