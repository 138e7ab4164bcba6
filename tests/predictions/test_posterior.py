"""Posteriors against slow, obvious references in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats

from tests.made.catalogues import TOY, random_concentrations
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.predictions.posterior import (
    mixture_quantile,
    mutual_information,
    question_totals,
    spread_of_models,
    summarise,
)

pytestmark = pytest.mark.slow


def test_means_are_those_of_the_samples() -> None:
    alpha = random_concentrations(6, samples=4).astype(np.float64)
    summary = summarise(alpha, TOY)
    for n in range(6):
        for where in TOY.slices:
            block = alpha[n, :, where]
            expected = np.mean([sample / sample.sum() for sample in block], axis=0)
            # a mean of 4 float64 values: 1e-14 is rounding
            np.testing.assert_allclose(summary.fraction[n, where], expected, rtol=1e-14)
            np.testing.assert_allclose(summary.concentration[n, where], block.mean(0), rtol=1e-14)
    sums = np.add.reduceat(summary.fraction, [s.start for s in TOY.slices], axis=1)
    np.testing.assert_allclose(sums, 1, rtol=1e-14)


def test_the_variance_is_that_within_models_and_that_between_them() -> None:
    """Of three models of four samples each, pooled; by hand an answer at a time."""
    each = [random_concentrations(5, samples=4, seed=n).astype(np.float64) for n in range(3)]
    pooled = summarise(np.concatenate(each, axis=1), TOY, models=3)
    own = [summarise(alpha, TOY) for alpha in each]
    means = np.array([one.fraction for one in own])  # (M, N, A)
    for galaxy in range(5):
        for answer in range(len(TOY.labels)):
            middle = sum(means[:, galaxy, answer]) / 3
            between = sum((mean - middle) ** 2 for mean in means[:, galaxy, answer]) / 3
            np.testing.assert_allclose(pooled.model_sd[galaxy, answer] ** 2, between, rtol=1e-12)
    within = np.mean([one.sd**2 for one in own], axis=0)
    np.testing.assert_allclose(pooled.sd**2, within + pooled.model_sd**2, rtol=1e-12)
    assert np.isnan(own[0].model_sd).all(), "one model differs from none"
    agreeing = summarise(np.concatenate([each[0]] * 2, axis=1), TOY, models=2)
    np.testing.assert_allclose(agreeing.model_sd, 0, atol=1e-15)
    assert spread_of_models(np.full((2, 6, 3), np.nan), 3).shape == (2, 3)


def test_reach_is_the_mean_over_samples_of_the_product_along_the_path() -> None:
    alpha = random_concentrations(50, samples=5).astype(np.float64)
    found = summarise(alpha, TOY).reach
    for n, galaxy in enumerate(alpha):
        asked = np.zeros(len(TOY.questions))
        for sample in galaxy:
            p = np.concatenate([sample[s] / sample[s].sum() for s in TOY.slices])
            smooth, disk = p[0], p[1]
            asked += [1, smooth, disk, smooth + disk]
        # a mean of 5 float64 values: 1e-14 is rounding
        np.testing.assert_allclose(found[n], (asked / 5)[TOY.question_of], rtol=1e-14)


def test_reach_along_a_path_is_not_the_product_of_means() -> None:
    """By hand: sure of featured and of an arm in one sample, sure of neither in the other."""
    tree = DecisionTree(
        "path",
        (
            Question("shape", ("featured", "smooth")),
            Question("arms", ("yes", "no"), ("shape_featured",)),
            Question("count", ("1", "2"), ("arms_yes",)),
        ),
    )
    sure, not_sure = [9.0, 1.0, 9.0, 1.0, 1.0, 1.0], [1.0, 9.0, 1.0, 9.0, 1.0, 1.0]
    found = summarise([[sure, not_sure]], tree).reach[0]
    # the product of the means would be 0.25
    np.testing.assert_allclose(found, [1, 1, 0.5, 0.5, 0.41, 0.41], rtol=1e-14)


def test_standard_deviation_is_that_of_the_mixture() -> None:
    alpha = random_concentrations(3, samples=3).astype(np.float64)
    summary = summarise(alpha, TOY)
    rest = question_totals(alpha, TOY) - alpha
    for n, k in np.ndindex(3, len(TOY.labels)):
        betas = [stats.beta(a, b) for a, b in zip(alpha[n, :, k], rest[n, :, k], strict=True)]

        def density(x: float, betas: list[stats.rv_continuous] = betas) -> float:
            return float(np.mean([beta.pdf(x) for beta in betas]))

        points = [beta.mean() for beta in betas]
        moments = [
            integrate.quad(lambda x, p=p: x**p * density(x), 0, 1, points=points, epsabs=1e-12)[0]
            for p in (1, 2)
        ]
        # quad integrates to about 1e-10
        assert summary.sd[n, k] == pytest.approx(np.sqrt(moments[1] - moments[0] ** 2), abs=1e-8)


def _quantile(a: np.ndarray, b: np.ndarray, p: float) -> float:
    root = optimize.brentq(
        lambda x: special.betainc(a, b, x).mean() - p, 0, 1, xtol=1e-14, rtol=1e-14
    )
    return float(root)


def test_interval_ends_are_roots_of_the_mixture() -> None:
    alpha = random_concentrations(8, samples=30).astype(np.float64)
    summary = summarise(alpha, TOY)
    rest = question_totals(alpha, TOY) - alpha
    for n, k in np.ndindex(8, len(TOY.labels)):
        for p, found in ((0.05, summary.lo[n, k]), (0.95, summary.hi[n, k])):
            # promised to 1e-6; Halley's last step leaves far less
            assert found == pytest.approx(_quantile(alpha[n, :, k], rest[n, :, k], p), abs=1e-8)
    assert (summary.lo < summary.fraction).all()
    assert (summary.fraction < summary.hi).all()


_parameters = st.floats(1e-3, 1e5)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(_parameters, _parameters), min_size=1, max_size=6),
    st.sampled_from([0.05, 0.5, 0.95]),
)
def test_quantiles_of_any_mixture(betas: list[tuple[float, float]], p: float) -> None:
    a, b = np.array(betas).T
    found = mixture_quantile(a[None], b[None], p)[0]
    low, high = (special.betainc(a, b, np.clip(found + d, 0, 1)).mean() for d in (-1e-6, 1e-6))
    # within 1e-6 of where the distribution function passes p, however steep or flat
    assert low <= p + 1e-12
    assert high >= p - 1e-12
    assert 0 <= found <= 1


def test_quantiles_of_far_apart_betas_end() -> None:
    # half the mass near 0, half near 1, nothing between: the median can be anywhere
    a, b = np.array([[2.0, 9e4]]), np.array([[9e4, 2.0]])
    assert mixture_quantile(a, b, 0.25)[0] == pytest.approx(_quantile(a, b, 0.25), abs=1e-8)
    assert mixture_quantile(a, b, 0.75)[0] == pytest.approx(_quantile(a, b, 0.75), abs=1e-8)
    assert 0 < mixture_quantile(a, b, 0.5)[0] < 1


def test_mutual_information_of_a_small_case_by_hand() -> None:
    # two samples that are sure of opposite answers: one bit, in nat
    sure = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    # two that agree: nothing to learn
    agree = np.array([[[0.3, 0.7], [0.3, 0.7]]])
    # entropies: H(1/2, 1/2) - (H(1/4, 3/4) + H(3/4, 1/4)) / 2
    between = np.array([[[0.25, 0.75], [0.75, 0.25]]])
    tree = type(TOY)("two", (type(TOY.questions[0])("q", ("yes", "no")),))
    h = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    for fractions, expected in ((sure, np.log(2)), (agree, 0.0), (between, np.log(2) - h)):
        found = mutual_information(fractions, tree)
        assert found.shape == (1, 1)
        assert found[0, 0] == pytest.approx(expected, abs=1e-15)


def test_mutual_information_is_the_divergence_from_the_mean() -> None:
    """The same quantity by another formula: mean_t KL(p_t || mean p)."""
    alpha = random_concentrations(20, samples=7).astype(np.float64)
    fractions = alpha / question_totals(alpha, TOY)
    found = mutual_information(fractions, TOY)
    for q, where in enumerate(TOY.slices):
        p = fractions[..., where]
        divergence = special.rel_entr(p, p.mean(axis=1, keepdims=True)).sum(-1).mean(axis=1)
        np.testing.assert_allclose(found[:, q], divergence, atol=1e-14)
        assert (found[:, q] >= 0).all()
        assert (found[:, q] <= np.log(p.shape[-1])).all()


def test_one_sample_has_no_information() -> None:
    assert (summarise(random_concentrations(50, samples=1), TOY).information == 0).all()


def test_missing_questions_stay_missing_and_touch_nothing_else() -> None:
    alpha = random_concentrations(5, samples=3).astype(np.float64)
    whole = summarise(alpha, TOY)
    alpha[:, :, TOY.slices[2]] = np.nan
    part = summarise(alpha, TOY)
    missing = TOY.question_of == 2
    for name in ("concentration", "fraction", "sd", "lo", "hi"):
        values = getattr(part, name)
        assert np.isnan(values[:, missing]).all()
        np.testing.assert_array_equal(values[:, ~missing], getattr(whole, name)[:, ~missing])
    assert np.isnan(part.information[:, 2]).all()
    np.testing.assert_array_equal(part.reach, whole.reach)  # nothing is asked after question 2


def test_no_galaxies_give_empty_summaries() -> None:
    summary = summarise(np.empty((0, 30, len(TOY.labels)), dtype=np.float32), TOY)
    assert summary.lo.shape == (0, len(TOY.labels))
    assert summary.information.shape == (0, len(TOY.questions))


def test_taking_galaxies_takes_every_number() -> None:
    alpha = random_concentrations(6)
    taken = summarise(alpha, TOY).take(np.array([4, 1]))
    again = summarise(alpha[[4, 1]], TOY)
    for name, values in vars(again).items():
        np.testing.assert_array_equal(getattr(taken, name), values)
