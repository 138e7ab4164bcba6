"""Cumulative probabilities of votes against scipy's, and where that is hard."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from tests.made.catalogues import TOY, random_concentrations, random_counts
from zoolens.catalog.evaluation.calibration import (
    LEVELS,
    beta_binomial_cumulative,
    calibration,
    covered,
    mostly_weighted,
    predicted_steps,
    rounded_votes,
)
from zoolens.catalog.evaluation.measures import Measure


def test_mixtures_are_means_of_scipys_distributions() -> None:
    random = np.random.default_rng(0)
    n = random.integers(0, 90, 60)
    k = random.binomial(n, random.random(60))
    a, b = 1 + 100 * random.beta(0.5, 2, (2, 60, 4))
    lower, upper = beta_binomial_cumulative(k, n, a, b)
    for row in range(60):
        laws = [stats.betabinom(n[row], *pair) for pair in zip(a[row], b[row], strict=True)]
        # scipy adds up from 0 and is itself good to 1e-12
        assert lower[row] == pytest.approx(np.mean([p.cdf(k[row] - 1) for p in laws]), abs=1e-11)
        assert upper[row] == pytest.approx(np.mean([p.cdf(k[row]) for p in laws]), abs=1e-11)


@given(
    n=st.integers(0, 60),
    share=st.floats(0, 1),
    a=st.floats(0.5, 500),
    b=st.floats(0.5, 500),
)
def test_they_rise_from_0_to_1_and_mirror(n: int, share: float, a: float, b: float) -> None:
    k = round(n * share)
    close: Any = {"abs": 1e-10}  # log-gammas of thousands are rounded at 1e-12
    (lower,), (upper,) = beta_binomial_cumulative([k], [n], [[a]], [[b]])
    assert -1e-10 <= lower <= upper <= 1 + 1e-10
    if k == 0:
        assert lower == pytest.approx(0, **close)
    if k == n:
        assert upper == pytest.approx(1, **close)
    (other_lower,), (other_upper,) = beta_binomial_cumulative([n - k], [n], [[b]], [[a]])
    assert (1 - other_upper, 1 - other_lower) == pytest.approx((lower, upper), **close)


@pytest.mark.parametrize("strength", [1e-2, 1e4])
def test_far_tails_of_many_votes_stay_finite(strength: float) -> None:
    n = 3000
    k = np.array([0, 1, 1500, 2999, 3000])
    a, b = np.full((5, 2), [0.99, 0.01]) * strength, np.full((5, 2), [0.01, 0.99]) * strength
    lower, upper = beta_binomial_cumulative(k, np.full(5, n), a, b)
    every = np.arange(n + 1)
    law = np.mean(
        [stats.betabinom(n, *pair).pmf(every) for pair in zip(a[0], b[0], strict=True)], 0
    )
    summed = np.cumsum(law)
    np.testing.assert_allclose(upper, summed[k], atol=1e-9)  # 3,000 roundings of scipy's
    np.testing.assert_allclose(lower, np.r_[0, summed][k], atol=1e-9)


def test_nothing_asked_is_nothing_answered() -> None:
    lower, upper = beta_binomial_cumulative([], [], np.empty((0, 3)), np.empty((0, 3)))
    assert lower.shape == upper.shape == (0,)
    (lower,), (upper,) = beta_binomial_cumulative([0], [0], [[2.0]], [[3.0]])
    assert (lower, upper) == pytest.approx((0, 1))


def test_large_inputs_go_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    n = random.integers(0, 40, 50)
    k, (a, b) = random.binomial(n, 0.3), 1 + 20 * random.random((2, 50, 3))
    whole = beta_binomial_cumulative(k, n, a, b)
    monkeypatch.setattr("zoolens.catalog.evaluation.calibration._AT_ONCE", 20)
    np.testing.assert_allclose(beta_binomial_cumulative(k, n, a, b), whole, rtol=1e-14, atol=1e-15)


ANSWERS = len(TOY.labels)


def simulated(
    galaxies: int, *, strength: float = 1, samples: int = 3, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Counts drawn from a posterior, and that posterior with its concentrations scaled."""
    random = np.random.default_rng(seed)
    alpha = random_concentrations(galaxies, samples, seed=seed + 1).astype(np.float64)
    counts = np.zeros((galaxies, ANSWERS))
    for galaxy in range(galaxies):
        true = alpha[galaxy, random.integers(samples)]
        for where in TOY.slices:
            counts[galaxy, where] = random.multinomial(
                random.integers(5, 41), random.dirichlet(true[where])
            )
    return counts, alpha * strength


def overall(measures: list[Measure]) -> dict[float | None, Measure]:
    return {m.level: m for m in measures if m.question is None}


def test_a_calibrated_model_covers_what_it_says() -> None:
    galaxies = 600
    measures = calibration(*simulated(galaxies), TOY)
    assert len(measures) == len(LEVELS) * (1 + len(TOY.questions))
    for level, found in overall(measures).items():
        assert level is not None
        assert found.lo is not None
        assert found.hi is not None
        assert (found.topic, found.measure) == ("calibration", "coverage")
        assert (found.galaxies, found.chance) == (galaxies, None)
        # by its own interval, which spans four standard errors of the mean
        assert abs(found.value - level) < 3 * (found.hi - found.lo) / 4
        # answers of a galaxy are at best independent: ten each
        assert found.hi - found.lo < 4 * np.sqrt(level * (1 - level) / galaxies)


@pytest.mark.parametrize(("strength", "sign"), [(6, -1), (0.15, 1)])
def test_over_and_underconfident_models_are_told(strength: float, sign: int) -> None:
    for level, found in overall(calibration(*simulated(300, strength=strength), TOY)).items():
        assert level is not None
        assert found.lo is not None
        assert found.hi is not None
        assert sign * (found.value - level) > 0
        assert not found.lo <= level <= found.hi


def test_coverage_is_the_expectation_over_drawn_transforms() -> None:
    counts, alpha = simulated(12)
    lower, upper = predicted_steps(counts, alpha, TOY)
    totals = np.add.reduceat(counts, [where.start for where in TOY.slices], axis=1)
    u = (np.arange(2000) + 0.5) / 2000
    for galaxy, answer in np.ndindex(counts.shape):
        question = TOY.question_of[answer]
        mixture = [
            stats.betabinom(
                totals[galaxy, question],
                sample[answer],
                sample[TOY.slices[question]].sum() - sample[answer],
            )
            for sample in alpha[galaxy]
        ]
        ends = [np.mean([law.cdf(counts[galaxy, answer] - x) for law in mixture]) for x in (1, 0)]
        # scipy's sums and log-gammas are rounded
        assert (lower[galaxy, answer], upper[galaxy, answer]) == pytest.approx(ends, abs=1e-10)
        drawn = ends[0] + u * (ends[1] - ends[0])
        for level in LEVELS:
            inside = np.mean(np.abs(drawn - 0.5) <= level / 2)
            # the mean over 2,000 even steps of u is exact to two of them
            found = covered(lower, upper, level)[galaxy, answer]
            assert found == pytest.approx(inside, abs=1.01e-3)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.99))
def test_covered_is_a_share_and_grows_with_the_level(x: float, y: float, level: float) -> None:
    lower, upper = np.array([min(x, y)]), np.array([max(x, y)])
    (share,) = covered(lower, upper, level)
    assert 0 <= share <= 1
    assert covered(lower, upper, level / 2)[0] <= share + 1e-9
    assert covered(1 - upper, 1 - lower, level)[0] == pytest.approx(share, abs=1e-3)


def test_covered_by_hand() -> None:
    lower = np.array([0.0, 0.2, 0.3, 0.7, 0.5, 0.1, np.nan])
    upper = np.array([1.0, 0.3, 0.5, 0.8, 0.5, 0.1, np.nan])
    found = covered(lower, upper, 0.5)
    np.testing.assert_allclose(found, [0.5, 0.5, 1, 0.5, 1, 0, np.nan], atol=1e-12)


def test_only_pairs_that_can_be_judged_count() -> None:
    counts, alpha = simulated(8)
    shape, *_, merging = TOY.slices
    counts[0, shape] = [2, 1, 1]  # four votes
    counts[1, shape] = [2.5, 3.5, 9]  # weighted
    counts[2, shape] = np.nan
    counts[3, shape] = 0
    counts[4, shape] = [5 + 1e-9, 0, 0]  # a whole number, rounded
    alpha[:, :, merging.start] = np.nan
    lower, upper = predicted_steps(counts, alpha, TOY)
    judged = np.ones(counts.shape, bool)
    judged[:4, shape] = False
    judged[:, merging] = False
    for bound in (lower, upper):
        np.testing.assert_array_equal(~np.isnan(bound), judged)
    few, _ = predicted_steps(counts, alpha, TOY, min_votes=0)
    assert np.isfinite(few[0, shape]).all()
    assert np.isnan(few[3, shape]).all()
    measures = calibration(counts, alpha, TOY)
    assert {m.question for m in measures} == {None, "shape", "round", "bar"}
    assert {m.galaxies for m in measures if m.question == "shape"} == {4}
    assert {m.galaxies for m in measures if m.question == "bar"} == {8}


def test_nothing_to_judge_measures_nothing() -> None:
    alpha = random_concentrations(4)
    assert calibration(np.empty((0, ANSWERS)), alpha[:0], TOY) == []
    assert calibration(np.full((4, ANSWERS), np.nan), alpha, TOY) == []
    assert calibration(np.zeros((4, ANSWERS)), alpha, TOY) == []
    assert calibration(random_counts(4), np.full_like(alpha, np.nan), TOY) == []


def test_a_single_galaxy_has_values_without_intervals() -> None:
    measures = calibration(*simulated(1), TOY)
    assert len(measures) == len(LEVELS) * (1 + len(TOY.questions))
    assert all(m.lo is None and m.galaxies == 1 and 0 <= m.value <= 1 for m in measures)


def test_many_galaxies_go_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    counts, alpha = simulated(23)
    whole = predicted_steps(counts, alpha.astype(np.float32), TOY)
    monkeypatch.setattr("zoolens.catalog.evaluation.calibration._GALAXIES", 5)
    parts = predicted_steps(counts, alpha.astype(np.float32), TOY)
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_weighted_votes_are_rounded_to_whole_ones_that_add_up() -> None:
    counts = np.zeros((4, len(TOY.labels)))
    counts[:, TOY.slices[0]] = np.array(
        [[10.4, 10.4, 10.4], [0.2, 0.2, 0.1], [7, 3, 0], [np.nan, 1, 2]]
    )
    rounded = rounded_votes(counts, TOY)
    # 31.2 are 31 volunteers: one of three equal remainders is a vote more
    assert rounded[0, TOY.slices[0]].tolist() == [11, 10, 10]
    assert rounded[1, TOY.slices[0]].tolist() == [0, 0, 0]
    assert rounded[2, TOY.slices[0]].tolist() == [7, 3, 0]
    assert np.isnan(rounded[3, TOY.slices[0]]).all()
    assert rounded[:, TOY.slices[1]].tolist() == [[0, 0]] * 4


@example(484, 1.3152082815166926)
@given(st.integers(0, 500), st.floats(0.5, 1.5))
def test_no_vote_moves_far(seed: int, worth: float) -> None:
    counts = random_counts(12, seed=seed) * worth
    rounded = rounded_votes(counts, TOY)
    assert (np.abs(rounded - counts) < 1.5 + 1e-6).all()
    assert (rounded == np.rint(rounded)).all()
    assert (rounded >= 0).all()
    for where in TOY.slices:
        np.testing.assert_allclose(rounded[:, where].sum(1), np.rint(counts[:, where].sum(1)))


def test_where_votes_are_weighted_coverage_is_of_rounded_ones() -> None:
    counts, alpha = random_counts(40), random_concentrations(40)
    assert not mostly_weighted(counts, TOY)
    weighted = counts * 0.97
    assert mostly_weighted(weighted, TOY)
    found = calibration(weighted, alpha, TOY)
    assert {m.method for m in found} == {"rounded votes"}
    plain = calibration(rounded_votes(weighted, TOY), alpha, TOY)
    assert [m.value for m in found] == [m.value for m in plain]
    # where few are weighted, those alone are left out
    few = counts.copy()
    few[:3] *= 0.97
    assert {m.method for m in calibration(few, alpha, TOY)} == {None}
