"""What is told of a galaxy: the paper's Tables 1 and 2 from its votes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made.catalogues import add_fractions, catalogue
from zoolens.catalog.explain.portraits import (
    Explanation,
    Portrait,
    outside_votes,
    relevant_questions,
)
from zoolens.catalog.store.facts import AnswerFacts, facts_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree

TREE = get_tree("gzd5")


@pytest.fixture(scope="module")
def paper(data: Path) -> dict[str, Any]:
    tables: dict[str, Any] = json.loads((data / "paper_tables.json").read_text())
    return tables


@pytest.fixture(scope="module")
def store(paper: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The paper's three galaxies, their published votes and predicted fractions."""
    names = list(paper["table1_votes"])
    counts = np.zeros((3, len(TREE.labels)))
    totals = np.zeros((3, len(TREE.questions)))
    fractions = np.full((3, len(TREE.labels)), np.nan)
    for row, name in enumerate(names):
        votes = paper["table1_votes"][name]
        for number, question in enumerate(TREE.questions):
            totals[row, number] = votes.get(f"{question.name}_total-votes", 0)
        for answer, label in enumerate(TREE.labels):
            counts[row, answer] = votes.get(label, 0)
            predicted = paper["table2_fractions"][name].get(f"{label}_pred_frac")
            fractions[row, answer] = np.nan if predicted is None else predicted
    # the paper's tables leave out the third answer to the first question
    counts[:, 2] = totals[:, 0] - counts[:, :2].sum(axis=1)
    path = catalogue(
        tmp_path_factory.mktemp("paper") / "gz.duckdb",
        counts,
        totals=totals,
        tree=TREE,
        names=names,
    )
    with Store.open(path) as opened:
        add_fractions(opened, fractions)
        yield opened


def portrait(store: Store, number: int) -> Portrait:
    return Portrait("selected", str(number), facts_of(store, [number])[number], None)


def test_votes_and_fractions_are_those_of_the_papers_tables(
    store: Store, paper: dict[str, Any]
) -> None:
    for number, name in enumerate(paper["table1_votes"]):
        facts = {fact.label: fact for fact in facts_of(store, [number])[number]}
        assert list(facts) == list(TREE.labels)
        votes, fractions = paper["table1_votes"][name], paper["table2_fractions"][name]
        for label, fact in facts.items():
            if label in votes:
                assert fact.count == votes[label]
                assert fact.total == votes[f"{fact.question}_total-votes"]
            if f"{label}_fraction" in fractions:
                # published to six digits
                assert fact.observed == pytest.approx(fractions[f"{label}_fraction"], abs=5e-7)
                assert fact.predicted == fractions[f"{label}_pred_frac"]
            assert fact.ce is None  # nothing was scored
    bar = next(fact for fact in facts_of(store, [0])[0] if fact.label == "bar_no")
    assert (bar.count, bar.total, bar.observed, bar.predicted) == (0, 0, None, None)


def test_the_relevant_questions_are_those_that_the_paper_shows(store: Store) -> None:
    explanation = Explanation(TREE.answer_id("how-rounded_round"), [portrait(store, 0)], [])
    assert relevant_questions(explanation, TREE) == [
        "smooth-or-featured",
        "disk-edge-on",
        "how-rounded",
    ]


def test_what_leads_to_the_question_is_relevant(store: Store) -> None:
    # nobody was asked for winding, and it is shown with all that leads there
    explanation = Explanation(TREE.answer_id("spiral-winding_tight"), [portrait(store, 2)], [])
    questions = relevant_questions(explanation, TREE)
    for name in ("smooth-or-featured", "disk-edge-on", "has-spiral-arms", "spiral-winding"):
        assert name in questions
    assert "edge-on-bulge" not in questions


def test_votes_outside_the_tree_are_counted() -> None:
    facts = [
        AnswerFacts("merging", answer, f"merging_{answer}", count, 23, None, *[None] * 4)
        for answer, count in (("none", 13), ("merger", 4))
    ]
    assert outside_votes(Portrait("selected", "G1", facts, None), "merging") == 6


def test_without_any_votes_the_question_itself_is_relevant() -> None:
    facts = [
        AnswerFacts(
            TREE.questions[question].name,
            "",
            label,
            count=None,
            total=None,
            observed=None,
            predicted=None,
            lo=None,
            hi=None,
            ce=None,
        )
        for question, label in zip(TREE.question_of, TREE.labels, strict=True)
    ]
    explanation = Explanation(
        TREE.answer_id("bar_no"), [Portrait("selected", "G", facts, None)], []
    )
    assert relevant_questions(explanation, TREE) == ["smooth-or-featured", "disk-edge-on", "bar"]
