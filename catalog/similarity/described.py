"""What was found of counterparts, in names, votes, targets and notes."""

from collections.abc import Mapping, Sequence

import numpy as np

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.similarity.files import KINDS
from zoolens.catalog.similarity.found import Counterpart, Counterparts, notes_of
from zoolens.catalog.similarity.places import Hit, fill_places
from zoolens.catalog.similarity.queries import Known, Queries, Source, read_known
from zoolens.catalog.similarity.target import Fractions, Target
from zoolens.catalog.store.galaxies import names_of

Filled = tuple[list[Hit], list[Hit], list[tuple[int, int]]]  # as `fill_places` gives


def describe(
    source: Source, queries: Queries, hits: Sequence[Sequence[Sequence[Hit]]], k: int
) -> list[Counterparts]:
    """The best k of the hits of each query by both kinds, named, with what to say of them."""
    filled = [fill_places(one, other, k) for one, other in zip(*hits, strict=True)]
    ids = named_by(filled)
    names, others, tree = names_of(source.store, ids), read_known(source, ids), source.tree
    counts = []
    for galaxy, answer in zip(queries.galaxy_id.tolist(), queries.answer_id, strict=True):
        candidates = queries.candidates[int(tree.question_of[answer])]
        counts.append((candidates.fewest, candidates.others(galaxy)))
    return described(tree, queries, filled, counts, k, ids, names, others)


def named_by(filled: Sequence[Filled]) -> Ids:
    """Numbers of the galaxies that descriptions name, ascending."""
    chosen = {hit.galaxy_id for *kinds, _ in filled for some in kinds for hit in some}
    chosen |= {galaxy for *_, both in filled for galaxy, _ in both}
    return np.array(sorted(chosen), np.int64)


def described(
    tree: DecisionTree,
    queries: Queries,
    filled: Sequence[Filled],
    counts: Sequence[tuple[float, tuple[int, int]]],
    k: int,
    ids: Ids,
    names: Mapping[int, str],
    others: Known,
) -> list[Counterparts]:
    """What is filled of each query's k places, named, with what to say of it.

    counts: the fewest votes wanted of a counterpart, and how many candidates there are, as of
    `notes_of`; ids: of all that are named, (M,), ascending; names and others: of them.
    """
    place = {galaxy: row for row, galaxy in enumerate(ids.tolist())}
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
        notes = notes_of(tree, answer, *counts[row], k, pair, twice)
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
