import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import TOY, random_concentrations, random_counts
from tests.oracles.credence import credence_by_definition, next_vote_by_enumeration
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.scoring.credence import credence

PAIR = DecisionTree("pair", (Question("bar", ("yes", "no")),))


def test_credence_is_its_definition() -> None:
    counts, alpha = random_counts(40), random_concentrations(40, 5).astype(float)
    fast = credence(counts, alpha, TOY, 0.1)
    assert np.allclose(fast, credence_by_definition(counts, alpha, 0.1), rtol=1e-12)
    assert np.any(fast < 0.9)


@pytest.mark.parametrize("scale", [0.25, 7.3, 60])  # counts below 1, weighted, and many
def test_credence_of_weighted_and_of_many_votes_is_its_definition(scale: float) -> None:
    counts, alpha = scale * random_counts(40), random_concentrations(40, 5).astype(float)
    # differences of logarithms of gamma functions of some thousands lose five digits
    np.testing.assert_allclose(
        credence(counts, alpha, TOY, 0.1), credence_by_definition(counts, alpha, 0.1), rtol=1e-9
    )


def test_the_other_votes_say_which_sample_is_right() -> None:
    """One sample expects yes, one no; three of four votes say yes. By hand, in fractions.

    For a vote of yes the others are 2 yes, 1 no: (9 10 1) / (10 11 12) = 90/1320 under the
    first sample, (1 2 9) / 1320 = 18/1320 under the second. The next one is yes with 11/13
    or 3/13, so (90 11 + 18 3) / (108 13) = 29/39; without weights (11 + 3) / 26 = 7/13.
    For the vote of no the others are 3 yes: 9 10 11 against 1 2 3, that is 165 to 1; the next
    one is no with 1/13 or 9/13, so (165 + 9) / (166 13) = 87/1079; without weights 5/13.
    """
    alpha = np.array([[[9.0, 1.0], [1.0, 9.0]]])
    yes, no = credence([[3, 1]], alpha, PAIR, 0.2)[0]
    for found, chance in ((yes, 29 / 39), (no, 87 / 1079)):
        assert found == pytest.approx(0.8 * chance / (0.8 * chance + 0.1), rel=1e-14)


def test_it_is_bayes_theorem_over_all_fractions() -> None:
    """Samples and fractions enumerated, without the closed form of the likelihood."""
    tree = DecisionTree("three", (Question("shape", ("a", "b", "c")),))
    samples = [[8.0, 3.0, 2.0], [2.0, 7.0, 4.0]]
    votes = [3, 1, 2]
    worth = credence([votes], [samples], tree, 0.1)[0]
    for answer in range(3):
        others = [count - (k == answer) for k, count in enumerate(votes)]
        chance = next_vote_by_enumeration(others, answer, samples, 150)
        expected = 0.9 * chance / (0.9 * chance + 0.1 / 3)
        assert worth[answer] == pytest.approx(expected, rel=1e-3)


def test_concentrations_far_out_neither_overflow_nor_lose_digits() -> None:
    # as far as published ones may lie: many samples then have no say at all
    alpha = np.array([[[1e6, 1e-6], [1e-6, 1e6], [50.0, 50.0]]])
    for votes in ([40, 40], [900, 0], [1, 999], [1, 0]):
        worth = credence([votes], alpha, PAIR, 0.05)[0]
        assert ((worth > 0) & (worth <= 1)).all()
    assert credence([[40, 40]], alpha, PAIR, 0.05)[0, 0] == pytest.approx(
        credence([[40, 40]], alpha[:, 2:], PAIR, 0.05)[0, 0]
    )


def test_few_votes_against_the_model_count_little_and_many_outvote_it() -> None:
    alpha = np.array([[[1.0, 30.0]]] * 4)
    votes = np.array([[1, 4], [1, 39], [20, 20], [40, 0]])
    lone, lone_of_many, half, all_of_them = credence(votes, alpha, PAIR, 0.05)[:, 0]
    # by hand: p = (1 + k - 1) / (31 + n - 1)
    p = 1 / 35
    assert lone == pytest.approx(0.95 * p / (0.95 * p + 0.025))
    assert lone < 0.55
    assert lone_of_many < lone
    assert half > 0.9
    assert all_of_them > half


def test_probable_votes_are_believed() -> None:
    alpha = np.array([[[90.0, 10.0]]])
    assert credence([[5, 0]], alpha, PAIR, 0.05)[0, 0] > 0.97


@given(rate=st.floats(1e-6, 0.99), seed=st.integers(0, 100))
def test_credence_is_a_probability_and_falls_with_the_error_rate(rate: float, seed: int) -> None:
    counts, alpha = random_counts(5, seed=seed), random_concentrations(5, seed=seed)
    worth = credence(counts, alpha, TOY, rate)
    assert np.all((worth > 0) & (worth <= 1))
    assert np.all(credence(counts, alpha, TOY, rate / 2) >= worth)


def test_what_is_missing_is_not_doubted() -> None:
    counts = np.array([[np.nan, np.nan], [0.0, 3.0], [2.0, 1.0]])
    alpha = np.array([[[2.0, 2.0]], [[2.0, 2.0]], [[np.nan, np.nan]]])
    worth = credence(counts, alpha, PAIR, 0.2)
    assert worth[0].tolist() == [1, 1]
    assert worth[1, 0] == 1
    assert worth[1, 1] < 1
    assert worth[2].tolist() == [1, 1]


def test_known_errors_are_found() -> None:
    """Votes drawn with errors: the mean credence of errors is far below that of others."""
    random = np.random.default_rng(0)
    truth = random.dirichlet([0.3, 0.3, 0.3], 2000)
    meant = np.array([random.multinomial(18, p) for p in truth])
    errors = random.multinomial(2, [1 / 3] * 3, 2000)
    tree = DecisionTree("three", (Question("shape", ("a", "b", "c")),))
    worth = credence(meant + errors, 1 + 30 * truth[:, None], tree, 0.1)
    assert np.average(worth, weights=errors) < 0.8 < 0.9 < np.average(worth, weights=meant)
