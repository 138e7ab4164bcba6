"""How far volunteers came down the tree, and how far they were expected to come.

From arrays to measures, for N galaxies, A answers, Q questions. Everything in float64.
"""

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.errors import mean_known, of_questions
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.predictions.posterior import question_totals

_SOMEBODY = 0.01  # votes; fewer are the rounding of weighted ones


def observed_reach(counts: npt.ArrayLike, tree: DecisionTree) -> Floats:
    """Share of a galaxy's volunteers who were asked each question: (N, A) -> (N, Q) in 0..1.

    NaN of galaxies without votes, of questions whose votes are not the tree's, and of those
    without a vote where volunteers came to them, and what follows them: a table that lacks a
    question says nothing of how many were asked it.
    """
    votes = np.asarray(counts, np.float64)
    total = question_totals(votes, tree)[:, [where.start for where in tree.slices]]  # (N, Q)
    everybody = np.nan_to_num(total).max(axis=1, initial=0, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(everybody > 0, total / everybody, np.nan)
    given = np.nan_to_num(votes)
    unknown: dict[str, Flags] = {}

    def lacks(name: str) -> Flags:
        """Which galaxies lack a question that somebody came to, or one before it, (N,)."""
        if name not in unknown:
            number = tree.question_id(name)
            parents = tree.questions[number].asked_after
            places = [tree.labels.index(label) for label in parents]
            came = given[:, places].sum(axis=1) if parents else everybody[:, 0]
            before = [lacks(label.rpartition("_")[0]) for label in parents]
            lost = (came > _SOMEBODY) | np.logical_or.reduce([came < 0, *before])
            unknown[name] = (total[:, number] == 0) & lost
        return unknown[name]

    for number, question in enumerate(tree.questions):
        share[lacks(question.name), number] = np.nan
    return share


def reach_measures(
    counts: npt.ArrayLike, predicted: npt.ArrayLike, tree: DecisionTree
) -> list[Measure]:
    """The mean "reach of the votes", and the "mean absolute error of the reach".

    counts (N, A), NaN where a question's votes are not the tree's; predicted (N, A): the
    expected reach of each answer's question, NaN where it is unknown. The error's chance is that
    of giving every galaxy the mean.
    """
    observed = observed_reach(counts, tree)
    expected = np.asarray(predicted, np.float64)[:, [where.start for where in tree.slices]]
    both = np.where(np.isnan(expected), np.nan, observed)
    blind = mean_known(np.abs(both - mean_known(both)))
    return [
        *of_questions("error", "reach of the votes", observed, tree),
        *of_questions(
            "error", "mean absolute error of the reach", np.abs(both - expected), tree, blind
        ),
    ]
