"""Counterparts in a survey: the index of each piece is searched, and the best are merged."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.similarity.counterparts import (
    Counterparts,
    check_exchangeable,
    check_weights,
    describe_alike,
    predicted_alike,
)
from zoolens.catalog.similarity.described import describe
from zoolens.catalog.similarity.exchange import Exchange, check_exchange
from zoolens.catalog.similarity.files import KINDS, unload_indexes
from zoolens.catalog.similarity.places import Hit
from zoolens.catalog.similarity.queries import Asked, Known, Source, asked_among, asked_for, ranked
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.matrices import without_votes
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.together import open_together
from zoolens.catalog.survey.agreement import differences, what_shows
from zoolens.catalog.survey.folder import open_survey


@dataclass(frozen=True)
class Home:
    """A galaxy of a survey: its number, and the name and catalogue of the piece that holds it."""

    galaxy_id: int
    piece: str
    path: Path


def home_of(folder: Path, galaxy: str) -> Home:
    """The galaxy of that name.

    Raises `UnknownName`, with the nearest names, if there is none; `CatalogError` if several
    pieces have one.
    """
    named = open_survey(folder).named
    with open_together(named) as survey:
        survey.make_views("galaxies")
        (number,) = galaxy_ids(Store(folder, survey.connection), [galaxy])
        pieces = survey.pieces_with(galaxy)
    if len(pieces) > 1:
        raise CatalogError(
            f"{galaxy} is in several pieces of {folder}: {few(pieces)}; see: zoolens verify"
        )
    return Home(number, pieces[0], named[pieces[0]])


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
class _Counted:
    """How many candidates all pieces together have."""

    fewest: float = 0.0
    enough: int = 0
    every: int = 0

    def others(self, galaxy_id: int) -> tuple[int, int]:
        """They were counted without the galaxy."""
        return self.enough, self.every


@dataclass
class BestHits:
    """The best hits of the pieces so far."""

    most: int
    hits: list[Hit] = field(default_factory=list)

    def add(self, hits: list[Hit]) -> None:
        """As in one ranking: those of enough votes first, equals by their number."""
        order = sorted([*self.hits, *hits], key=lambda h: (not h.enough, -h.score, h.galaxy_id))
        self.hits = order[: self.most]


def find_in_survey(
    folder: Path,
    home: Home,
    answer_id: int,
    *,
    k: int = 1,
    weights: Floats | None = None,
    min_votes: float | None = None,
    exchange: Exchange = "question",
    approximate: bool = False,
) -> tuple[Counterparts, Found]:
    """`catalog.similarity.counterparts.find_counterparts` among the galaxies of all pieces.

    Pieces are searched one after the other; those that are not predicted as the galaxy's own are
    left out, and a note says so. Second: what is known of the galaxies that were found, and of the
    galaxy. Raises as it does.
    """
    check_exchange(exchange)
    ids, answers = np.array([home.galaxy_id], np.int64), np.array([answer_id], np.int64)
    with Store.open(home.path, read_only=True) as store:
        source = Source.of(store)
        known = source.known(ids)
        voted = not len(without_votes(store, ids))
        check_exchangeable(source, home.galaxy_id, answer_id, known, voted=voted)
        own = what_shows(home.piece, store, ["predict"])
        asked = asked_for(
            source.tree, ids, answers, known, weights, exchange if voted else "answer"
        )
    if voted:
        check_weights(asked)
    search = _Search(asked, k, min_votes, approximate, voted)
    found = Found(source.tree, {home.galaxy_id: home.path})
    left_out: dict[str, list[str]] = {}
    for name, path in open_survey(folder).named.items():
        with Store.open(path, read_only=True) as store:
            shown = what_shows(name, store, ["predict"])
            if shown.runs["predict"] is None:
                left_out.setdefault("no predictions", []).append(name)
            elif said := differences(folder, [own, own, shown], ["predict"]):
                left_out.setdefault(said[0], []).append(name)
            else:
                hits = search.search(Source.of(store))
                found.where.update({hit.galaxy_id: path for hit in hits})
        unload_indexes()
    counterparts = search.described(found)
    notes = [f"Not searched: {few(names)} ({why})." for why, names in left_out.items()]
    return replace(counterparts, notes=(*counterparts.notes, *notes)), found


class _Search:
    """A search of piece after piece."""

    def __init__(
        self, asked: Asked, k: int, min_votes: float | None, approximate: bool, voted: bool
    ) -> None:
        self._asked, self._k, self._min_votes = asked, k, min_votes
        self._approximate, self._voted = approximate, voted
        self._best = {kind: BestHits(2 * k) for kind in KINDS}
        self._alike, self._count = BestHits(k), 0
        self._counted = _Counted()

    def search(self, source: Source) -> list[Hit]:
        """The best hits of a piece, which are kept."""
        if not self._voted:
            alike, count = predicted_alike(
                source, self._asked, self._k, self._min_votes, approximate=self._approximate
            )
            self._alike.add(alike)
            self._count += count
            return alike
        queries = asked_among(source, self._asked, self._min_votes)
        (candidates,) = queries.candidates.values()
        enough, every = candidates.others(int(queries.galaxy_id[0]))
        self._counted.fewest = candidates.fewest
        self._counted.enough += enough
        self._counted.every += every
        found: list[Hit] = []
        for kind, best in self._best.items():
            (hits,) = ranked(source, kind, queries, 2 * self._k, approximate=self._approximate)
            best.add(hits)
            found += hits
        return found

    def described(self, found: Found) -> Counterparts:
        """What was found in all pieces."""
        if not self._voted:
            return describe_alike(found, self._asked, self._alike.hits, self._count)
        question = int(found.tree.question_of[self._asked.answer_id[0]])
        hits = [[best.hits] for best in self._best.values()]
        return describe(found, self._asked, {question: self._counted}, hits, self._k)[0]
