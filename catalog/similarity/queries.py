"""What counterparts should have, and the candidates nearest to it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.similarity.candidates import ENOUGH, FEWER, Candidates, candidates_of
from zoolens.catalog.similarity.exchange import (
    Exchange,
    default_weights,
    exchanged,
    part_exchanged,
)
from zoolens.catalog.similarity.files import KINDS, load_codes, load_index, unload_indexes
from zoolens.catalog.similarity.places import Hit
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import read_predictions, read_votes, without_votes
from zoolens.catalog.store.store import Store

_AT_ONCE = 64  # queries that pass over the candidates together


class Facts(Protocol):
    """What is known of galaxies, wherever they are."""

    @property
    def tree(self) -> DecisionTree:
        """The tree of all of them."""

    def known(self, galaxy_id: Ids) -> "Known":
        """Their votes and predictions (N,), in any order and as often as they are named."""

    def names(self, galaxy_id: Ids) -> dict[int, str]:
        """Their names, by number."""

    def without_votes(self, galaxy_id: Ids) -> Ids:
        """Those of them (N,), ascending, that nobody voted on."""


@dataclass(frozen=True)
class Source:
    """A store with its tree and the newest predictions, which are asked for once."""

    store: Store
    tree: DecisionTree
    predict_run: int

    @staticmethod
    def of(store: Store) -> "Source":
        """Raises `CatalogError` if there are no predictions."""
        return Source(store, store.tree, store.newest_run("predict"))

    def known(self, galaxy_id: Ids) -> "Known":
        """What is known of galaxies (N,)."""
        return read_known(self, galaxy_id)

    def names(self, galaxy_id: Ids) -> dict[int, str]:
        """Names of galaxies by number."""
        return names_of(self.store, galaxy_id)

    def without_votes(self, galaxy_id: Ids) -> Ids:
        """Those of galaxies (N,), ascending, that nobody voted on."""
        return without_votes(self.store, galaxy_id)


@dataclass(frozen=True)
class Known:
    """Fractions (N, A) of N galaxies, and how many volunteers were asked each question, (N, Q)."""

    observed: Floats
    predicted: Floats
    totals: Floats

    def some(self, rows: "slice | Ids") -> "Known":
        """Some of the galaxies."""
        return Known(self.observed[rows], self.predicted[rows], self.totals[rows])


@dataclass(frozen=True)
class Asked:
    """N galaxies and their answers of interest, (N,), and what their counterparts should have.

    asked: by kind, fractions (N, A); weights (N, A).
    """

    galaxy_id: Ids
    answer_id: Ids
    known: Known
    asked: dict[str, Floats]
    weights: Floats


@dataclass(frozen=True)
class Queries(Asked):
    """What is asked for, and of which galaxies: the candidates, by question."""

    candidates: dict[int, Candidates]


def read_known(source: Source, galaxy_id: Ids) -> Known:
    """What is known of galaxies (N,), in any order and as often as they are named."""
    ids, place = np.unique(galaxy_id, return_inverse=True)
    votes = read_votes(source.store, source.tree, ids)
    predicted, _ = read_predictions(source.store, source.tree, source.predict_run, ids)
    return Known(votes.observed[place], predicted[place], votes.totals[place])


def make_queries(
    source: Source,
    galaxy_id: Ids,
    answer_id: Ids,
    known: Known,
    weights: Floats | None,
    min_votes: float | None,
    exchange: Exchange,
) -> Queries:
    """What the counterparts of galaxies (N,) should have, and who may be one.

    weights (A,); unless given, those of `default_weights`.
    """
    asked = asked_for(source.tree, galaxy_id, answer_id, known, weights, exchange)
    return asked_among(source, asked, min_votes)


def asked_for(
    tree: DecisionTree,
    galaxy_id: Ids,
    answer_id: Ids,
    known: Known,
    weights: Floats | None,
    exchange: Exchange,
) -> Asked:
    """What the counterparts of galaxies (N,) should have."""
    part = part_exchanged(tree, answer_id, exchange)
    asked = {
        "observed": exchanged(known.observed, known.predicted, part),
        "predicted": exchanged(known.predicted, known.observed, part),
    }
    weighted = default_weights(part) if weights is None else np.tile(weights, (len(answer_id), 1))
    return Asked(galaxy_id, answer_id, known, asked, weighted)


def asked_among(source: Source, asked: Asked, min_votes: float | None) -> Queries:
    """What is asked for, of those galaxies of a source that may have it."""
    held = load_index(source.store, "observed").galaxy_id
    first = {int(source.tree.question_of[answer]): int(answer) for answer in asked.answer_id}
    candidates = {
        question: candidates_of(source.store, source.predict_run, held, answer, min_votes)
        for question, answer in first.items()
    }
    return Queries(**vars(asked), candidates=candidates)


def ranked(
    source: Source, kind: str, queries: Queries, most: int, *, approximate: bool = False
) -> list[list[Hit]]:
    """The best `most` candidates of each query by one kind, those of enough votes first."""
    index = load_index(source.store, kind)
    codes = load_codes(source.store, kind) if approximate else None
    question = source.tree.question_of[queries.answer_id]
    asked, weights, selves = queries.asked[kind], queries.weights, queries.galaxy_id.tolist()
    hits: list[list[Hit]] = [[] for _ in selves]
    for tier in (ENOUGH, FEWER):
        masks = {
            number: one.among(index.galaxy_id, tier) for number, one in queries.candidates.items()
        }
        there = {number: bool(mask.any()) for number, mask in masks.items()}
        rows = [row for row, q in enumerate(question) if len(hits[row]) < most and there[int(q)]]
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            among = [masks[int(question[row])] for row in some]
            exclude = [selves[row] for row in some]
            if codes is None:
                found = index.search_many(
                    asked[some], weights[some], most, exclude=exclude, among=among
                )
            else:
                found = [
                    codes.search(asked[row], weights[row], most, exclude=one, among=mask)
                    for row, one, mask in zip(some, exclude, among, strict=True)
                ]
            for row, (ids, scores) in zip(some, found, strict=True):
                pairs = zip(ids.tolist(), scores.tolist(), strict=True)
                hits[row] += [Hit(*pair, tier == ENOUGH) for pair in pairs]
    return [some[:most] for some in hits]


def one_kind_at_a_time(source: Source, queries: Queries, most: int) -> list[list[list[Hit]]]:
    """`ranked` for both kinds, of which one is in memory: there may be millions of galaxies."""
    hits = []
    for kind in KINDS:
        hits.append(ranked(source, kind, queries, most))
        unload_indexes()
    return hits
