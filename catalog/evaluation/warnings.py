"""Whether warnings that need no knowledge of the answer indicate wrong predictions."""

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.errors import RELEVANT
from zoolens.catalog.evaluation.measures import Estimate, Measure
from zoolens.catalog.evaluation.roc import area

WRONG = 0.25  # a prediction is wrong if it differs from the true fraction by more
PREDICTED = 0.5  # an answer predicted with this fraction or more is taken as the answer


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
    misleads (`roc.area`). Of each label that has ten wrong and ten right predictions or more, and
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
    taken = judged & taken_answers(given, tree)
    measures: list[Measure] = []
    for method, sign in signs.items():
        found: dict[str | None, Estimate | None] = {None: area(sign, wrong, taken)}
        for answer, label in enumerate(tree.labels):
            only = np.s_[:, answer : answer + 1]
            found[label] = area(sign[only], wrong[only], judged[only])
        measures += [
            Measure("warning", "ROC AUC", *one, label=label, method=method, chance=0.5)
            for label, one in found.items()
            if one is not None
        ]
    return measures


def taken_answers(predicted: Floats, tree: DecisionTree) -> Flags:
    """The answer of each question that is predicted highest, if at 0.5 or more, (N, A)."""
    filled = np.nan_to_num(predicted, nan=-1)
    taken = np.zeros(predicted.shape, np.bool_)
    for where in tree.slices:
        best = where.start + filled[:, where].argmax(axis=1)
        taken[np.arange(len(taken)), best] = True
    highest: Flags = taken & (filled >= PREDICTED)
    return highest
