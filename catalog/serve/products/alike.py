"""A galaxy's counterparts, and the galaxies most like it, as `zoolens similar` finds them."""

import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import Told
from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.products.subject import Made, Subject
from zoolens.catalog.serve.products.writing import as_table
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.similarity.exchange import Exchange, default_weights, part_exchanged
from zoolens.catalog.similarity.listing import (
    asked_for_and_found,
    costliest_answer,
    counterpart_table,
)
from zoolens.catalog.similarity.queries import Facts, Source
from zoolens.catalog.store.facts import facts_of
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.survey.alike import most_alike, most_alike_in_survey
from zoolens.catalog.survey.counterparts import find_in_survey

FEWEST, MOST, WEIGHT = 5, 100, "weight."  # counterparts of a kind; what a weight's name begins with


def counterparts(subject: Subject, asked: Product, scratch: Path) -> Made:
    """The observed and predicted counterparts of a galaxy, with what was asked for.

    Choices: `answer`, a label, or `question`, of which that is the answer that costs most;
    `exchange`; `k`; `min_votes`; `weight.QUESTION` for weights other than 5 for what is exchanged
    and 1 for others.
    """
    store, tree = subject.store, subject.store.tree
    answer_id, notes = _answer(subject, asked), _told(subject)
    exchange = cast(Exchange, asked.choice("exchange") or "question")
    weights = default_weights(part_exchanged(tree, np.array([answer_id]), exchange))[0]
    chosen = _weighted(tree, weights, asked)
    votes = asked.choice("min_votes")
    given: dict[str, Any] = {
        "k": int(asked.choice("k") or FEWEST),
        "weights": weights if chosen else None,
        "min_votes": None if votes is None else float(votes),
        "exchange": exchange,
    }
    facts: Facts
    if subject.home is None:
        found = find_counterparts(store, subject.galaxy_id, answer_id, **given)
        facts = Source.of(store)
    else:
        found, facts = find_in_survey(subject.served, subject.home, answer_id, **given)
    rows = counterpart_table(facts, subject.name, subject.galaxy_id, answer_id, found)
    question = tree.questions[tree.question_of[answer_id]]
    content = {
        "galaxy": subject.name,
        "question": question.name,
        "label": tree.labels[answer_id],
        "exchange": exchange,
        "exchanged": found.exchanged,
        "weights": _by_question(tree, weights),
        "notes": [*notes, *asked_for_and_found(tree, answer_id, found), *found.notes],
    }
    return as_table(subject, "counterparts", content, rows, asked.choice("RESPONSEFORMAT"), scratch)


def similar(subject: Subject, asked: Product, scratch: Path) -> Made:
    """The galaxies most like one in its votes, and in its predictions; nothing is exchanged.

    Choices: `k`; `weight.QUESTION` for weights other than 1.
    """
    tree, notes = subject.store.tree, _told(subject)
    weights = np.ones(len(tree.labels))
    _weighted(tree, weights, asked)
    k = int(asked.choice("k") or FEWEST)
    if subject.home is None:
        found = most_alike(subject.store, subject.galaxy_id, weights, k)
    else:
        found = most_alike_in_survey(subject.served, subject.home, weights, k)
    rows = [
        (kind, found.names[h.galaxy_id], h.score) for kind in found.hits for h in found.hits[kind]
    ]
    kinds, names, scores = ([row[at] for row in rows] for at in range(3))
    table = pa.table(
        {
            "alike": pa.array(kinds, pa.string()),
            "iauname": pa.array(names, pa.string()),
            "score": pa.array(scores, pa.float64()),
        }
    )
    content = {
        "galaxy": subject.name,
        "weights": _by_question(tree, weights),
        "notes": [*notes, *found.notes],
    }
    return as_table(subject, "similar", content, table, asked.choice("RESPONSEFORMAT"), scratch)


def _answer(subject: Subject, asked: Product) -> int:
    """The answer that counterparts are sought for."""
    store, tree = subject.store, subject.store.tree
    if (label := asked.choice("answer")) is not None:
        return tree.answer_id(label)
    if (name := asked.choice("question")) is None:
        return costliest_answer(store, subject.name, subject.galaxy_id)
    where = tree.slices[tree.question_id(name)]
    facts = facts_of(store, [subject.galaxy_id])[subject.galaxy_id][where]
    costs = [(fact.ce or 0.0, fact.predicted or 0.0) for fact in facts]
    return where.start + max(range(len(costs)), key=lambda place: costs[place])


def _weighted(tree: DecisionTree, weights: Floats, asked: Product) -> bool:
    """Set the weights (A,) that were chosen for questions; whether any was."""
    chosen = [pair for pair in asked.choices if pair[0].startswith(WEIGHT)]
    for name, value in chosen:
        weights[tree.slices[tree.question_id(name.removeprefix(WEIGHT))]] = float(value)
    return bool(chosen)


def _by_question(tree: DecisionTree, weights: Floats) -> dict[str, float | list[float]]:
    """Weights by question: one, or one for each of its answers."""
    found = {}
    for question, where in zip(tree.questions, tree.slices, strict=True):
        some = weights[where].tolist()
        found[question.name] = some[0] if len(set(some)) == 1 else some
    return found


def _told(subject: Subject) -> list[str]:
    """What has to be known of the predictions that are compared."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Told)
        warn_of(subject.store, "predict")
    return [str(one.message) for one in caught if isinstance(one.message, Told)]
