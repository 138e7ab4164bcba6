"""What a model, or several pooled, make of one image that belongs to no catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from PIL import Image
from scipy import special

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.explain.derived import known
from zoolens.catalog.explain.members import MapMaker
from zoolens.catalog.explain.portraits import Picture, picture_of
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import Member
from zoolens.catalog.network.inference import features
from zoolens.catalog.predictions.from_images import Sampler
from zoolens.catalog.predictions.posterior import Summary, summarise
from zoolens.catalog.saliency.arithmetic import Of

REACHED = 0.5  # of volunteers, that a question is relevant (Walmsley et al. 2022, section 4)
_MOST_DRAWN = 4


@dataclass(frozen=True)
class ImageExplained:
    """Predictions and maps of one image.

    summary: of one galaxy; pixels: (H, W, 3), as the models saw it, in colour; maps: (A, h, w) of
    what was asked for, and sd over dropout samples, None for fractions; baseline: (A,) of maps of
    fractions, what they add up from to the fraction, NaN where they do not; None for others.
    """

    tree: DecisionTree
    summary: Summary
    pixels: npt.NDArray[np.uint8]
    maps: npt.NDArray[np.floating]
    sd: npt.NDArray[np.float32] | None
    of: Of
    baseline: Floats | None = None

    @property
    def order(self) -> list[int]:
        """Questions by how likely a volunteer is asked, NaN last; equals in the tree's order."""
        reach = self._reach
        return sorted(range(len(reach)), key=lambda q: -np.nan_to_num(reach[q], nan=-1.0))

    @property
    def telling(self) -> list[int]:
        """The answers to draw, in the tree's order: the likeliest of each question that is reached.

        Of more than four such questions, those that are decided most: their fractions have the
        least entropy for as many answers.
        """
        fraction = self.summary.fraction[0]
        open_ = {}  # by question: entropy of its fractions, over the largest possible one
        for q, where in enumerate(self.tree.slices):
            own = fraction[where]
            if self._reach[q] >= REACHED and np.isfinite(own).all():
                open_[q] = special.entr(own).sum() / max(np.log(len(own)), 1e-9)
        drawn = sorted(sorted(open_, key=lambda q: open_[q])[:_MOST_DRAWN])
        return [int(_first(self.tree, q) + fraction[self.tree.slices[q]].argmax()) for q in drawn]

    def table(self) -> pa.Table:
        """One row per answer, those of the questions that most are asked first.

        Columns as in the view `predictions`, by shorter names, so that they fit a terminal.
        """
        summary, tree = self.summary, self.tree
        answers = [k for q in self.order for k in range(len(tree.labels))[tree.slices[q]]]
        named = [(tree.questions[tree.question_of[k]], k) for k in answers]
        columns = {
            "question": [question.name for question, _ in named],
            "answer": [q.answers[k - _first(tree, int(tree.question_of[k]))] for q, k in named],
        }
        values = {
            "fraction": summary.fraction,
            "lo": summary.lo,
            "hi": summary.hi,
            "reach": summary.reach,
            "model_sd": summary.model_sd,
        }
        if np.isnan(summary.model_sd).all():
            del values["model_sd"]
        return pa.table(
            columns
            | {
                name: pa.array(np.round(each[0, answers], 4), from_pandas=True)
                for name, each in values.items()
            }
        )

    def picture(self, answer: int) -> Picture:
        """The image and the map of an answer, to be drawn."""
        sd = None if self.sd is None else self.sd[answer]
        if self.baseline is None:
            return picture_of(self.pixels, self.maps[answer], sd)
        told = (self.summary.fraction[0, answer], self.baseline[answer])
        predicted, baseline = map(known, told)
        return picture_of(
            self.pixels, self.maps[answer], sd, predicted=predicted, baseline=baseline
        )

    @property
    def _reach(self) -> Floats:
        first = [where.start for where in self.tree.slices]
        reach: Floats = self.summary.reach[0, first]
        return reach


def explain_image(
    image: Image.Image,
    members: Sequence[Member],
    tree: DecisionTree,
    view: View,
    explainer: MapMaker,
    *,
    samples: int,
    seed: int,
    orientations: int = 1,
    of: Of = "fraction",
) -> ImageExplained:
    """Predict one image, and explain what was predicted.

    view, explainer: of the members together (`catalog.explain.members.explainer_of`). of:
    "concentration" or "fraction". Raises `ImageRefused` if a model makes no number of it.
    """
    pooled = []
    with torch.inference_mode():
        for member in members:
            encode = partial(features, member.model.encoder)
            masks = member.masks(samples, seed, orientations)
            sampler = Sampler(member, masks, encode, orientations)
            seen = sampler.features(member.view.prepare(image)[None])
            pooled.append(sampler.samples(seen).numpy())
    alpha = np.concatenate(pooled, axis=1)  # (1, M T, A)
    seen, pixels = view.both(image)
    baseline = None
    if of == "fraction":
        made = explainer.fractions(seen[None], tree.slices)
        maps, sd, baseline = made.mean[0].numpy(), None, made.baseline[0].numpy()
    else:
        saliency = explainer(seen[None])
        maps, sd = saliency.mean[0].numpy(), saliency.sd[0].numpy()
    has = ~members[0].model.bias.isnan().numpy()
    if not (np.isfinite(alpha[..., has]).all() and np.isfinite(maps[has]).all()):
        raise ImageRefused("unusable image: what the model makes of it is no number")
    return ImageExplained(tree, summarise(alpha, tree, len(pooled)), pixels, maps, sd, of, baseline)


def _first(tree: DecisionTree, question: int) -> int:
    return tree.slices[question].start
