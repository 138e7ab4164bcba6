"""Which galaxies are explained to judge explanations, and where their maps should point."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoolens.catalog.arrays import Floats, Mask
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.localisation import CAUSES, TRUE
from zoolens.catalog.evaluation.truth import Truth
from zoolens.catalog.images.view import View

_SEED = 0  # of the random choice of galaxies


@dataclass(frozen=True)
class Case:
    """An answer that is true of galaxy `number`, and the pixels that make it so, (H, W)."""

    number: int
    answer: int
    mask: Mask


def cases(
    truth: Truth, tree: DecisionTree, view: View, available: Sequence[int], most: int
) -> list[Case]:
    """Cases of every answer of `CAUSES`, at most `most` per answer, chosen at random.

    available: numbers of the galaxies that have images. An answer is true if it has
    half of the probability and half of the volunteers reach its question; its cause counts
    if some of it is within the view.
    """
    reach = tree.reach(truth.probabilities)[:, tree.question_of]
    true = (truth.probabilities >= TRUE) & (reach >= TRUE)
    order = np.random.default_rng(_SEED).permutation(np.array(available, dtype=np.int64))
    found = []
    for label, features in CAUSES.items():
        if label in tree.labels:
            answer = tree.labels.index(label)
            mine: list[Case] = []
            for number in order[true[order, answer]].tolist():
                if len(mine) == most:
                    break
                seen = true_mask(truth, number, features, view)
                if seen is not None:
                    mine.append(Case(number, answer, seen))
            found += mine
    return found


def true_mask(truth: Truth, number: int, features: Sequence[str], view: View) -> Mask | None:
    """Pixels of a galaxy's view that any of the features makes; None for none."""
    mask = truth.mask(number, features)
    seen = None if mask is None else viewed_mask(mask, view)
    return None if seen is None or not seen.any() else seen


def viewed_mask(mask: Mask, view: View) -> Mask:
    """A mask of the stored image as the mask of its view."""
    shown = view.display(Image.fromarray(mask).convert("RGB"))
    seen: Mask = shown[..., 0] >= 128
    return seen


def typical_answers(predicted: Floats, reach: Floats, tree: DecisionTree) -> npt.NDArray[np.int64]:
    """One answer per galaxy to judge maps by, (N,), taken from all questions in turn.

    predicted, reach (N, A), as predicted: NaN where the model lacks an answer. Of the
    questions that the model expects half of the volunteers to reach, galaxy i gets the
    i-th, cyclically, and of that question the answer predicted highest.
    """
    first = [where.start for where in tree.slices]
    answers = np.empty(len(predicted), dtype=np.int64)
    for number, (fractions, reached) in enumerate(zip(predicted, reach[:, first], strict=True)):
        known = [
            (where, share)
            for where, share in zip(tree.slices, reached, strict=True)
            if not np.isnan(fractions[where]).any()
        ]
        questions = [where for where, share in known if share >= TRUE] or [known[0][0]]
        where = questions[number % len(questions)]
        answers[number] = where.start + int(fractions[where].argmax())
    return answers
