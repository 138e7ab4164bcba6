"""What a gallery shows of the worst galaxies: votes, predictions, losses, counterparts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.portraits import SELECTED, Explanation, Portrait, relevant_questions
from zoolens.catalog.similarity.counterparts import Counterpart, Counterparts, find_many
from zoolens.catalog.similarity.files import KINDS, load_index
from zoolens.catalog.store.facts import AnswerFacts, facts_of
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Run, Store


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

    facts: by galaxy_id, counterparts included; predictions: the run that the losses are
    of.
    """

    rows: Sequence[Row]
    facts: Mapping[int, Sequence[AnswerFacts]]
    predictions: Run


def read_worst(store: Store, limit: int, min_votes: float | None, among: Ids | None) -> Rows:
    """The `limit` worst galaxies of the newest score run with all that is shown of them.

    min_votes: `FEWEST_VOTES` unless given; it, and what is raised, as in
    `catalog.store.ranking`; among: numbers of the galaxies that count, all unless given.
    Counterparts are sought in the whole catalogue, as `find_many` does. Votes are the
    current ones, predictions those that the losses are of.
    """
    scored = store.run(store.newest_run("score"))
    predicted = store.run(store.newest_run("predict"))
    tree = store.tree
    fewest = FEWEST_VOTES if min_votes is None else min_votes
    ranking = _ranking(store, limit, fewest, among).to_pylist()
    found = _counterparts(store, ranking, min_votes)
    shown = {row["galaxy_id"] for row in ranking}
    shown |= {one.galaxy_id for both in found for one in (*both.observed, *both.predicted)}
    facts = facts_of(store, sorted(shown), predict_run=predicted.run_id, score_run=scored.run_id)
    rows = [
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
    return Rows(rows, facts, predicted)


def _ranking(store: Store, limit: int, min_votes: float, among: Ids | None) -> pa.Table:
    if among is None:
        return rank_galaxies(store, limit, min_votes=min_votes)
    asked = limit
    while True:
        ranking = rank_galaxies(store, asked, min_votes=min_votes)
        found = ranking.filter(pc.is_in(ranking["galaxy_id"], pa.array(among, pa.int64())))
        if len(found) >= limit or len(ranking) < asked:
            return found.slice(0, limit)
        asked *= 8


def _counterparts(
    store: Store, ranking: Sequence[Mapping[str, int]], min_votes: float | None
) -> list[Counterparts]:
    """The counterparts of each galaxy, or why there are none."""
    try:
        for kind in KINDS:
            load_index(store, kind)
    except CatalogError:
        why = "The catalogue had no similarity index of its votes and predictions to find them."
        return [Counterparts([], [], notes=(why,))] * len(ranking)
    ids, answers = ([row[name] for row in ranking] for name in ("galaxy_id", "answer_id"))
    try:
        return find_many(store, ids, answers, min_votes=min_votes)
    except CatalogError as error:
        why = f"None: {_without_folder(str(error), store)}."
        return [Counterparts([], [], notes=(why,))] * len(ranking)


def _without_folder(words: str, store: Store) -> str:
    """An error message without private folders, for a page that others read."""
    return words.replace(f"{store.path.parent}/", "")


def _questions(tree: DecisionTree, answer_id: int, facts: Sequence[AnswerFacts]) -> list[str]:
    alone = Explanation(answer_id, [Portrait(SELECTED, "", facts, None)], ())
    return relevant_questions(alone, tree)
