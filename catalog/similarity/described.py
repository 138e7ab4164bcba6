"""What was found of counterparts, in names, votes, targets and notes."""

from collections.abc import Mapping, Sequence

import numpy as np

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.similarity.candidates import Counted
from zoolens.catalog.similarity.files import KINDS
from zoolens.catalog.similarity.found import Counterpart, Counterparts, notes_of
from zoolens.catalog.similarity.places import Hit, fill_places
from zoolens.catalog.similarity.queries import Asked, Facts
from zoolens.catalog.similarity.target import Fractions, Target


def describe(
    facts: Facts,
    queries: Asked,
    candidates: Mapping[int, Counted],
    hits: Sequence[Sequence[Sequence[Hit]]],
    k: int,
) -> list[Counterparts]:
    """The best k of the hits of each query by both kinds, named, with what to say of them.

    candidates: by question, those that were searched.
    """
    filled = [fill_places(one, other, k) for one, other in zip(*hits, strict=True)]
    chosen = {hit.galaxy_id for *kinds, _ in filled for some in kinds for hit in some}
    chosen |= {galaxy for *_, both in filled for galaxy, _ in both}
    ids = np.array(sorted(chosen), np.int64)
    place = {galaxy: row for row, galaxy in enumerate(ids.tolist())}
    names, others, tree = facts.names(ids), facts.known(ids), facts.tree
    found = []
    for row, (*kinds, both) in enumerate(filled):
        answer = int(queries.answer_id[row])
        question = int(tree.question_of[answer])
        asked = [fractions_of(tree, answer, queries.asked[kind][row]) for kind in KINDS]
        pair: list[list[Counterpart]] = []
        for kind, target, some in zip(KINDS, asked, kinds, strict=True):
            have = getattr(others, kind)
            pair.append([])
            for hit in some:
                at = place[hit.galaxy_id]
                votes = float(others.totals[at, question])
                noisy = votes if kind == "observed" else float(queries.known.totals[row, question])
                pair[-1].append(
                    Counterpart(
                        hit.galaxy_id,
                        names[hit.galaxy_id],
                        hit.score,
                        target_of(tree, answer, target, have[at], noisy),
                        votes,
                    )
                )
        twice = [(names[galaxy], way) for galaxy, way in both]
        galaxy, among = int(queries.galaxy_id[row]), candidates[question]
        notes = notes_of(tree, answer, among, galaxy, k, pair, twice)
        found.append(Counterparts(pair[0], pair[1], True, (asked[0], asked[1]), notes))
    return found


def target_of(
    tree: DecisionTree, answer_id: int, asked: Fractions, found: Floats, votes: float | None
) -> Target:
    """What was asked for, beside fractions (A,) that were found."""
    question = tree.question_of[answer_id]
    place = answer_id - tree.slices[question].start
    answers = tree.questions[question].answers
    return Target(answers, place, asked, fractions_of(tree, answer_id, found), votes)


def fractions_of(tree: DecisionTree, answer_id: int, values: Floats) -> Fractions:
    """Those of values (A,) that are of the question of an answer."""
    where = tree.slices[tree.question_of[answer_id]]
    return tuple(None if np.isnan(value) else float(value) for value in values[where])
