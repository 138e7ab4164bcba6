"""Rank correlations against scipy, and the spread of maps by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from zoolens.catalog.evaluation.stability import dropout_spread, rank_correlations, seed_agreement

RNG = np.random.default_rng(0)


def test_rank_correlations_are_scipys_ties_too() -> None:
    first = RNG.integers(0, 5, (7, 3, 4)).astype(float)
    second = first + RNG.integers(0, 5, (7, 3, 4))
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(first, second)]  # noqa: B905
    np.testing.assert_allclose(rank_correlations(first, second), expected, rtol=1e-12)


def test_a_map_without_order_has_no_correlation() -> None:
    maps = RNG.standard_normal((4, 3, 3))
    other = maps.copy()
    other[1], other[2, 0, 0] = 5.0, np.nan
    found = rank_correlations(maps, other)
    np.testing.assert_allclose(found, [1, np.nan, np.nan, 1])
    np.testing.assert_allclose(rank_correlations(maps, -np.exp(maps)), -1)
    assert rank_correlations(maps[:0], maps[:0]).shape == (0,)


def test_chance_is_as_wide_as_said() -> None:
    first, second = RNG.standard_normal((2, 4000, 3, 3))
    assert rank_correlations(first, second).std() == pytest.approx(8**-0.5, rel=0.05)


def test_seed_agreement_by_method() -> None:
    maps = RNG.standard_normal((6, 3, 3))
    same = seed_agreement("a", rank_correlations(maps, 2 * maps))
    turned = seed_agreement("b", rank_correlations(maps, -maps))
    assert (same.method, same.value, same.lo, same.galaxies) == ("a", 1, 1, 6)
    assert (turned.method, turned.value) == ("b", -1)


def test_dropout_spread_by_hand() -> None:
    # cells that say nothing do not decide: (1 + 1) / (4 + 0), 0, and a map that vanishes
    mean = np.array([[[4.0, 0.0]], [[-2.0, 1.0]], [[0.0, 0.0]]])
    sd = np.array([[[1.0, 1.0]], [[0.0, 0.0]], [[1.0, 0.0]]])
    (measure,) = dropout_spread(mean, sd, "hirescam")
    assert (measure.value, measure.galaxies, measure.lo) == (0.25, 2, None)
    assert np.isnan(dropout_spread(mean[2:], sd[2:], "hirescam")[0].value)
