"""Rank correlations against SciPy's, and their resamples against ranking each anew."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.made.catalogues import (
    TOY,
    expected_fractions,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.evaluation.measures import resamples
from zoolens.catalog.evaluation.ranks import MEASURE, rank_correlations, spearman


def tied(galaxies: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    first = random.integers(0, 8, galaxies) / 8
    return first, np.round(first + random.normal(0, 0.4, galaxies), 1)


@pytest.mark.parametrize("galaxies", [2, 3, 40])
def test_rho_is_scipys_ties_included(galaxies: int) -> None:
    first, second = tied(galaxies, galaxies + 5)
    value, draws = spearman(first, second)
    assert value == pytest.approx(spearmanr(first, second)[0])
    assert len(draws) == 1000


def test_each_resample_is_ranked_anew() -> None:
    first, second = tied(15, 1)
    _, draws = spearman(first, second)
    times = np.concatenate(list(resamples(15)))[:40].astype(int)
    for drawn, found in zip(times, draws, strict=False):
        rows = np.repeat(np.arange(15), drawn)
        assert found == pytest.approx(spearmanr(first[rows], second[rows])[0])


def test_what_does_not_vary_has_none() -> None:
    value, draws = spearman(np.ones(9), np.arange(9.0))
    assert np.isnan(value)
    assert np.isnan(draws).all()
    assert np.isnan(spearman(np.ones(1), np.ones(1))[0])


def test_answers_are_of_those_who_were_asked_and_of_those_half_were() -> None:
    counts = random_counts(60)
    predicted = expected_fractions(random_concentrations(60))
    measures = rank_correlations(counts, predicted, TOY)
    asked = question_totals(counts)
    for number, (question, where) in enumerate(zip(TOY.questions, TOY.slices, strict=True)):
        enough = asked[:, number] >= 5
        half = enough & (asked[:, number] >= 0.5 * asked.max(axis=1))
        for place, label in enumerate(question.labels, where.start):
            for name, some in ((MEASURE, enough), (f"{MEASURE}, relevant", half)):
                (found,) = [m for m in measures if (m.measure, m.label) == (name, label)]
                fractions = counts[some, place] / asked[some, number]
                assert found.value == pytest.approx(spearmanr(fractions, predicted[some, place])[0])
                assert found.galaxies == some.sum()
                assert found.lo is not None
                assert found.hi is not None
                assert -1 <= found.lo <= found.value <= found.hi <= 1


def test_of_nothing_known_there_is_none() -> None:
    assert rank_correlations(random_counts(9), np.full((9, len(TOY.labels)), np.nan), TOY) == []
    assert rank_correlations(np.zeros((0, 10)), np.zeros((0, 10)), TOY) == []
