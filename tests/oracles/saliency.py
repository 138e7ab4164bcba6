"""Saliency maps by pytorch-grad-cam and autograd, one answer and one dropout mask at a time."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from zoolens.catalog.network.heads import Output
from zoolens.catalog.network.model import ZoobotModel


class OneSample(nn.Module):
    """An ordinary Zoobot: encoder, one dropout mask, linear layer, scaled sigmoid.

    The head in float64, and as 101 - 100 s(-z) where z > 0: autograd's s (1 - s) has
    lost its digits where the concentration comes near 101 (in float32 from 100.4 on).
    """

    def __init__(self, model: ZoobotModel, mask: Tensor) -> None:
        super().__init__()
        self.encoder, self.mask = model.encoder, mask.double()
        self.weight, self.bias = model.weight.double(), model.bias.double()
        self.output = model.output

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.encoder(images).double())

    def head(self, features: Tensor) -> Tensor:
        """Concentrations (N, A), or estimates (N, L), from features (N, D)."""
        logits = (features * self.mask) @ self.weight.T + self.bias
        if self.output is Output.PROBABILITY:
            return torch.softmax(logits, dim=1)
        if self.output is not Output.CONCENTRATION:
            return torch.sigmoid(logits) if self.output is Output.SHARE else logits
        rising = 100 * torch.sigmoid(-logits.abs())
        return torch.where(logits > 0, 101 - rising, 1 + rising)


class Expected(nn.Module):
    """What is expected of the votes, the mean over all dropout masks, in float64 throughout.

    The outputs are the vote fractions (N, A), or with observed ones (A,) their cross-entropies.
    """

    def __init__(
        self,
        model: ZoobotModel,
        masks: Tensor,
        slices: Sequence[slice],
        observed: Tensor | None = None,
    ) -> None:
        super().__init__()
        model = replace(model, encoder=copy.deepcopy(model.encoder).double())
        self.samples = [OneSample(model, mask) for mask in masks]
        self.encoder, self.slices, self.observed = model.encoder, slices, observed

    def forward(self, images: Tensor) -> Tensor:
        fractions, features = [], self.encoder(images.double())
        for sample in self.samples:
            alpha = sample.head(features)
            parts = [alpha[:, where] for where in self.slices]
            fractions.append(torch.cat([part / part.sum(1, keepdim=True) for part in parts], 1))
        p = torch.stack(fractions).mean(0)
        if self.observed is None:
            return p
        return -self.observed * torch.log(p) - (1 - self.observed) * torch.log(1 - p)


def grad_cam_maps(
    model: ZoobotModel,
    images: Tensor,
    masks: Tensor,
    layer: str,
    method: str,
    to_map: Callable[[Tensor], Tensor] | None = None,
) -> np.ndarray:
    """pytorch-grad-cam's maps before it clips and stretches them: (N, T, A, h, w).

    to_map: the layer's output as (N, C, h, w), where it is not.
    """
    samples = [OneSample(model, mask) for mask in masks]
    each = [maps_of_outputs(one, images, layer, method, to_map) for one in samples]
    return np.stack(each, axis=1)


def maps_of_outputs(
    network: OneSample | Expected,
    images: Tensor,
    layer: str,
    method: str,
    to_map: Callable[[Tensor], Tensor] | None = None,
) -> np.ndarray:
    """As `grad_cam_maps`, of each output of a network: (N, A, h, w)."""
    from pytorch_grad_cam import GradCAM, HiResCAM

    module = network.encoder.get_submodule(layer)
    images = images.clone()
    # one is enough for the layer's output to have a gradient
    *_, last = (images, *module.parameters())
    last.requires_grad_(True)
    cam = {"hirescam": HiResCAM, "gradcam": GradCAM}[method](network, [module], to_map)
    recorded = cam.activations_and_grads
    outputs = recorded(images)
    answers = []
    for answer in range(outputs.shape[1]):
        recorded.gradients = []
        outputs[:, answer].sum().backward(retain_graph=True)
        answers.append(
            cam.get_cam_image(
                images,
                module,
                None,
                recorded.activations[0].numpy(),
                recorded.gradients[0].numpy(),
                eigen_smooth=False,
            )
        )
    recorded.release()
    return np.stack(answers, axis=1)


def contributions_by_autograd(
    encoder: nn.Module, layer: str, images: Tensor, method: str, to_map: Callable[[Tensor], Tensor]
) -> Tensor:
    """What each pixel of a layer contributes to each feature, one feature at a time: (N, D, h, w).

    HiResCAM: sum_c a_c(y, x) d f_d / d a_c(y, x); GradCAM: with the gradient's mean over pixels.
    to_map: the layer's output as (N, C, h, w).
    """
    kept: list[Tensor] = []

    def keep(module: nn.Module, _: object, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    handle = encoder.get_submodule(layer).register_forward_hook(keep)
    with torch.enable_grad():
        features = encoder(images)
    handle.remove()
    (activation,) = kept
    found = []
    for feature in features.T:
        (gradient,) = torch.autograd.grad(feature.sum(), activation, retain_graph=True)
        gradient = to_map(gradient)
        if method == "gradcam":
            gradient = gradient.mean((2, 3), keepdim=True)
        found.append((to_map(activation) * gradient).sum(1).detach())
    return torch.stack(found, dim=1)
