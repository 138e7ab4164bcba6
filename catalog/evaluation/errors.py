"""How far predicted fractions are from the votes', and from the truth of a simulation.

The tables that Galaxy Zoo papers print. From arrays to measures, for N galaxies, T dropout
samples, A answers, Q questions. Everything in float64.
"""

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.calibration import MIN_VOTES, all_answers
from zoolens.catalog.evaluation.measures import Measure, means
from zoolens.catalog.predictions.posterior import question_totals
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll

CONFIDENT = 0.8  # fraction of one answer, as in Walmsley et al. 2022
RELEVANT = 0.5  # share of the volunteers who were asked, as there

_GALAXIES = 2000  # whose posteriors are converted to float64 at a time


def errors(
    counts: npt.ArrayLike,
    predicted: npt.ArrayLike,
    tree: DecisionTree,
    *,
    min_votes: float = MIN_VOTES,
) -> list[Measure]:
    """Accuracy and mean absolute error of predicted fractions against the votes'.

    counts: (N, A), NaN where a question's votes are not the tree's; predicted: expected
    vote fractions (N, A) in 0..1, NaN where the model lacks an answer. Only questions
    with at least `min_votes` votes count.

    "accuracy": share of galaxies whose answer with the largest predicted fraction also has
    the most votes (ties count as right). "accuracy, relevant": the same among galaxies of
    which at least half of the volunteers were asked the question. "accuracy, confident":
    among those of them where one answer has a fraction of 0.8 or more. The last two are the columns
    of Walmsley et al. 2022. Chance is the accuracy of always giving the answer that is
    right most often.

    "mean absolute error": of each label's fraction, and of a question's, the mean over
    its answers. Chance is that of predicting the mean fraction for every galaxy.
    """
    observed = observed_fractions(counts, min_votes, tree)
    asked = np.where(relevant(counts, tree), observed, np.nan)
    return [
        *_accuracy("accuracy", observed, predicted, tree),
        *_accuracy("accuracy, relevant", asked, predicted, tree),
        *_accuracy("accuracy, confident", confident(asked, tree), predicted, tree),
        *_absolute("mean absolute error", observed, predicted, tree),
    ]


def observed_fractions(counts: npt.ArrayLike, min_votes: float, tree: DecisionTree) -> Floats:
    """Vote fractions (N, A) of counts (N, A), NaN for questions with fewer votes, or none."""
    votes = np.asarray(counts, np.float64)
    total = question_totals(votes, tree)  # (N, A)
    enough = total >= max(min_votes, np.finfo(float).tiny)
    return votes / np.where(enough, total, np.nan)


def relevant(counts: npt.ArrayLike, tree: DecisionTree) -> npt.NDArray[np.bool_]:
    """Whether at least half of a galaxy's volunteers were asked an answer's question, (N, A)."""
    total = question_totals(np.asarray(counts, np.float64), tree)
    everybody = np.nan_to_num(total).max(axis=1, initial=0, keepdims=True)
    asked: npt.NDArray[np.bool_] = total >= RELEVANT * everybody
    return asked


def likelihoods(
    counts: npt.ArrayLike, concentrations: npt.NDArray[np.floating], tree: DecisionTree
) -> list[Measure]:
    """Mean "negative log likelihood" of the votes on each question, nat per galaxy.

    Of the Dirichlet-multinomial posterior predictive (`dirichlet_multinomial_nll`, as
    are counts and concentrations), over galaxies that were asked; weighted votes count.
    """
    votes = np.asarray(counts, np.float64)
    nll = np.full((len(votes), len(tree.questions)), np.nan)
    for start in range(0, len(votes), _GALAXIES):
        part = slice(start, start + _GALAXIES)
        nll[part] = dirichlet_multinomial_nll(votes[part], concentrations[part], tree)
    asked = question_totals(votes, tree)[:, [where.start for where in tree.slices]] > 0
    values = np.where(asked, nll, np.nan)
    return of_questions("error", "negative log likelihood", values, tree)


def errors_against_truth(
    predicted: npt.ArrayLike, probabilities: npt.ArrayLike, tree: DecisionTree
) -> list[Measure]:
    """The same against the truth of a simulation, free of the votes' own noise.

    predicted: (N, A), as for `errors`; probabilities: (N, A) in 0..1, that a volunteer
    who is asked the question gives the answer. A question counts for galaxies
    where at least half of the volunteers reach it: "mean absolute error against the truth",
    "accuracy against the truth", and "accuracy against the truth, confident", where one
    answer has a probability of 0.8 or more. "reach" is the mean share of volunteers who
    reach a question, over all galaxies.
    """
    truth = np.asarray(probabilities, np.float64)
    reach = tree.reach(truth)  # (N, Q)
    reached = np.where(reach[:, tree.question_of] >= RELEVANT, truth, np.nan)
    accuracy = "accuracy against the truth"
    return [
        *_accuracy(accuracy, reached, predicted, tree),
        *_accuracy(f"{accuracy}, confident", confident(reached, tree), predicted, tree),
        *_absolute("mean absolute error against the truth", reached, predicted, tree),
        *of_questions("error", "reach", reach, tree),
    ]


def _accuracy(
    measure: str, fractions: Floats, predicted: npt.ArrayLike, tree: DecisionTree
) -> list[Measure]:
    right, chance = right_answers(fractions, predicted, tree)
    return of_questions("accuracy", measure, right, tree, chance)


def right_answers(
    fractions: Floats, predicted: npt.ArrayLike, tree: DecisionTree
) -> tuple[Floats, Floats]:
    """Whether the answer of the largest predicted fraction also has the largest of `fractions`.

    fractions, predicted: (N, A), NaN where unknown. Returns 1 or 0 (N, Q), NaN where either
    lacks an answer; and (Q,) how often the answer that is right most often is right.
    """
    reference, given = both_known(fractions, predicted, tree)
    right = np.full((len(given), len(tree.questions)), np.nan)  # (N, Q)
    chance = np.full(len(tree.questions), np.nan)
    for question, where in enumerate(tree.slices):
        known = ~np.isnan(given[:, where.start])
        if not known.any():
            continue
        block = reference[known, where]
        most = block == block.max(axis=1, keepdims=True)  # (M, K)
        right[known, question] = most[np.arange(len(most)), given[known, where].argmax(axis=1)]
        chance[question] = most.mean(axis=0).max()
    return right, chance


def _absolute(
    measure: str, fractions: Floats, predicted: npt.ArrayLike, tree: DecisionTree
) -> list[Measure]:
    reference, given = both_known(fractions, predicted, tree)
    error, blind = (np.abs(x - reference) for x in (given, mean_known(reference)))  # (N, A)
    of_question, blind_of_question = (
        np.stack([x[:, where].mean(axis=1) for where in tree.slices], axis=1)
        for x in (error, blind)
    )
    labels = [
        Measure("error", measure, *estimate, label=label, chance=float(chance))
        for label, estimate, chance in zip(
            tree.labels, means(error), mean_known(blind), strict=True
        )
        if estimate.galaxies
    ]
    return [
        *of_questions("error", measure, of_question, tree, mean_known(blind_of_question)),
        *labels,
    ]


def of_questions(
    topic: str,
    measure: str,
    values: Floats,
    tree: DecisionTree,
    chance: Floats | None = None,
) -> list[Measure]:
    """Means of values (N, Q), NaN missing; questions without any value are left out."""
    expected = [None] * len(tree.questions) if chance is None else chance.tolist()
    names = [question.name for question in tree.questions]
    return [
        Measure(topic, measure, *estimate, question=name, chance=by_chance)
        for name, estimate, by_chance in zip(names, means(values), expected, strict=True)
        if estimate.galaxies
    ]


def both_known(
    reference: Floats, predicted: npt.ArrayLike, tree: DecisionTree
) -> tuple[Floats, Floats]:
    """Both (N, A), NaN for questions of which either lacks an answer."""
    given = np.asarray(predicted, np.float64)
    known = all_answers(~np.isnan(reference + given), tree)
    return np.where(known, reference, np.nan), np.where(known, given, np.nan)


def confident(fractions: Floats, tree: DecisionTree) -> Floats:
    """Fractions (N, A), NaN for questions without an answer of 0.8 or more."""
    sure = ~all_answers(~(fractions >= CONFIDENT), tree)
    return np.where(sure, fractions, np.nan)


def mean_known(values: Floats) -> Floats:
    """Mean of each column, NaN where nothing is known."""
    with np.errstate(invalid="ignore"):
        mean: Floats = np.nansum(values, axis=0) / np.count_nonzero(~np.isnan(values), axis=0)
    return mean
