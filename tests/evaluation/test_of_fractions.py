"""Measures of predicted fractions are those of each part, in order."""

import numpy as np

from tests.made.catalogues import TOY, expected_fractions, random_concentrations, random_counts
from zoolens.catalog.evaluation.calibration import calibration
from zoolens.catalog.evaluation.errors import errors, likelihoods
from zoolens.catalog.evaluation.of_fractions import fraction_measures, warning_measures
from zoolens.catalog.evaluation.ranks import rank_correlations
from zoolens.catalog.evaluation.reach import reach_measures
from zoolens.catalog.evaluation.sample import Evaluated

N = 40
COUNTS, ALPHA = random_counts(N), random_concentrations(N)
DATA = Evaluated(np.arange(N), [f"G{n}" for n in range(N)], COUNTS, ALPHA, {})
PREDICTED = expected_fractions(ALPHA)
REACH = TOY.reach(PREDICTED)[:, TOY.question_of]


def test_without_a_truth_there_are_five_parts() -> None:
    expected = [
        *calibration(COUNTS, ALPHA, TOY),
        *errors(COUNTS, PREDICTED, TOY),
        *likelihoods(COUNTS, ALPHA, TOY),
        *rank_correlations(COUNTS, PREDICTED, TOY),
        *reach_measures(COUNTS, REACH, TOY),
    ]
    assert fraction_measures(DATA, None, TOY, PREDICTED, REACH) == expected


def test_the_spread_is_held_against_the_first_only() -> None:
    random = np.random.default_rng(0)
    first, second = (
        {n: random.random(len(TOY.labels)) for n in range(start, N)} for start in (0, 5)
    )
    both = warning_measures(DATA, None, TOY, PREDICTED, {"one": first, "two": second})
    alone = warning_measures(DATA, None, TOY, PREDICTED, {"one": first})
    assert both[: len(alone)] == alone
    assert {m.method for m in both[len(alone) :]} == {"two"}
    assert {m.method for m in alone} > {"one"}
