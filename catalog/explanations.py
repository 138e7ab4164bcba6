"""The ways of explaining one answer an image, side by side, so that they can be judged."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from catalog.decision_tree import DecisionTree
from catalog.derived_maps import fraction_map
from catalog.inference import features
from catalog.input_gradient import input_gradient
from catalog.model import ZoobotModel, concentrations
from catalog.saliency import METHODS, Explainer

# a model, images (N, C, H, W) and an answer for each -> signed maps (N, h, w)
Explain = Callable[[ZoobotModel, Tensor, Sequence[int]], Tensor]

_PART = 8  # images at once, as all answers of each are explained


def explanations(masks: Tensor, layer: str) -> dict[str, Explain]:
    """HiResCAM and GradCAM at a layer, and input x gradient, by name.

    masks: (T, D); maps are of the mean over the T dropout samples, in concentration.
    """
    found: dict[str, Explain] = {method: _cam(masks, layer, method) for method in METHODS}

    def explain(model: ZoobotModel, images: Tensor, answers: Sequence[int]) -> Tensor:
        return input_gradient(model, masks, images, answers)

    return found | {"input gradient": explain}


def of_fractions(masks: Tensor, layer: str, tree: DecisionTree) -> dict[str, Explain]:
    """HiResCAM of the expected vote fraction (`catalog.derived_maps`), as `explanations`.

    A concentration's map can be negative everywhere, where the model's evidence falls
    short of its bias; a fraction's has both signs, since its question's maps sum to 0.
    """

    def explain(model: ZoobotModel, images: Tensor, answers: Sequence[int]) -> Tensor:
        explainer = Explainer(model, masks, size=images.shape[-1], layer=layer)
        found = []
        for start in range(0, len(images), _PART):
            part = images[start : start + _PART]
            maps = explainer(part).mean.numpy()  # (N, A, h, w)
            alpha = concentrations(model, features(model.encoder, part), masks).mean(dim=1)
            for own, strength, answer in zip(maps, alpha.numpy(), answers[start:], strict=False):
                where = tree.slices[tree.question_of[answer]]
                found.append(fraction_map(own[where], strength[where], answer - where.start))
        return torch.from_numpy(np.stack(found)).float()

    return {"hirescam, fraction": explain}


def uninformed(
    count: int, height: int, width: int, seed: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Maps (count, height, width) that know nothing of the model, to compare with.

    random: uniform noise, 0..1, smooth once upsampled; centre: highest at the image's
    centre, where galaxies are, falling with the square of the distance to 0 at the
    image's corners.
    """
    y, x = ((np.arange(n) + 0.5) / n - 0.5 for n in (height, width))
    centre = 0.5 - (y[:, None] ** 2 + x**2)
    return {
        "random": np.random.default_rng(seed).random((count, height, width)),
        "centre": np.broadcast_to(centre, (count, height, width)).copy(),
    }


def _cam(masks: Tensor, layer: str, method: str) -> Explain:
    def explain(model: ZoobotModel, images: Tensor, answers: Sequence[int]) -> Tensor:
        explainer = Explainer(model, masks, size=images.shape[-1], layer=layer, method=method)
        rows = torch.as_tensor(answers, dtype=torch.long)
        return torch.cat(
            [
                explainer(part).mean[torch.arange(len(part)), chosen]
                for part, chosen in zip(images.split(_PART), rows.split(_PART), strict=True)
            ]
        )

    return explain
