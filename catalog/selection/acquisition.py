"""What more votes on a galaxy are worth: the acquisition functions of active learning."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere
from zoolens.catalog.store.every_galaxy import EveryGalaxy, informed
from zoolens.catalog.store.store import Store

MEASURES = ("mutual_information", "loss")


@dataclass(frozen=True)
class Scores:
    """What more votes on N galaxies are worth, nat; 0 where nothing or not known.

    galaxy_id, has_image (N,), in order of the galaxies' names; total (N,): on all questions;
    question (N,): the number of the one that is worth most, -1 where none is; of: (N,) for
    each question with a quota. run_id: the predict or score run that the scores come from.
    """

    run_id: int
    galaxy_id: npt.NDArray[np.int64]
    has_image: npt.NDArray[np.bool_]
    total: Floats
    question: npt.NDArray[np.int16]
    of: Mapping[str, Floats]

    @property
    def without_image(self) -> int:
        """Galaxies that could be selected if they had an image."""
        return int(np.count_nonzero(~self.has_image & (self.total > 0)))

    def best(self, quota: str | None = None) -> tuple[npt.NDArray[np.intp], Floats]:
        """Places of galaxies with an image, best first, equals by name, and their scores.

        On all questions, or on one with a quota; galaxies worth nothing are left out.
        """
        values = np.where(self.has_image, self.total if quota is None else self.of[quota], 0.0)
        order = np.argsort(-values, kind="stable")[: np.count_nonzero(values > 0)]
        return order, values[order]


def read_scores(
    store: Store,
    by: str = "mutual_information",
    *,
    quotas: Sequence[str] = (),
    min_votes: float = 0,
    max_votes: float | None = None,
    where: str | None = None,
) -> Scores:
    """What one more volunteer, or a second look, is worth for each galaxy.

    by "mutual_information": the information about the model's weights, nat, that one
    more volunteer is expected to give. On a question that is its reach (the predicted
    probability that the volunteer is asked it) times the stored mutual information of
    one answer; on all questions the sum. Walmsley et al. 2020 (MNRAS 491, 1554) acquire
    for a single question, which every volunteer is asked; here a volunteer goes down the
    tree, and a question that hardly anybody would reach is worth little. That is an
    approximation, neither bound of what the whole walk tells: it leaves out that the answers on
    the way already say something of the weights. It needs no
    votes: those of the newest predict run are ranked.

    by "loss": the largest weighted_ce of the newest score run, nat, among the answers of
    the question or of all questions, as `catalog.store.ranking` has it.

    quotas: questions to have scores of their own for. Questions that fewer than
    `min_votes` (loss only) or more than `max_votes` volunteers were asked are worth
    nothing; nor are galaxies for which the condition `where` is not true
    (`catalog.store.row_filter.galaxies_where`). Raises `CatalogError` for a bad choice, and
    `NothingHere` if nothing has a score.
    """
    _check(by, min_votes, max_votes)
    tree = store.tree
    run_id = store.newest_run("predict" if by == "mutual_information" else "score")
    galaxies = EveryGalaxy.read(store)
    total, largest = galaxies.nothing(), galaxies.nothing()
    among = 1 if where is None else galaxies.for_which(where)
    question = np.full(len(total), -1, np.int16)
    of: dict[str, Floats] = {}
    for number, name in enumerate(known.name for known in tree.questions):
        if by == "loss":
            scores = among * _losses(galaxies, tree, number, run_id, min_votes, max_votes)
            np.maximum(total, scores, out=total)
        else:
            scores = among * _information(galaxies, tree, number, run_id, max_votes)
            total += scores
        if name in quotas:
            of[name] = scores[galaxies.by_name]
        question[scores > largest] = number
        np.maximum(largest, scores, out=largest)
    _check_scores(store, total, by, run_id)
    order = galaxies.by_name
    has_image = galaxies.with_image()[order]
    return Scores(run_id, galaxies.number[order], has_image, total[order], question[order], of)


def _check(by: str, min_votes: float, max_votes: float | None) -> None:
    if by not in MEASURES:
        raise CatalogError(f"no selection by {by!r}; choose one of {', '.join(MEASURES)}")
    if not min_votes >= 0 or not (max_votes is None or max_votes >= 0):  # so NaN too
        raise CatalogError("the fewest and the most votes must be 0 or more")
    if min_votes > 0 and by != "loss":
        raise CatalogError("a selection by mutual information needs no votes: no --min-votes")


def _check_scores(store: Store, total: Floats, by: str, run_id: int) -> None:
    if not (total > 0).any():
        if by == "mutual_information" and not informed(store, run_id):
            also = ", or select --by loss" if store.has_votes else ""
            raise NothingHere(
                f"the predictions of run {run_id} have no mutual information; predict with a "
                f"model and --samples above 0{also}"
            )
        raise NothingHere(
            "no galaxy has a score above 0; ask for other --min-votes, --max-votes or --where"
        )


def _information(
    galaxies: EveryGalaxy,
    tree: DecisionTree,
    question: int,
    run_id: int,
    max_votes: float | None,
) -> Floats:
    """Reach times mutual information of one question, (N,) nat."""
    first = tree.slices[question].start  # all answers of a question have its reach and total
    scores = galaxies.reach(run_id, first)
    scores *= galaxies.mutual_information(run_id, question)
    if max_votes is not None:
        votes = galaxies.asked(first, question)
        scores[votes > max_votes] = 0
    return scores


def _losses(
    galaxies: EveryGalaxy,
    tree: DecisionTree,
    question: int,
    run_id: int,
    min_votes: float,
    max_votes: float | None,
) -> Floats:
    """The largest weighted_ce among the answers of one question, (N,) nat."""
    most = math.inf if max_votes is None else float(max_votes)
    where = tree.slices[question]
    scores = galaxies.nothing()
    for answer in range(where.start, where.stop):
        losses = galaxies.weighted_ce(run_id, answer, float(min_votes), most)
        np.maximum(scores, losses, out=scores)
    return scores
