"""Cumulative probabilities of votes against scipy's, and where that is hard."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from catalog.beta_binomial import cumulative


def test_mixtures_are_means_of_scipys_distributions() -> None:
    random = np.random.default_rng(0)
    n = random.integers(0, 90, 60)
    k = random.binomial(n, random.random(60))
    a, b = 1 + 100 * random.beta(0.5, 2, (2, 60, 4))
    lower, upper = cumulative(k, n, a, b)
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
    (lower,), (upper,) = cumulative([k], [n], [[a]], [[b]])
    assert -1e-10 <= lower <= upper <= 1 + 1e-10
    if k == 0:
        assert lower == pytest.approx(0, **close)
    if k == n:
        assert upper == pytest.approx(1, **close)
    (other_lower,), (other_upper,) = cumulative([n - k], [n], [[b]], [[a]])
    assert (1 - other_upper, 1 - other_lower) == pytest.approx((lower, upper), **close)


@pytest.mark.parametrize("strength", [1e-2, 1e4])
def test_far_tails_of_many_votes_stay_finite(strength: float) -> None:
    n = 3000
    k = np.array([0, 1, 1500, 2999, 3000])
    a, b = np.full((5, 2), [0.99, 0.01]) * strength, np.full((5, 2), [0.01, 0.99]) * strength
    lower, upper = cumulative(k, np.full(5, n), a, b)
    every = np.arange(n + 1)
    law = np.mean(
        [stats.betabinom(n, *pair).pmf(every) for pair in zip(a[0], b[0], strict=True)], 0
    )
    summed = np.cumsum(law)
    np.testing.assert_allclose(upper, summed[k], atol=1e-9)  # 3,000 roundings of scipy's
    np.testing.assert_allclose(lower, np.r_[0, summed][k], atol=1e-9)


def test_nothing_asked_is_nothing_answered() -> None:
    lower, upper = cumulative([], [], np.empty((0, 3)), np.empty((0, 3)))
    assert lower.shape == upper.shape == (0,)
    (lower,), (upper,) = cumulative([0], [0], [[2.0]], [[3.0]])
    assert (lower, upper) == pytest.approx((0, 1))


def test_large_inputs_go_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    n = random.integers(0, 40, 50)
    k, (a, b) = random.binomial(n, 0.3), 1 + 20 * random.random((2, 50, 3))
    whole = cumulative(k, n, a, b)
    monkeypatch.setattr("catalog.beta_binomial._AT_ONCE", 20)
    np.testing.assert_allclose(cumulative(k, n, a, b), whole, rtol=1e-14, atol=1e-15)
