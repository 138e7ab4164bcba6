"""Whether warnings that need no knowledge of the answer indicate wrong predictions."""

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.errors import RELEVANT
from zoolens.catalog.evaluation.measures import Measure, estimate, resampled_sums

WRONG = 0.25  # a prediction is wrong if it differs from the true fraction by more
PREDICTED = 0.5  # an answer predicted with this fraction or more is taken as the answer

_FEWEST = 10  # wrong and right ones; from fewer an area under the curve is chance


def warning(
    on_target: npt.ArrayLike,
    observed: npt.ArrayLike,
    predicted: npt.ArrayLike,
    fraction_sd: npt.ArrayLike,
    tree: DecisionTree,
    *,
    truth: npt.ArrayLike | None = None,
    of: str = "on_target",
) -> list[Measure]:
    """How well a low `on_target`, or a high `fraction_sd`, indicates a wrong prediction.

    All (N, A), NaN where missing: the share of an answer's positive saliency on the
    galaxy; observed (NaN also where the votes are too few to judge by) and predicted
    fractions; the posterior's standard deviation; and the truth of a simulation, which
    stands for the votes where at least half of the volunteers reach the question.
    A prediction is wrong if it is off by more than 0.25. Only predictions that have both
    warnings count, so that the two (`method`) can be compared. of: what to call the first.

    "ROC AUC" is the probability that a wrong prediction gives the stronger warning than
    a right one, a tie counting half; 1 is best, chance 0.5, and below that the warning
    misleads. Of each label that has ten wrong and ten right predictions or more, and
    (no label) of the answers that a user would take: of each galaxy and question the
    one predicted highest, if at 0.5 or more.
    """
    given, spread = np.asarray(predicted, np.float64), np.asarray(fraction_sd, np.float64)
    reference = np.asarray(observed, np.float64)
    if truth is not None:
        known = np.asarray(truth, np.float64)
        reached = tree.reach(known)[:, tree.question_of] >= RELEVANT
        reference = np.where(reached, known, np.nan)
    signs = {of: -np.asarray(on_target, np.float64), "fraction_sd": spread}
    off = np.abs(given - reference)
    judged = ~np.isnan(off + signs[of] + spread)
    wrong = off > WRONG
    taken = judged & _taken(given, tree)
    measures: list[Measure] = []
    for method, sign in signs.items():
        measures += _area(sign, wrong, taken, method, None)
        for answer, label in enumerate(tree.labels):
            only = np.s_[:, answer : answer + 1]
            measures += _area(sign[only], wrong[only], judged[only], method, label)
    return measures


def _taken(predicted: Floats, tree: DecisionTree) -> Flags:
    """The answer of each question that is predicted highest, if at 0.5 or more, (N, A)."""
    filled = np.nan_to_num(predicted, nan=-1)
    taken = np.zeros(predicted.shape, np.bool_)
    for where in tree.slices:
        best = where.start + filled[:, where].argmax(axis=1)
        taken[np.arange(len(taken)), best] = True
    highest: Flags = taken & (filled >= PREDICTED)
    return highest


def _area(
    sign: Floats, wrong: Flags, counted: Flags, method: str, label: str | None
) -> list[Measure]:
    """Area under the curve of a sign for the wrong ones of those counted, all (N, A).

    The interval resamples galaxies, with all that is counted of each, and takes the area to
    first order: each wrong prediction has its share of weaker right ones, and each right one
    its share of stronger wrong ones (the structural components of DeLong et al. 1988,
    Biometrics 44, 837). Only the means of these are resampled; no area is computed again.
    """
    few = min(np.count_nonzero(counted & wrong), np.count_nonzero(counted & ~wrong))
    if few < _FEWEST:
        return []
    columns = np.zeros((len(sign), 4))
    for place, (mine, others, side) in enumerate(
        ((counted & wrong, counted & ~wrong, 1), (counted & ~wrong, counted & wrong, -1))
    ):
        galaxy, _ = np.nonzero(mine)
        beaten = _share_below(side * sign[mine], side * sign[others])
        columns[:, 2 * place] = np.bincount(galaxy, beaten, len(sign))
        columns[:, 2 * place + 1] = np.bincount(galaxy, minlength=len(sign))
    value = columns[:, 0].sum() / columns[:, 1].sum()
    drawn = resampled_sums(columns)
    with np.errstate(invalid="ignore"):
        areas = drawn[:, 0] / drawn[:, 1] + drawn[:, 2] / drawn[:, 3] - value
    galaxies = int(counted.any(axis=1).sum())
    found = estimate(value, galaxies, np.clip(areas, 0, 1))
    return [Measure("warning", "ROC AUC", *found, label=label, method=method, chance=0.5)]


def _share_below(values: Floats, others: Floats) -> Floats:
    """For each value, the share of the others below it, equal ones counting half."""
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    share: Floats = (below + up_to) / (2 * len(others))
    return share
