"""Methods of explaining one answer per image, with one interface, so they can be compared."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.explainer import METHODS, Explainer

# A model, images (N, C, H, W) and one answer per image -> signed maps (N, h, w).
Explain = Callable[[ZoobotModel, Tensor, Sequence[int]], Tensor]

_PART = 8  # images at once, for memory: each has maps of all answers, or keeps its activations


def explanations(masks: Tensor, layer: str) -> dict[str, Explain]:
    """HiResCAM and GradCAM at a layer, and input x gradient, by name.

    masks: (T, D); maps are of the mean over the T dropout samples, in concentration.
    """
    found: dict[str, Explain] = {method: _cam(masks, layer, method) for method in METHODS}

    def explain(model: ZoobotModel, images: Tensor, answers: Sequence[int]) -> Tensor:
        return input_gradient(model, masks, images, answers)

    return found | {"input gradient": explain}


def of_fractions(masks: Tensor, layer: str, tree: DecisionTree) -> dict[str, Explain]:
    """DeepLIFT and HiResCAM of the expected vote fraction, as `explanations`.

    A concentration's map can be negative everywhere, if the model's evidence is less than
    its bias. A fraction's map has both signs, since the maps of a question sum to 0. DeepLIFT's
    is at a layer of its own.
    """

    def deeplift(model: ZoobotModel, images: Tensor, answers: Sequence[int]) -> Tensor:
        explainer = DeepLift(model, masks, tree.slices, size=images.shape[-1])
        return explainer.one_each(images, answers).maps.float()

    def hirescam(model: ZoobotModel, images: Tensor, answers: Sequence[int]) -> Tensor:
        explainer = Explainer(model, masks, size=images.shape[-1], layer=layer)
        rows = torch.as_tensor(answers, dtype=torch.long)
        return torch.cat(
            [
                explainer.fractions(part, tree.slices).mean[torch.arange(len(part)), chosen]
                for part, chosen in zip(images.split(_PART), rows.split(_PART), strict=True)
            ]
        ).float()

    return {"deeplift": deeplift, "hirescam, fraction": hirescam}


def input_gradient(
    model: ZoobotModel, masks: Tensor, images: Tensor, answers: Sequence[int]
) -> Tensor:
    """Maps (N, H, W) of one answer per image, signed, in units of concentration.

    Input x gradient (Shrikumar et al. 2016, arXiv:1605.01713), the simplest method,
    which the others should surpass:

        M(y, x) = sum_c I_c(y, x) d alpha_k / d I_c(y, x)

    alpha_k the concentration of the image's answer, averaged over the T dropout samples; I
    the image (N, C, H, W) as the model sees it, 0..1. Positive pixels
    increase the concentration; black ones have 0. masks: (T, D); answers: N rows of the
    model's weight. NaN for an answer that the model does not have. One backward pass per
    batch, at the resolution of the image.
    """
    rows = torch.as_tensor(answers, dtype=torch.long)
    parts = zip(images.split(_PART), rows.split(_PART), strict=True)
    return torch.cat([_input_gradient(model, masks, part, chosen) for part, chosen in parts])


def uninformed(
    count: int, height: int, width: int, seed: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Maps (count, height, width) that do not depend on the model, for comparison.

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


def _input_gradient(model: ZoobotModel, masks: Tensor, images: Tensor, answers: Tensor) -> Tensor:
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        features = model.encoder(images).double()  # (N, D); float32 loses a flat sigmoid's slope
        weight = model.weight[answers].double()
        logits = torch.einsum("nd,td,nd->nt", features, masks.double(), weight)
        rising = torch.sigmoid(logits + model.bias[answers].double()[:, None])
        alpha = (1 + 100 * rising).mean(dim=1)  # an image's value depends on no other image
        (gradient,) = torch.autograd.grad(alpha.sum(), images)
    return (images.detach() * gradient).sum(dim=1)
