"""Measured values as rows, and their bootstrap intervals against scipy's and theory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from zoolens.catalog.evaluation.measures import (
    Measure,
    estimate,
    evaluation_rows,
    interval,
    means,
    ratios,
    resampled_sums,
)


def test_rows_hold_what_was_measured() -> None:
    measures = [
        Measure("calibration", "coverage", 0.9, 50, 0.85, 0.95, question="bar", level=0.9),
        Measure("localisation", "pointing game", float("nan"), 0, label="bar_no", chance=0.1),
    ]
    first, second = evaluation_rows(measures).to_pylist()
    assert first == {
        "topic": "calibration",
        "measure": "coverage",
        "value": 0.9,
        "galaxies": 50,
        "lo": 0.85,
        "hi": 0.95,
        "question": "bar",
        "label": None,
        "method": None,
        "level": 0.9,
        "chance": None,
    }
    assert second["value"] is None
    assert (second["label"], second["chance"], second["question"]) == ("bar_no", 0.1, None)


def test_no_measures_are_rows_of_the_same_columns() -> None:
    none, one = evaluation_rows([]), evaluation_rows([Measure("a", "b", 1.0, 1)])
    assert none.num_rows == 0
    assert none.schema == one.schema


def test_intervals_are_those_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(size=2000)
    spread = 1.96 * values.std() / np.sqrt(2000)
    (found,) = means(values[:, None])
    for lo, hi in (interval(np.mean, values), (found.lo, found.hi)):
        # the quantile of 1,000 resamples is known to about 5 % of the half width
        assert lo == pytest.approx(values.mean() - spread, abs=0.15 * spread)
        assert hi == pytest.approx(values.mean() + spread, abs=0.15 * spread)
    assert found.value == pytest.approx(values.mean())


def test_intervals_of_a_ratio_are_scipys() -> None:
    random = np.random.default_rng(2)
    below = random.integers(0, 6, 300).astype(float)
    above = random.binomial(below.astype(int), 0.9).astype(float)
    (found,) = ratios(above[:, None], below[:, None])
    lo, hi = interval(lambda a, b, axis: a.sum(axis) / b.sum(axis), above, below)
    assert lo is not None
    assert hi is not None
    assert found.value == above.sum() / below.sum()
    assert found.galaxies == np.count_nonzero(below)
    # other draws of the same bootstrap
    assert found.lo == pytest.approx(lo, abs=0.1 * (hi - lo))
    assert found.hi == pytest.approx(hi, abs=0.1 * (hi - lo))


def test_few_galaxies_have_no_interval() -> None:
    values = np.array([[1.0, 1.0], [2.0, np.nan], [3.0, np.nan], [4.0, np.nan], [5.0, np.nan]])
    many, one = means(values)
    assert (many.value, many.galaxies, one.value, one.galaxies) == (3, 5, 1, 1)
    assert many.lo is not None
    assert one.lo is None
    assert one.hi is None
    assert interval(np.mean, values[:4, 0]) == (None, None)


@pytest.mark.parametrize("galaxies", [0, 1, 7])
def test_a_statistic_of_no_galaxy_is_nan(galaxies: int) -> None:
    (found,) = means(np.full((galaxies, 1), np.nan))
    assert np.isnan(found.value)
    assert found[1:] == (0, None, None)


def test_what_stands_above_nothing_does_not_count() -> None:
    above = np.array([[1.0], [np.nan], [np.inf], [0.0], [1.0], [1.0], [1.0]])
    below = np.array([[1.0], [0.0], [0.0], [1.0], [1.0], [1.0], [1.0]])
    (found,) = ratios(above, below)
    assert found.value == 0.8
    assert found.galaxies == 5


def test_resamples_hold_as_many_galaxies_whatever_is_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.column_stack([np.ones(9), np.arange(9.0)])
    at_once = resampled_sums(values)
    assert (at_once[:, 0] == 9).all()
    assert at_once[:, 1].mean() == pytest.approx(36, abs=float(3 * 9 * np.std(np.arange(9)) / 31))
    monkeypatch.setattr("zoolens.catalog.evaluation.measures._DRAWN", 20)
    np.testing.assert_array_equal(resampled_sums(values), at_once)


def test_resamples_without_galaxies_are_passed_over() -> None:
    drawn = np.r_[np.full(500, np.nan), np.linspace(0, 1, 501)]
    assert estimate(0.5, 5, drawn) == (0.5, 5, pytest.approx(0.025), pytest.approx(0.975))
    assert estimate(0.5, 5, np.full(9, np.nan))[2:] == (None, None)


@given(arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.floats(0, 1)))
def test_intervals_stay_among_the_values(values: np.ndarray) -> None:
    for column, found in zip(values.T, means(values), strict=True):
        assert found.value == pytest.approx(column.mean())
        if found.lo is not None and found.hi is not None:
            assert column.min() - 1e-12 <= found.lo <= found.hi <= column.max() + 1e-12
