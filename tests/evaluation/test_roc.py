"""Areas under curves against Mann-Whitney's U."""

import numpy as np
import pytest
from scipy import stats

from zoolens.catalog.evaluation.roc import FEWEST, area


def random_case(galaxies: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sign with ties, what is true, and what counts, (N, 3)."""
    random = np.random.default_rng(3)
    true = random.random((galaxies, 3)) < 0.4
    sign = np.round(true + random.normal(size=true.shape), 1)
    return sign, true, random.random(true.shape) < 0.8


def test_the_area_is_mann_whitneys_with_ties() -> None:
    sign, true, counted = random_case(60)
    found = area(sign, true, counted)
    assert found is not None
    ones, rest = sign[counted & true], sign[counted & ~true]
    pairs = stats.mannwhitneyu(ones, rest).statistic
    assert found.value == pytest.approx(pairs / (len(ones) * len(rest)))
    assert found.galaxies == counted.any(axis=1).sum()
    assert found.lo is not None
    assert found.hi is not None
    assert 0.5 < found.lo < found.value < found.hi < 1


def test_a_sign_that_knows_all_or_nothing() -> None:
    _, true, counted = random_case(60)
    perfect = area(true.astype(float), true, counted)
    assert perfect is not None
    assert (perfect.value, perfect.lo, perfect.hi) == (1, 1, 1)
    blind = area(np.zeros(true.shape), true, counted)
    assert blind is not None
    assert blind.value == 0.5


def test_a_few_of_either_kind_are_no_curve() -> None:
    sign, true, counted = random_case(60)
    few = np.zeros_like(true)
    few[: FEWEST - 1, 0] = True
    for rare in (few, ~few):
        assert area(sign, rare, np.ones_like(counted)) is None
    few[FEWEST - 1, 0] = True
    assert area(sign, few, np.ones_like(counted)) is not None
