"""Counterparts of galaxies, sought in all catalogues of a survey."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.similarity.described import Filled, described, named_by
from zoolens.catalog.similarity.files import KINDS
from zoolens.catalog.similarity.found import Counterparts
from zoolens.catalog.similarity.places import Hit, fill_places
from zoolens.catalog.similarity.queries import (
    Known,
    Queries,
    Source,
    make_queries,
    one_kind_at_a_time,
    read_known,
)
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.store import Store

# Catalogues by their place in the survey, opened when they are needed.
Pieces = Mapping[int, Callable[[], AbstractContextManager[Store]]]

_PLACES = 2  # hits of a kind that fill one place, since the best may be the other kind's


@dataclass(frozen=True)
class Best:
    """The best counterpart of each kind of N galaxies, among all galaxies of a survey.

    filled: as of `fill_places`, for one place; counts: as of `described`; piece: the catalogue of
    each galaxy that was found, by its number.
    """

    tree: DecisionTree
    queries: Queries
    filled: Sequence[Filled]
    counts: Sequence[tuple[float, tuple[int, int]]]
    piece: Mapping[int, int]


def best_counterparts(
    pieces: Pieces, piece: Ids, galaxy_id: Ids, answer_id: Ids, min_votes: float | None
) -> Best:
    """The best counterparts of galaxies that have votes and a prediction of the answer.

    pieces: catalogues with indexes, of which one is open at a time; piece (N,): which one a galaxy
    is of; galaxy_id, answer_id (N,); min_votes: as of `find_counterparts`. The best of all is the
    best of those that each catalogue has. Raises `CatalogError` if index files are not current.
    """
    known = _known(pieces, piece, galaxy_id)
    hits: list[list[list[Hit]]] = [[[] for _ in galaxy_id] for _ in KINDS]
    counts = np.zeros((len(galaxy_id), 2), np.int64)
    where: dict[int, int] = {}
    for number, opened in pieces.items():
        with opened() as store:
            source = Source.of(store)
            queries = make_queries(source, galaxy_id, answer_id, known, None, min_votes, "question")
            here = one_kind_at_a_time(source, queries, _PLACES)
        candidates = [queries.candidates[int(q)] for q in source.tree.question_of[answer_id]]
        counts += [a.others(g) for a, g in zip(candidates, galaxy_id.tolist(), strict=True)]
        fewest = [one.fewest for one in candidates]
        for kind, found in enumerate(here):
            for row, some in enumerate(found):
                hits[kind][row] = _best_of(hits[kind][row] + some)
                where |= {hit.galaxy_id: number for hit in some}
    filled = [fill_places(one, other, 1) for one, other in zip(*hits, strict=True)]
    wanted = [
        (least, (enough, every))
        for least, (enough, every) in zip(fewest, counts.tolist(), strict=True)
    ]
    return Best(source.tree, queries, filled, wanted, where)


def described_counterparts(pieces: Pieces, best: Best) -> list[Counterparts]:
    """The same in words, as `find_many` has it."""
    ids = named_by(best.filled)
    piece = np.array([best.piece[one] for one in ids.tolist()], np.int64)
    names = _names(pieces, piece, ids)
    known = _known(pieces, piece, ids) if len(ids) else best.queries.known
    return described(best.tree, best.queries, best.filled, best.counts, 1, ids, names, known)


def named_counterparts(pieces: Pieces, best: Best) -> list[tuple[str | None, str | None]]:
    """The names of the observed and of the predicted counterpart, or None."""
    found = [tuple(some[0].galaxy_id if some else -1 for some in one[:2]) for one in best.filled]
    ids = np.array(sorted({one for both in found for one in both} - {-1}), np.int64)
    piece = np.array([best.piece[one] for one in ids.tolist()], np.int64)
    names = _names(pieces, piece, ids)
    return [(names.get(one), names.get(other)) for one, other in found]


def counterpart_table(pieces: Pieces, worst: pa.Table, min_votes: float | None) -> pa.Table:
    """Columns galaxy_id, observed_counterpart and predicted_counterpart of galaxies.

    worst: their columns piece, galaxy_id and answer_id.
    """
    names: list[tuple[str | None, str | None]] = []
    if len(worst):
        piece, ids, answers = (
            worst[name].to_numpy() for name in ("piece", "galaxy_id", "answer_id")
        )
        best = best_counterparts(pieces, piece, ids, answers, min_votes)
        names = named_counterparts(pieces, best)
    return pa.table(
        {
            "galaxy_id": worst["galaxy_id"],
            "observed_counterpart": pa.array([one for one, _ in names], pa.string()),
            "predicted_counterpart": pa.array([other for _, other in names], pa.string()),
        }
    )


def _best_of(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (not hit.enough, -hit.score, hit.galaxy_id))[:_PLACES]


def _known(pieces: Pieces, piece: Ids, galaxy_id: Ids) -> Known:
    """What is known of galaxies (N,) of catalogues (N,)."""
    order, parts = [np.empty(0, np.int64)], []
    for number in np.unique(piece).tolist():
        rows = np.flatnonzero(piece == number)
        with pieces[number]() as store:
            parts.append(read_known(Source.of(store), galaxy_id[rows]))
        order.append(rows)
    back = np.argsort(np.concatenate(order))
    return Known(
        *(np.concatenate([getattr(one, f.name) for one in parts])[back] for f in fields(Known))
    )


def _names(pieces: Pieces, piece: Ids, galaxy_id: Ids) -> dict[int, str]:
    names: dict[int, str] = {}
    for number in np.unique(piece).tolist():
        with pieces[number]() as store:
            names |= names_of(store, galaxy_id[piece == number])
    return names
