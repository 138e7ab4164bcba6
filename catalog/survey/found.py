"""Galaxies that were found in the pieces of a survey: what is known of them, the best, how many."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.similarity.places import Hit
from zoolens.catalog.similarity.queries import Known, Queries, Source
from zoolens.catalog.store.store import Store


class _Galaxy(NamedTuple):
    """What the piece that holds a galaxy knows of it."""

    name: str
    observed: Floats  # (A,)
    predicted: Floats  # (A,)
    totals: Floats  # (Q,)
    voted: bool


@dataclass(frozen=True)
class Found:
    """Galaxies that the pieces of a survey were found to hold, and what those know of them.

    where: the catalogue of each, by number. A piece is read once for all that are asked for
    together, and not again.
    """

    tree: DecisionTree
    where: dict[int, Path]
    _read: dict[int, _Galaxy] = field(default_factory=dict)

    def known(self, galaxy_id: Ids) -> Known:
        """Their votes and predictions (N,)."""
        some = self._galaxies(galaxy_id)
        answers, questions = len(self.tree.labels), len(self.tree.questions)
        return Known(
            np.array([one.observed for one in some]).reshape(-1, answers),
            np.array([one.predicted for one in some]).reshape(-1, answers),
            np.array([one.totals for one in some]).reshape(-1, questions),
        )

    def names(self, galaxy_id: Ids) -> dict[int, str]:
        """Their names, by number."""
        some = self._galaxies(galaxy_id)
        return {number: one.name for number, one in zip(galaxy_id.tolist(), some, strict=True)}

    def without_votes(self, galaxy_id: Ids) -> Ids:
        """Those of them (N,), ascending, that nobody voted on."""
        voted = [one.voted for one in self._galaxies(galaxy_id)]
        return galaxy_id[~np.array(voted, bool)]

    def _galaxies(self, galaxy_id: Ids) -> list[_Galaxy]:
        numbers: list[int] = galaxy_id.tolist()
        missing: dict[Path, list[int]] = {}
        for number in sorted({*numbers} - self._read.keys()):
            missing.setdefault(self.where[number], []).append(number)
        for path, some in missing.items():
            with Store.open(path, read_only=True) as store:
                self._read.update(_read_galaxies(Source.of(store), np.array(some, np.int64)))
        return [self._read[number] for number in numbers]


def _read_galaxies(source: Source, galaxy_id: Ids) -> dict[int, _Galaxy]:
    """What a piece knows of galaxies (N,), ascending."""
    known, names = source.known(galaxy_id), source.names(galaxy_id)
    bare = set(source.without_votes(galaxy_id).tolist())
    arrays = zip(known.observed, known.predicted, known.totals, strict=True)
    return {
        number: _Galaxy(names[number], *row, number not in bare)
        for number, row in zip(galaxy_id.tolist(), arrays, strict=True)
    }


@dataclass
class BestHits:
    """The best hits of the pieces so far."""

    most: int
    hits: list[Hit] = field(default_factory=list)

    def add(self, hits: list[Hit]) -> None:
        """As in one ranking: those of enough votes first, equals by their number."""
        order = sorted([*self.hits, *hits], key=lambda h: (not h.enough, -h.score, h.galaxy_id))
        self.hits = order[: self.most]


@dataclass
class Counted:
    """How many candidates all pieces together have for the galaxies that were asked for."""

    fewest: float
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)

    def others(self, galaxy_id: int) -> tuple[int, int]:
        """How many others have enough votes, and how many there are."""
        return self.counts[galaxy_id]


def count_candidates(
    queries: Queries, question: Sequence[int], counted: dict[int, Counted]
) -> None:
    """Add the candidates of a piece; question: that of each galaxy that is asked for."""
    for number, galaxy in zip(question, queries.galaxy_id.tolist(), strict=True):
        here = queries.candidates[number]
        so_far = counted.setdefault(number, Counted(here.fewest)).counts
        enough, every = here.others(galaxy)
        before = so_far.get(galaxy, (0, 0))
        so_far[galaxy] = before[0] + enough, before[1] + every
