"""Errors and accuracies by hand, and against loops over galaxies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import (
    TOY,
    expected_fractions,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.evaluation.errors import errors, errors_against_truth, likelihoods
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll

ANSWERS = len(TOY.labels)
SHAPE, ROUND, BAR, MERGING = TOY.slices


def one(measures: list[Measure], measure: str, about: str) -> Measure:
    (found,) = [m for m in measures if m.measure == measure and about in (m.question, m.label)]
    return found


def names(measures: list[Measure], measure: str) -> list[str | None]:
    return [m.question or m.label for m in measures if m.measure == measure]


def predictions(galaxies: int, seed: int = 1) -> np.ndarray:
    return expected_fractions(random_concentrations(galaxies, seed=seed))


def test_errors_are_those_of_a_loop() -> None:
    counts, predicted = random_counts(40), predictions(40)
    measures = errors(counts, predicted, TOY)
    totals = question_totals(counts)
    for number, (question, where) in enumerate(zip(TOY.questions, TOY.slices, strict=True)):
        asked = np.flatnonzero(totals[:, number] >= 5)
        votes = np.array([counts[i, where] / totals[i, number] for i in asked])
        off = np.abs(votes - predicted[asked, where])
        blind = np.abs(votes - votes.mean(axis=0))
        found = one(measures, "mean absolute error", question.name)
        assert (found.value, found.chance) == pytest.approx((off.mean(), blind.mean()))
        assert found.galaxies == len(asked)
        for place, label in enumerate(question.labels):
            found = one(measures, "mean absolute error", label)
            expected = (off[:, place].mean(), blind[:, place].mean())
            assert (found.value, found.chance) == pytest.approx(expected)
            assert found.question is None
        right = [
            votes[i, predicted[asked[i], where].argmax()] == votes[i].max()
            for i in range(len(asked))
        ]
        found = one(measures, "accuracy", question.name)
        assert found.value == pytest.approx(np.mean(right))
        assert found.topic == "accuracy"


def toy_votes() -> tuple[np.ndarray, np.ndarray]:
    """Six galaxies: 10 volunteers each, and how many of them were asked for a bar."""
    counts, predicted = np.zeros((6, ANSWERS)), np.full((6, ANSWERS), 0.1)
    counts[:, SHAPE] = [0, 10, 0]
    predicted[:, SHAPE] = [0.2, 0.7, 0.1]
    counts[:, BAR] = [[8, 2, 0], [4, 4, 2], [0, 2, 8], [5, 0, 0], [4, 0, 0], [0, 4, 1]]
    predicted[:, BAR] = [0.6, 0.3, 0.1]
    return counts, predicted


def test_accuracies_by_hand() -> None:
    measures = errors(*toy_votes(), TOY)
    # right, right by a tie, wrong, right; too few votes to tell; wrong
    every = one(measures, "accuracy", "bar")
    assert (every.value, every.galaxies) == (3 / 5, 5)
    assert every.chance == 3 / 5  # "strong" for all, which is what is predicted
    assert one(measures, "accuracy, relevant", "bar").galaxies == 5  # half of the ten or more
    sure = one(measures, "accuracy, confident", "bar")
    assert (sure.value, sure.galaxies, sure.chance) == (2 / 4, 4, 2 / 4)
    assert names(measures, "accuracy") == ["shape", "bar"]


def test_few_asked_are_not_relevant() -> None:
    counts, predicted = toy_votes()
    counts[:, SHAPE] = [1, 10, 0]
    relevant = one(errors(counts, predicted, TOY), "accuracy, relevant", "bar")
    assert relevant.galaxies == 3  # five of eleven is less than half
    assert one(errors(counts, predicted, TOY, min_votes=1), "accuracy", "bar").galaxies == 6


def test_missing_votes_and_answers_are_left_out() -> None:
    counts, predicted = toy_votes()
    counts[0, BAR] = np.nan
    predicted[1, BAR.start] = np.nan
    predicted[:, SHAPE.start] = np.nan
    measures = errors(counts, predicted, TOY)
    assert {m.question for m in measures if m.question} == {"bar"}
    assert one(measures, "accuracy", "bar").galaxies == 3
    assert one(measures, "mean absolute error", "bar_no").galaxies == 3


def test_likelihoods_are_means_over_those_asked() -> None:
    counts, alpha = random_counts(30), random_concentrations(30)
    counts[:, MERGING] *= 0.7  # weighted votes have a likelihood, too
    counts[:5, SHAPE] = np.nan
    measures = likelihoods(counts, alpha, TOY)
    nll = dirichlet_multinomial_nll(counts, alpha, TOY)
    totals = question_totals(counts)
    for number, question in enumerate(TOY.questions):
        found = one(measures, "negative log likelihood", question.name)
        asked = totals[:, number] > 0
        assert found.value == pytest.approx(nll[asked, number].mean())
        assert (found.galaxies, found.topic) == (asked.sum(), "error")


def test_likelihoods_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, alpha = random_counts(11), random_concentrations(11)
    whole = likelihoods(counts, alpha, TOY)
    monkeypatch.setattr("zoolens.catalog.evaluation.errors._GALAXIES", 4)
    assert likelihoods(counts, alpha, TOY) == whole


def test_truth_counts_where_volunteers_get_there() -> None:
    truth = np.zeros((4, ANSWERS))
    truth[:, SHAPE] = np.array([[0.4, 0.6, 0], [0.6, 0.4, 0], [0.1, 0.5, 0.4], [0, 1, 0]])
    truth[:, ROUND] = [0.3, 0.7]
    truth[:, BAR] = np.array([[0.1, 0.8, 0.1], [1, 0, 0], [0.5, 0.3, 0.2], [0, 0.2, 0.8]])
    truth[:, MERGING] = [0.1, 0.9]
    predicted = np.tile([0.1, 0.8, 0.1, 0.5, 0.5, 0.1, 0.8, 0.1, 0.2, 0.8], (4, 1))
    measures = errors_against_truth(predicted, truth, TOY)
    assert one(measures, "reach", "bar").value == pytest.approx(np.mean([0.6, 0.4, 0.5, 1]))
    assert one(measures, "reach", "shape").value == 1
    error = one(measures, "mean absolute error against the truth", "bar")
    # galaxies 0, 2 and 3: off by nothing; 0.4, 0.5, 0.1; 0.1, 0.6, 0.7
    assert (error.value, error.galaxies) == (pytest.approx(2.4 / 9), 3)
    assert one(measures, "accuracy against the truth", "bar").value == pytest.approx(1 / 3)
    sure = one(measures, "accuracy against the truth, confident", "bar")
    assert (sure.value, sure.galaxies) == (1 / 2, 2)
    assert one(measures, "accuracy against the truth", "merging").value == 1


def test_float32_probabilities_of_four_fifths_are_confident() -> None:
    truth = np.tile(np.array([0, 1, 0, 0.5, 0.5, 0.1, 0.8, 0.1, 0.2, 0.8], np.float32), (5, 1))
    measures = errors_against_truth(truth, truth, TOY)
    sure = one(measures, "accuracy against the truth, confident", "bar")
    assert (sure.value, sure.galaxies, sure.lo, sure.hi) == (1, 5, 1, 1)
    assert one(measures, "mean absolute error against the truth", "bar").value == 0


@pytest.mark.parametrize("galaxies", [0, 1, 3])
def test_nothing_known_measures_nothing(galaxies: int) -> None:
    missing = np.full((galaxies, ANSWERS), np.nan)
    known = predictions(galaxies)
    assert errors(missing, known, TOY) == []
    assert errors(random_counts(galaxies), missing, TOY) == []
    assert errors(np.zeros((galaxies, ANSWERS)), known, TOY, min_votes=0) == []
    assert likelihoods(missing, random_concentrations(galaxies), TOY) == []
    assert {m.measure for m in errors_against_truth(missing, known, TOY)} <= {"reach"}


@given(st.integers(0, 30), st.integers(0, 1000))
@pytest.mark.slow
def test_values_stay_in_their_range(galaxies: int, seed: int) -> None:
    counts, predicted = random_counts(galaxies, seed=seed, most=8), predictions(galaxies, seed)
    measures = errors(counts, predicted, TOY)
    measures += errors_against_truth(predicted, predictions(galaxies, seed + 1), TOY)
    for m in measures:
        assert 0 <= m.value <= 1
        assert m.galaxies > 0
        assert m.chance is None or 0 <= m.chance <= 1
        assert m.lo is None or m.hi is None or -1e-12 <= m.lo <= m.hi <= 1 + 1e-12
