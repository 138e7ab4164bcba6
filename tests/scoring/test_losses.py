"""Losses against hand-computed values, the paper's tables, scipy, and Zoobot's own."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import TOY, random_concentrations, random_counts
from tests.oracles.losses import slow_nll
from zoolens.catalog.scoring.losses import cross_entropy, dirichlet_multinomial_nll

FRACTIONS = st.floats(0, 1)


def test_cross_entropy_by_hand() -> None:
    observed = [[1.0, 0.0, 0.5, 0.2]]
    predicted = [[0.009965, 0.25, 0.5, 0.4]]
    expected = [
        4.6087,  # -log 0.009965: the paper's selected galaxy, how-rounded_round
        0.2877,  # -log 0.75
        0.6931,  # log 2
        0.5919,  # -0.2 log 0.4 - 0.8 log 0.6
    ]
    np.testing.assert_allclose(cross_entropy(observed, predicted)[0], expected, atol=5e-5)


def test_cross_entropy_is_exact_at_the_ends() -> None:
    loss = cross_entropy([0.0, 1.0, 0.0, 1.0, 0.5], [0.0, 1.0, 1.0, 0.0, 0.0])
    assert loss[0] == 0
    assert loss[1] == 0
    assert np.isposinf(loss[2:]).all()


def test_cross_entropy_of_what_is_missing_is_missing() -> None:
    loss = cross_entropy([np.nan, 0.0, 1.0, np.nan], [0.5, np.nan, np.nan, np.nan])
    assert np.isnan(loss).all()


@given(FRACTIONS, FRACTIONS)
def test_no_prediction_beats_the_truth(y: float, p: float) -> None:
    loss, least = cross_entropy([y, y], [p, y])
    assert loss >= least >= 0


def test_the_papers_tables(data: Path) -> None:
    paper = json.loads((data / "paper_tables.json").read_text())
    for name, votes in paper["table1_votes"].items():
        published = paper["table2_fractions"][name]
        for label in (
            "smooth-or-featured_smooth",
            "smooth-or-featured_featured-or-disk",
            "how-rounded_round",
            "how-rounded_in-between",
        ):
            question = label.rpartition("_")[0]
            observed = votes[label] / votes[f"{question}_total-votes"]
            assert observed == pytest.approx(published[f"{label}_fraction"], abs=5e-7)
            p = published[f"{label}_pred_frac"]
            by_hand = -(observed * math.log(p) + (1 - observed) * math.log(1 - p))
            assert cross_entropy(observed, p) == pytest.approx(by_hand, rel=1e-13)
    selected = paper["table2_fractions"]["J113514.30-060216.9"]
    assert cross_entropy(1.0, selected["how-rounded_round_pred_frac"]) == pytest.approx(
        4.609, abs=5e-4
    )


@pytest.mark.parametrize("fraction", [1.0, 0.37])
def test_nll_equals_the_formula(fraction: float) -> None:
    counts = random_counts(40) * fraction
    concentrations = random_concentrations(40, samples=4)
    nll = dirichlet_multinomial_nll(counts, concentrations, TOY)
    for galaxy in range(40):
        for question, where in enumerate(TOY.slices):
            expected = slow_nll(counts[galaxy, where], concentrations[galaxy, :, where])
            # exp and log of about -100 each lose some of 16 digits
            assert nll[galaxy, question] == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_nll_of_whole_votes_equals_scipy() -> None:
    from scipy.stats import dirichlet_multinomial

    counts = random_counts(60, most=200)
    concentrations = random_concentrations(60, samples=1)
    nll = dirichlet_multinomial_nll(counts, concentrations, TOY)
    for question, where in enumerate(TOY.slices):
        expected = -dirichlet_multinomial.logpmf(
            counts[:, where].astype(int),
            concentrations[:, 0, where].astype(float),
            counts[:, where].sum(axis=1).astype(int),
        )
        np.testing.assert_allclose(nll[:, question], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
def test_nll_of_one_sample_is_zoobots_loss() -> None:
    import torch
    from zoobot.pytorch.training.losses import get_dirichlet_neg_log_prob

    counts, concentrations = random_counts(60), random_concentrations(60, samples=1)
    nll = dirichlet_multinomial_nll(counts, concentrations, TOY)
    for question, where in enumerate(TOY.slices):
        theirs = get_dirichlet_neg_log_prob(
            torch.tensor(concentrations[:, 0, where]), torch.tensor(counts[:, where])
        )
        # theirs adds log gammas of some hundreds in float32
        np.testing.assert_allclose(nll[:, question], theirs.numpy(), atol=5e-4)


def test_nll_is_averaged_inside_the_logarithm() -> None:
    counts = random_counts(20)
    concentrations = random_concentrations(20, samples=5)
    each = np.stack(
        [dirichlet_multinomial_nll(counts, concentrations[:, [t]], TOY) for t in range(5)]
    )
    nll = dirichlet_multinomial_nll(counts, concentrations, TOY)
    np.testing.assert_allclose(np.exp(-nll), np.exp(-each).mean(axis=0), rtol=1e-9)
    assert (nll <= each.mean(axis=0) + 1e-12).all()  # Jensen


def test_nll_of_nobody_is_nothing_and_of_the_unknown_unknown() -> None:
    counts = np.ones((1, 10))
    counts[0, TOY.slices[0]] = 0  # nobody was asked
    counts[0, TOY.slices[1]] = np.nan  # answers outside the tree
    concentrations = np.full((1, 2, 10), 3.0)
    concentrations[0, 0, TOY.slices[0]] = np.nan
    concentrations[0, 1, TOY.slices[2]] = np.nan  # the model lacks the question
    nll = dirichlet_multinomial_nll(counts, concentrations, TOY)[0]
    assert nll[0] == 0
    assert np.isnan(nll[[1, 2]]).all()
    assert nll[3] == pytest.approx(math.log(7 / 3))  # 2 votes, 1:1, alpha 3 and 3: 3/7


def test_nll_of_very_many_votes_is_finite() -> None:
    counts = np.full((1, 10), 1e6)
    nll = dirichlet_multinomial_nll(counts, random_concentrations(1), TOY)
    assert np.isfinite(nll).all()


def test_no_galaxies_no_losses() -> None:
    assert dirichlet_multinomial_nll(np.empty((0, 10)), np.empty((0, 3, 10)), TOY).shape == (0, 4)
