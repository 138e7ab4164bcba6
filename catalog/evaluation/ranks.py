"""Whether a model puts galaxies in the order that volunteers put them in.

From arrays to measures, for N galaxies, A answers. Everything in float64.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.calibration import MIN_VOTES
from zoolens.catalog.evaluation.errors import both_known, observed_fractions, relevant
from zoolens.catalog.evaluation.measures import Measure, estimate, resamples

TOPIC, MEASURE = "correlation", "Spearman's rho"


def rank_correlations(
    counts: npt.ArrayLike,
    predicted: npt.ArrayLike,
    tree: DecisionTree,
    *,
    min_votes: float = MIN_VOTES,
) -> list[Measure]:
    """Spearman's rank correlation of each answer's predicted and observed fractions.

    counts, predicted: (N, A), as `catalog.evaluation.errors.errors` takes them, and of the same
    galaxies: those with `min_votes` votes on the question; "Spearman's rho, relevant": of them,
    those of which at least half of the volunteers were asked it. In -1..1, chance is 0. Answers
    whose fractions are all alike, or known of fewer than two galaxies, have none.
    """
    observed, given = both_known(observed_fractions(counts, min_votes, tree), predicted, tree)
    asked = np.where(relevant(counts, tree), observed, np.nan)
    found = []
    for measure, reference in ((MEASURE, observed), (f"{MEASURE}, relevant", asked)):
        for answer, label in enumerate(tree.labels):
            known = ~np.isnan(reference[:, answer])
            value, draws = spearman(given[known, answer], reference[known, answer])
            if not np.isnan(value):
                measured = estimate(value, int(np.count_nonzero(known)), draws)
                found.append(Measure(TOPIC, measure, *measured, label=label, chance=0.0))
    return found


def spearman(first: Floats, second: Floats) -> tuple[float, Floats]:
    """Spearman's rho of N pairs, and of 1000 resamples of them with replacement.

    Ties have the mean of their ranks, as in SciPy. Each resample is ranked anew, without sorting:
    a value's rank in it is the number of drawn values below, and half of those like it. NaN
    where either has only one value. The same galaxies are drawn in each call, so that the
    difference of two models' draws is that of pairs.
    """
    if len(first) < 2:
        return np.nan, np.empty(0)
    ranks = _ranking(first), _ranking(second)
    whole = float(_correlation(*ranks, np.ones((1, len(first))))[0])
    return whole, np.concatenate([_correlation(*ranks, t) for t in resamples(len(first))])


_Ranking = Callable[[Floats], Floats]


def _ranking(values: Floats) -> _Ranking:
    """From how often each value is drawn, (R, N), to its middle rank among those drawn, (R, N)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    starts = np.flatnonzero(new)
    group = np.empty(len(values), np.int64)
    group[order] = np.cumsum(new) - 1

    def ranks(times: Floats) -> Floats:
        alike = np.add.reduceat(times[:, order], starts, axis=1)
        middle: Floats = (alike.cumsum(axis=1) - alike / 2)[:, group]
        return middle

    return ranks


def _correlation(first: _Ranking, second: _Ranking, times: Floats) -> Floats:
    """Pearson's correlation of ranks in each resample, (R,); NaN where one does not vary."""
    middle = times.sum(axis=1, keepdims=True) / 2
    a, b = first(times) - middle, second(times) - middle
    together, of_a, of_b = ((times * x * y).sum(axis=1) for x, y in ((a, b), (a, a), (b, b)))
    with np.errstate(invalid="ignore", divide="ignore"):
        rho: Floats = together / np.sqrt(of_a * of_b)
    return rho
