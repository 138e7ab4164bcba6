"""Areas under curves against Mann-Whitney's U, and which predictions they judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.made.catalogues import TOY, expected_fractions, random_concentrations
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.warnings import warning

pytestmark = pytest.mark.slow

ANSWERS = len(TOY.labels)
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def random_case(galaxies: int, seed: int = 0) -> Arrays:
    """on_target, observed, predicted, sd."""
    random = np.random.default_rng(seed)
    observed, predicted = (
        expected_fractions(random_concentrations(galaxies, 1, seed=seed + i)) for i in (1, 2)
    )
    off = np.abs(observed - predicted)
    on_target = np.round(np.clip(0.8 - off + 0.3 * random.normal(size=off.shape), 0, 1), 1)
    return on_target, observed, predicted, 0.1 * random.random(off.shape)


def find(measures: list[Measure], method: str, label: str | None = None) -> Measure:
    (found,) = [m for m in measures if (m.method, m.label) == (method, label)]
    return found


def mann_whitney(sign: np.ndarray, wrong: np.ndarray) -> float:
    pairs = stats.mannwhitneyu(sign[wrong], sign[~wrong]).statistic
    return float(pairs / (wrong.sum() * (~wrong).sum()))


def test_areas_of_labels_are_mann_whitneys() -> None:
    on_target, observed, predicted, sd = random_case(150)
    measures = warning(on_target, observed, predicted, sd, TOY)
    wrong = np.abs(observed - predicted) > 0.25
    assert len(measures) == 2 * (1 + ANSWERS)
    for answer, label in enumerate(TOY.labels):
        for method, sign in (("on_target", -on_target), ("fraction_sd", sd)):
            found = find(measures, method, label)
            expected = mann_whitney(sign[:, answer], wrong[:, answer])
            assert found.value == pytest.approx(expected)
            assert (found.topic, found.measure) == ("warning", "ROC AUC")
            assert (found.galaxies, found.chance) == (150, 0.5)


def test_the_pooled_area_is_of_the_answers_taken() -> None:
    on_target, observed, predicted, sd = random_case(120)
    measures = warning(on_target, observed, predicted, sd, TOY)
    sign, wrong = [], []
    for galaxy in range(120):
        for where in TOY.slices:
            best = where.start + int(predicted[galaxy, where].argmax())
            if predicted[galaxy, best] >= 0.5:
                sign.append(-on_target[galaxy, best])
                wrong.append(abs(predicted[galaxy, best] - observed[galaxy, best]) > 0.25)
    found = find(measures, "on_target")
    assert found.value == pytest.approx(mann_whitney(np.array(sign), np.array(wrong)))
    assert found.lo is not None
    assert found.lo > 0.5  # made to warn
    noise = find(measures, "fraction_sd")
    assert noise.lo is not None
    assert noise.hi is not None
    assert noise.lo < 0.5 < noise.hi  # and this not


def test_the_interval_is_that_of_areas_found_again() -> None:
    on_target, observed, predicted, sd = random_case(80)
    found = find(warning(on_target, observed, predicted, sd, TOY), "on_target", "bar_no")
    answer = TOY.answer_id("bar_no")
    sign, wrong = -on_target[:, answer], np.abs(observed - predicted)[:, answer] > 0.25
    random = np.random.default_rng(1)
    areas = []
    for _ in range(500):
        drawn = random.integers(80, size=80)
        areas.append(mann_whitney(sign[drawn], wrong[drawn]))
    # first order, and other draws: a seventh of the width is well below what anyone reads
    slack = 0.15 * (np.quantile(areas, 0.975) - np.quantile(areas, 0.025))
    assert found.lo == pytest.approx(np.quantile(areas, 0.025), abs=slack)
    assert found.hi == pytest.approx(np.quantile(areas, 0.975), abs=slack)


def test_the_truth_stands_for_the_votes_where_it_is_reached() -> None:
    on_target, observed, predicted, sd = random_case(60)
    truth = observed.copy()
    by_votes = warning(on_target, observed, predicted, sd, TOY)
    by_truth = warning(on_target, np.full_like(observed, np.nan), predicted, sd, TOY, truth=truth)
    label = "shape_disk"  # of a question that everybody is asked
    assert find(by_truth, "on_target", label) == find(by_votes, "on_target", label)
    reached = TOY.reach(truth)[:, 2] >= 0.5
    for m in by_truth:
        if m.label == "bar_no":
            assert m.galaxies == reached.sum()


def test_a_perfect_warning() -> None:
    _, observed, predicted, sd = random_case(60)
    on_target = 1 - np.abs(observed - predicted)
    found = find(warning(on_target, observed, predicted, sd, TOY), "on_target")
    assert (found.value, found.lo, found.hi) == (1, 1, 1)


def test_only_what_has_both_warnings_and_enough_of_both_kinds_counts() -> None:
    on_target, observed, predicted, sd = random_case(100)
    on_target[:30, 0] = np.nan
    sd[30:50, 0] = np.nan
    observed[:, 1] = predicted[:, 1]  # never wrong
    measures = warning(on_target, observed, predicted, sd, TOY)
    for method in ("on_target", "fraction_sd"):
        assert find(measures, method, TOY.labels[0]).galaxies == 50
    assert TOY.labels[1] not in {m.label for m in measures}
    missing = np.full_like(sd, np.nan)
    assert warning(missing, observed, predicted, sd, TOY) == []
    assert warning(on_target, observed, missing, sd, TOY) == []
    for few in (0, 1):
        assert warning(on_target[:few], observed[:few], predicted[:few], sd[:few], TOY) == []


@given(st.integers(0, 60), st.integers(0, 100))
def test_areas_are_shares(galaxies: int, seed: int) -> None:
    for m in warning(*random_case(galaxies, seed), TOY):
        assert 0 <= m.value <= 1
        assert m.lo is not None
        assert m.hi is not None
        assert 0 <= m.lo <= m.hi <= 1
