"""The figures by which a model of real galaxies is judged, from arrays, for N galaxies.

Everything is measured on galaxies that were not trained on, with 95 % intervals by bootstrap over
galaxies (1000 resamples). All models are judged on the same galaxies, drawn alike, so that the
difference of two draws is that of a pair.

Votes: (N, A), 0 where nobody was asked. Predictions: concentrations (N, T, A); the predicted
fraction of an answer is the mean over the T samples of alpha / sum of alpha. A question is reached
where half of the volunteers were asked it, as in Walmsley et al. 2022.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.calibration import (
    LEVELS,
    covered,
    mostly_weighted,
    predicted_steps,
    rounded_votes,
)
from zoolens.catalog.evaluation.errors import (
    confident,
    mean_known,
    observed_fractions,
    relevant,
    right_answers,
)
from zoolens.catalog.evaluation.measures import Estimate, estimate, resampled_sums
from zoolens.catalog.evaluation.ranks import spearman
from zoolens.catalog.evaluation.reach import observed_reach
from zoolens.catalog.predictions.posterior import question_totals

FEATURED = "smooth-or-featured_featured-or-disk"
SMOOTH = "smooth-or-featured_smooth"
# What galaxies are ranked by: an answer's fraction, or that less another's.
SCORES: dict[str, tuple[str, ...]] = {
    "featured": (FEATURED,),
    "edge-on": ("disk-edge-on_yes",),
    "round less cigar-shaped": ("how-rounded_round", "how-rounded_cigar"),
    "completely round": ("how-rounded_round",),
    "spiral arms": ("has-spiral-arms_yes",),
    "bar": ("bar_yes",),
    "anything odd": ("something-odd_yes",),
}
HALF = "half asked"
# Which of them are ranked among which galaxies; a few unselected ones were asked of arms and bars.
_RANKED = {
    "unselected": ("featured", "anything odd"),
    f"unselected, {HALF}": tuple(SCORES)[1:6],
    f"held out, {HALF}": ("spiral arms", "bar"),
    "held out": ("spiral arms", "bar"),
}
MIN_VOTES = 5  # of a coverage


@dataclass(frozen=True)
class Judged:
    """Galaxies that no model was trained on, and what volunteers said of them.

    names; votes (N, A), 0 where nobody was asked or it was not published; unselected (N,): which
    were not chosen by what they look like.
    """

    tree: DecisionTree
    names: Sequence[str]
    votes: Floats
    unselected: Flags

    @cached_property
    def observed(self) -> Floats:
        """Vote fractions (N, A), NaN where nobody was asked."""
        return observed_fractions(self.votes, 0, self.tree)

    @cached_property
    def reached(self) -> Flags:
        """Whether half of the volunteers were asked an answer's question, (N, A)."""
        return relevant(self.votes, self.tree)

    def among(self, of: str) -> Flags:
        """Which galaxies a figure is of, (N, A), since the question may have to be reached."""
        which = np.broadcast_to(self.unselected[:, None], self.votes.shape)
        if of.startswith("held out"):
            which = np.ones_like(which)
        return which & self.reached if HALF in of else which & ~np.isnan(self.observed)

    @cached_property
    def cumulative(self) -> Floats:
        """Share of all volunteers who gave each answer, (N, A); NaN where it was not published.

        As in the Kaggle challenge of 2014, where they add up to the share of the answer that
        leads to the question, and to 1 for the first question and for anything odd.
        """
        published = ~np.isnan(observed_reach(self.votes, asked_as_published(self.tree)))
        everybody = question_totals(self.votes, self.tree).max(axis=1, keepdims=True)
        shares: Floats = self.votes / everybody
        return np.where(published[:, self.tree.question_of], shares, np.nan)


@dataclass(frozen=True)
class Predicted:
    """What a model predicts of the same galaxies.

    fractions (N, A): expected; cumulative (N, A): expected shares of all volunteers;
    concentrations (N, T, A).
    """

    fractions: Floats
    cumulative: Floats
    concentrations: npt.NDArray[np.floating]


@dataclass(frozen=True)
class Figure:
    """One measured value of a model.

    name: what was measured; of: on which galaxies; galaxies: how many; value, lo, hi; floor: what
    is reached without looking at the image, None if there is no such value; draws: of the 1000
    resamples.
    """

    name: str
    of: str
    estimate: Estimate
    draws: Floats
    floor: float | None = None


def predicted(concentrations: npt.NDArray[np.floating], tree: DecisionTree) -> Predicted:
    """Expected fractions of concentrations (N, T, A), and shares of all volunteers."""
    alpha = np.asarray(concentrations, np.float64)
    fractions = alpha / question_totals(alpha, tree)
    shares = asked_as_published(tree).reach(fractions)[..., tree.question_of] * fractions
    return Predicted(fractions.mean(axis=1), shares.mean(axis=1), concentrations)


def asked_as_published(tree: DecisionTree) -> DecisionTree:
    """The tree as the published totals fall down it: anything odd is asked of everybody.

    Everybody but those who saw an artifact were asked, and the challenge scaled their answers
    to 1.
    """
    first = tree.questions[0].name
    always = {
        q.name for q in tree.questions if len(q.asked_after) > 1 and _all_of(first, q.asked_after)
    }
    questions = (replace(q, asked_after=()) if q.name in always else q for q in tree.questions)
    return DecisionTree(tree.name, tuple(questions))


def _all_of(question: str, labels: Sequence[str]) -> bool:
    return all(label.rpartition("_")[0] == question for label in labels)


def figures(judged: Judged, model: Predicted) -> Iterator[Figure]:
    """Everything that is measured of one model; what it lacks is left out."""
    found = [
        *_ranks(judged, model),
        *_errors(judged, model),
        *_root_mean_squares(judged, model),
        *_coverages(judged, model),
        *_accuracies(judged, model),
    ]
    yield from (figure for figure in found if figure.estimate.galaxies)


def difference(one: Figure, other: Figure) -> Estimate:
    """The first less the second, with the interval of pairs: the same galaxies drawn."""
    value = one.estimate.value - other.estimate.value
    return estimate(value, one.estimate.galaxies, one.draws - other.draws)


def _ranks(judged: Judged, model: Predicted) -> Iterator[Figure]:
    for of, names in _RANKED.items():
        for name in names:
            places = [judged.tree.answer_id(label) for label in SCORES[name]]
            truth, given = (_score(x, places) for x in (judged.observed, model.fractions))
            known = judged.among(of)[:, places[0]] & ~np.isnan(truth + given)
            value, draws = spearman(given[known], truth[known])
            galaxies = int(np.count_nonzero(known)) if not np.isnan(value) else 0
            yield Figure(f"Spearman, {name}", of, estimate(value, galaxies, draws), draws)


def _score(fractions: Floats, places: Sequence[int]) -> Floats:
    first, *less = places
    return fractions[:, first] - fractions[:, less].sum(axis=1)


def _errors(judged: Judged, model: Predicted) -> Iterator[Figure]:
    """Mean absolute errors: of the first question's fractions, then of every question's."""
    tree, half = judged.tree, f"unselected, {HALF}"
    main = [tree.answer_id(label) for label in (SMOOTH, FEATURED)]
    for name, places, of in [
        ("smooth, featured", main, "unselected"),
        *(
            (q.name, list(range(w.start, w.stop)), half)
            for q, w in zip(tree.questions, tree.slices, strict=True)
        ),
    ]:
        known = judged.among(of)[:, places[0]]
        truth, given = judged.observed[known][:, places], model.fractions[known][:, places]
        off = np.abs(given - truth).mean(axis=1)
        blind = np.abs(mean_known(truth) - truth).mean(axis=1)
        yield _mean(f"MAE, {name}", of, off, floor=blind)


def _root_mean_squares(judged: Judged, model: Predicted) -> Iterator[Figure]:
    """As in the challenge: the root of the mean over galaxies and answers, of shares of everybody.

    Of galaxies of which all answers were published; of all, on those that were published for each;
    and of each answer on the galaxies of which it was published, averaged over the answers: what
    the whole would come to if those were a fair choice for the others.
    """
    truth, off = judged.cumulative, model.cumulative - judged.cumulative
    blind = mean_known(truth) - truth
    whole = ~np.isnan(truth).any(axis=1)
    always = ~np.isnan(truth).any(axis=0)
    everybody = np.ones(len(truth), bool)
    answers = truth.shape[1]
    for of, some in (("unselected", judged.unselected), ("held out", everybody)):
        name = f"RMSE, {answers} answers"
        yield _root(
            name,
            f"{of}, all known",
            off[some & whole],
            mean_known(truth[some & whole]) - truth[some & whole],
        )
        yield _root(f"{name}, each by itself", of, off[some], blind[some], by_answer=True)
    if not always.all():
        some = judged.unselected
        name = f"RMSE, {np.count_nonzero(always)} answers"
        yield _root(name, "unselected", off[some][:, always], blind[some][:, always])


def _root(name: str, of: str, off: Floats, blind: Floats, *, by_answer: bool = False) -> Figure:
    """Root of the mean of squares (N, A), NaN left out; or of the answers' own means."""

    def root(squares: Floats) -> tuple[float, Floats]:
        known = ~np.isnan(squares)
        parts = np.hstack([np.nan_to_num(squares), known])
        width = squares.shape[1]

        def of_sums(sums: Floats) -> Floats:
            above, below = sums[:, :width], sums[:, width:]
            with np.errstate(invalid="ignore"):
                mean = (
                    np.nanmean(above / below, axis=1) if by_answer else above.sum(1) / below.sum(1)
                )
            roots: Floats = np.sqrt(mean)
            return roots

        return float(of_sums(parts.sum(axis=0, keepdims=True))[0]), of_sums(resampled_sums(parts))

    if not len(off) or np.isnan(off).all():
        return _nothing(name, of)
    value, draws = root(off**2)
    return Figure(name, of, estimate(value, len(off), draws), draws, root(blind**2)[0])


def _coverages(judged: Judged, model: Predicted) -> Iterator[Figure]:
    """Share of the answers whose votes lie inside the predicted intervals; floor: what should."""
    tree, some = judged.tree, judged.unselected
    votes = judged.votes[some]
    if mostly_weighted(votes, tree, MIN_VOTES):
        votes = rounded_votes(votes, tree)
    steps = predicted_steps(votes, model.concentrations[some], tree, min_votes=MIN_VOTES)
    for level in LEVELS:
        inside = covered(*steps, level)
        name = f"coverage of {level:.0%} intervals"
        yield _mean(name, "unselected", inside, floor=np.full(1, level))


def _accuracies(judged: Judged, model: Predicted) -> Iterator[Figure]:
    tree, of = judged.tree, f"unselected, {HALF}, clear"
    asked = np.where(judged.among(of), judged.observed, np.nan)
    right, chance = right_answers(confident(asked, tree), model.fractions, tree)
    for question, column, blind in zip(tree.questions, right.T, chance, strict=True):
        yield _mean(f"accuracy, {question.name}", of, column, floor=np.full(1, blind))


def _mean(name: str, of: str, values: Floats, *, floor: Floats) -> Figure:
    """Mean of values (N,) or (N, K), NaN left out; of several of a galaxy, over all of them."""
    columns = values[:, None] if values.ndim == 1 else values
    sums = np.stack([np.nansum(columns, axis=1), np.count_nonzero(~np.isnan(columns), axis=1)], 1)
    sums = sums[sums[:, 1] > 0]
    if not len(sums):
        return _nothing(name, of)
    drawn = resampled_sums(sums)
    value, draws = sums[:, 0].sum() / sums[:, 1].sum(), drawn[:, 0] / drawn[:, 1]
    return Figure(name, of, estimate(value, len(sums), draws), draws, float(np.nanmean(floor)))


def _nothing(name: str, of: str) -> Figure:
    return Figure(name, of, Estimate(np.nan, 0, None, None), np.empty(0))
