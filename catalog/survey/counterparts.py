"""Counterparts in a survey: the index of each piece is searched, and the best are merged."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from zoolens.catalog.arrays import Floats
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
from zoolens.catalog.similarity.queries import Asked, Source, asked_among, asked_for, ranked
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.matrices import without_votes
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.together import open_together
from zoolens.catalog.survey.agreement import Results, differences, results_of
from zoolens.catalog.survey.folder import whole_survey
from zoolens.catalog.survey.found import BestHits, Counted, Found, count_candidates


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
    named = whole_survey(folder).named
    with open_together(named) as survey:
        survey.make_views("galaxies")
        (number,) = galaxy_ids(Store(folder, survey.connection), [galaxy])
        pieces = survey.pieces_with(galaxy)
    if len(pieces) > 1:
        raise CatalogError(
            f"{galaxy} is in several pieces of {folder}: {few(pieces)}; see: zoolens verify"
        )
    return Home(number, pieces[0], named[pieces[0]])


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
        own = results_of(home.piece, store, ["predict"])
        asked = asked_for(
            source.tree, ids, answers, known, weights, exchange if voted else "answer"
        )
    if voted:
        check_weights(asked)
    search = _Search(asked, k, min_votes, approximate, voted)
    found = Found(source.tree, {home.galaxy_id: home.path})
    left_out = LeftOut()
    for source in comparable(folder, own, left_out):
        hits = search.search(source)
        found.where.update({hit.galaxy_id: source.store.path for hit in hits})
    counterparts = search.described(found)
    return replace(counterparts, notes=(*counterparts.notes, *left_out.notes)), found


@dataclass(frozen=True)
class LeftOut:
    """Pieces that were not searched, by why."""

    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each reason."""
        return tuple(f"Not searched: {few(names)} ({why})." for why, names in self.names.items())


def comparable(folder: Path, own: Results, left_out: LeftOut) -> Iterator[Source]:
    """The pieces that are predicted as one is, one after the other; left_out: gets the others.

    own: of the one. What was read of a piece's indexes is dropped before the next.
    """
    for name, path in whole_survey(folder).named.items():
        with Store.open(path, read_only=True) as store:
            shown = results_of(name, store, ["predict"])
            if shown.lacks(["predict"]):
                if shown.waiting:
                    left_out.names.setdefault("no predictions", []).append(name)
            elif said := differences(folder, [own, own, shown], ["predict"]):
                left_out.names.setdefault(said[0], []).append(name)
            else:
                yield Source.of(store)
        unload_indexes()


class _Search:
    """A search of piece after piece."""

    def __init__(
        self, asked: Asked, k: int, min_votes: float | None, approximate: bool, voted: bool
    ) -> None:
        self._asked, self._k, self._min_votes = asked, k, min_votes
        self._approximate, self._voted = approximate, voted
        self._best = {kind: BestHits(2 * k) for kind in KINDS}
        self._alike, self._count = BestHits(k), 0
        self._counted: dict[int, Counted] = {}

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
        count_candidates(queries, [*queries.candidates], self._counted)
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
        hits = [[best.hits] for best in self._best.values()]
        return describe(found, self._asked, self._counted, hits, self._k)[0]
