"""Tests of predicted fractions: against the votes, and the truth of a simulation."""

from collections.abc import Mapping

import numpy as np

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.calibration import MIN_VOTES, calibration
from zoolens.catalog.evaluation.errors import errors, errors_against_truth, likelihoods
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.ranks import rank_correlations
from zoolens.catalog.evaluation.reach import reach_measures
from zoolens.catalog.evaluation.sample import Evaluated
from zoolens.catalog.evaluation.truth import Truth
from zoolens.catalog.evaluation.warnings import warning
from zoolens.catalog.predictions.posterior import question_totals, summarise


def fraction_measures(
    data: Evaluated, truth: Truth | None, tree: DecisionTree, predicted: Floats, reach: Floats
) -> list[Measure]:
    """Whatever is measured of N galaxies' predicted fractions.

    predicted (N, A): expected vote fractions, of the same run; reach (N, A): expected shares of
    the volunteers who are asked the answers' questions.
    """
    measures = [
        *calibration(data.counts, data.concentrations, tree),
        *errors(data.counts, predicted, tree),
        *likelihoods(data.counts, data.concentrations, tree),
        *rank_correlations(data.counts, predicted, tree),
        *reach_measures(data.counts, reach, tree),
    ]
    if truth is not None:
        measures += errors_against_truth(predicted, truth.probabilities, tree)
    return measures


def warning_measures(
    data: Evaluated,
    truth: Truth | None,
    tree: DecisionTree,
    predicted: Floats,
    on_target: Mapping[str, Mapping[int, Floats]],
) -> list[Measure]:
    """How well the `on_target` (A,) of some galaxies indicates wrong predictions.

    on_target: by name of the warning, then by galaxy number. `fraction_sd` is compared with
    the first of them.
    """
    measures: list[Measure] = []
    for name, values in on_target.items():
        numbers = sorted(values)
        counts = data.counts[numbers]
        totals = question_totals(counts, tree)
        with np.errstate(invalid="ignore", divide="ignore"):
            observed = np.where(totals >= MIN_VOTES, counts / totals, np.nan)
        found = warning(
            np.stack([values[number] for number in numbers]),
            observed,
            predicted[numbers],
            summarise(data.concentrations[numbers], tree).sd,
            tree,
            truth=None if truth is None else truth.probabilities[numbers],
            of=name,
        )
        measures += [m for m in found if m.method == name or not measures]
    return measures
