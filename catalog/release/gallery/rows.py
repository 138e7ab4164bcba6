"""What a gallery shows of the worst galaxies: votes, predictions, losses, counterparts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.explain.portraits import SELECTED, Explanation, Portrait, relevant_questions
from zoolens.catalog.similarity.counterparts import Counterpart, Counterparts
from zoolens.catalog.store.facts import AnswerFacts
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store


@dataclass(frozen=True)
class Row:
    """A galaxy of the gallery, by the answer that costs it most.

    votes: volunteers who were asked the question; loss: the answer's weighted_ce, nat;
    facts: of all A answers; questions: those shown, in tree order; observed and
    predicted: its counterparts, whose facts are in `Rows.facts`; notes: why one of them is
    missing, or how far from fair, in sentences.
    """

    galaxy_id: int
    iauname: str
    answer_id: int
    votes: float
    loss: float
    facts: Sequence[AnswerFacts]
    questions: Sequence[str]
    observed: Counterpart | None
    predicted: Counterpart | None
    notes: str

    @property
    def fact(self) -> AnswerFacts:
        """What is known of its answer."""
        return self.facts[self.answer_id]


@dataclass(frozen=True)
class Rows:
    """The galaxies of the gallery, worst first, and the facts of all that it shows.

    facts: by galaxy_id, counterparts included.
    """

    rows: Sequence[Row]
    facts: Mapping[int, Sequence[AnswerFacts]]


def read_worst(
    store: Store, limit: int, min_votes: float | None, among: Ids | None
) -> list[dict[str, Any]]:
    """The `limit` worst galaxies of the newest score run, as `rank_galaxies` has them.

    min_votes: `FEWEST_VOTES` unless given; it, and what is raised, as in
    `catalog.store.ranking`; among: numbers of the galaxies that count, all unless given.
    """
    fewest = FEWEST_VOTES if min_votes is None else min_votes
    asked = limit
    while True:
        ranking = rank_galaxies(store, asked, min_votes=fewest)
        found = ranking
        if among is not None:
            found = ranking.filter(pc.is_in(ranking["galaxy_id"], pa.array(among, pa.int64())))
        if len(found) >= limit or len(ranking) < asked:
            rows: list[dict[str, Any]] = found.slice(0, limit).to_pylist()
            return rows
        asked *= 8


def shown_rows(
    tree: DecisionTree,
    ranking: Sequence[Mapping[str, Any]],
    found: Sequence[Counterparts],
    facts: Mapping[int, Sequence[AnswerFacts]],
) -> list[Row]:
    """The rows of `read_worst`, with their counterparts and what is known of them, by number."""
    return [
        Row(
            row["galaxy_id"],
            row["iauname"],
            row["answer_id"],
            row["votes"],
            row["weighted_ce"],
            facts[row["galaxy_id"]],
            _questions(tree, row["answer_id"], facts[row["galaxy_id"]]),
            next(iter(both.observed), None),
            next(iter(both.predicted), None),
            " ".join(both.notes),
        )
        for row, both in zip(ranking, found, strict=True)
    ]


def _questions(tree: DecisionTree, answer_id: int, facts: Sequence[AnswerFacts]) -> list[str]:
    alone = Explanation(answer_id, [Portrait(SELECTED, "", facts, None)], ())
    return relevant_questions(alone, tree)
