import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.sky.volunteers import Crowd, as_vector, cast_votes, visibility, walk
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow

EXACT = Crowd(overdispersion=0, error_rate=0, misvote_rate=0, share_many=1)


@pytest.fixture(scope="module")
def tree() -> DecisionTree:
    return get_tree("gzd5")


def _probabilities(tree: DecisionTree, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.dirichlet(np.ones(w.stop - w.start)) for w in tree.slices])


def _totals(tree: DecisionTree, counts: np.ndarray) -> dict[str, int]:
    return {
        question.name: int(counts[where].sum())
        for question, where in zip(tree.questions, tree.slices, strict=True)
    }


@given(
    seed=st.integers(0, 10_000),
    overdispersion=st.sampled_from([0.0, 0.05, 0.5, 0.9]),
    error_rate=st.floats(0, 1),
    misvote_rate=st.sampled_from([0.0, 1.0]),
    many=st.integers(1, 200),
)
def test_votes_obey_the_tree(
    seed: int, overdispersion: float, error_rate: float, misvote_rate: float, many: int
) -> None:
    tree = get_tree("gzd5")
    crowd = Crowd(overdispersion, error_rate, misvote_rate, many, 5, 1.0)
    ballot = cast_votes(np.random.default_rng(seed), tree, _probabilities(tree, seed), crowd)
    totals = _totals(tree, ballot.counts)
    assert totals["smooth-or-featured"] == ballot.volunteers == many
    for question in tree.questions:
        if question.asked_after:
            leading = sum(int(ballot.counts[tree.answer_id(e)]) for e in question.asked_after)
            assert totals[question.name] == leading
    assert (ballot.errors >= 0).all()
    assert (ballot.errors <= ballot.counts).all()


def test_without_spread_or_error_votes_are_multinomial(tree: DecisionTree) -> None:
    crowd = dataclasses.replace(EXACT, many=1000)
    probabilities = _probabilities(tree, 1)
    rng = np.random.default_rng(2)
    counts = sum(cast_votes(rng, tree, probabilities, crowd).counts for _ in range(50))
    for where in tree.slices:
        expected = probabilities[where] * counts[where].sum()  # type: ignore[index]
        assert stats.chisquare(counts[where], expected).pvalue > 0.001  # type: ignore[index]


@pytest.mark.parametrize("rho", [0.02, 0.2])
def test_overdispersion_widens_counts_as_a_beta_binomial_does(
    tree: DecisionTree, rho: float
) -> None:
    probabilities = np.full(len(tree.labels), 0.5)
    for where in tree.slices:
        probabilities[where] = 1 / (where.stop - where.start)
    crowd = dataclasses.replace(EXACT, overdispersion=rho)
    rng = np.random.default_rng(4)
    smooth = [cast_votes(rng, tree, probabilities, crowd).counts[0] for _ in range(4000)]
    n, p = crowd.many, 1 / 3
    # (1 - rho) / rho is the Dirichlet's concentration, so 1 / (concentration + 1) = rho
    expected = n * p * (1 - p) * (1 + (n - 1) * rho)
    # the variance of 4000 draws has a standard error of 2 to 3 %
    assert np.var(smooth) == pytest.approx(expected, rel=0.1)
    assert np.mean(smooth) == pytest.approx(n * p, rel=0.05)


def test_all_errors_are_uniform_and_all_counted(tree: DecisionTree) -> None:
    crowd = dataclasses.replace(EXACT, error_rate=1.0, many=6000)
    ballot = cast_votes(np.random.default_rng(5), tree, _probabilities(tree, 3), crowd)
    assert np.array_equal(ballot.errors, ballot.counts)
    for where in tree.slices:
        assert stats.chisquare(ballot.counts[where]).pvalue > 0.001


def test_the_error_rate_is_the_share_of_careless_volunteers(tree: DecisionTree) -> None:
    crowd = dataclasses.replace(EXACT, error_rate=0.1, many=20_000)
    ballot = cast_votes(np.random.default_rng(6), tree, _probabilities(tree, 3), crowd)
    # binomial: 0.1 +- 0.002
    assert ballot.errors[tree.slices[0]].sum() / 20_000 == pytest.approx(0.1, abs=0.008)
    assert not ballot.misvoted


def test_a_misvoted_galaxy_says_so_and_prefers_another_answer(tree: DecisionTree) -> None:
    certain = np.zeros(len(tree.labels))
    certain[[where.start for where in tree.slices]] = 1
    crowd = dataclasses.replace(EXACT, misvote_rate=1.0)
    ballot = cast_votes(np.random.default_rng(7), tree, certain, crowd)
    assert ballot.misvoted
    assert ballot.counts[0] == 0
    assert np.array_equal(ballot.errors, ballot.counts)


def test_the_two_parts_of_the_survey_have_their_shares(tree: DecisionTree) -> None:
    rng = np.random.default_rng(8)
    probabilities = _probabilities(tree, 0)
    asked = [cast_votes(rng, tree, probabilities, Crowd()).volunteers for _ in range(2000)]
    assert set(asked) == {5, 40}
    assert np.mean(np.equal(asked, 40)) == pytest.approx(0.6, abs=0.04)


def test_merging_is_asked_after_smooth_and_after_featured(tree: DecisionTree) -> None:
    counts = walk(np.random.default_rng(0), tree, _probabilities(tree, 9), 500)
    totals = _totals(tree, counts)
    assert totals["merging"] == 500 - counts[tree.answer_id("smooth-or-featured_artifact")]


def test_chances_stand_in_the_trees_order(tree: DecisionTree) -> None:
    chances = {q.name: {a: i + 1.0 for i, a in enumerate(q.answers)} for q in tree.questions}
    vector = as_vector(tree, chances)
    assert vector[tree.answer_id("bar_no")] == pytest.approx(3 / 6)
    assert [vector[where].sum() for where in tree.slices] == pytest.approx([1] * 10)


_RANGES = (st.floats(0.001, 1), st.floats(0.1, 1000), st.floats(0.05, 20))


@given(*_RANGES, st.floats(1, 5), st.integers(0, 2))
def test_more_contrast_signal_or_size_over_seeing_is_never_harder_to_see(
    contrast: float, signal: float, resolution: float, more: float, which: int
) -> None:
    before = [contrast, signal, resolution]
    after = [value * more if index == which else value for index, value in enumerate(before)]
    assert 0 <= visibility(*before) <= visibility(*after) <= 1


def test_what_is_smaller_than_the_seeing_is_hardly_seen() -> None:
    assert visibility(0.5, 100, 0.2) < 0.05
    assert visibility(0.5, 100, 5) > 0.8
