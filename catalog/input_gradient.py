"""Input times gradient, the plainest explanation: what the elaborate ones must beat."""

from collections.abc import Sequence

import torch
from torch import Tensor

from catalog.model import ZoobotModel

_PART = 8  # images at once: a backward pass keeps every activation of theirs


def input_gradient(
    model: ZoobotModel, masks: Tensor, images: Tensor, answers: Sequence[int]
) -> Tensor:
    """Maps (N, H, W) of one answer an image, signed, in units of concentration.

    Input x gradient (Shrikumar et al. 2016, arXiv:1605.01713):

        M(y, x) = sum_c I_c(y, x) d alpha_k / d I_c(y, x)

    alpha_k the concentration of the image's own answer, its mean over the T dropout
    samples; I the image (N, C, H, W) as the model is shown it, 0..1. Positive pixels
    increase the concentration; black ones have 0. masks: (T, D); answers: N rows of the
    model's weight. NaN for an answer that the model does not have. One backward pass a
    batch, at the resolution of the image.
    """
    rows = torch.as_tensor(answers, dtype=torch.long)
    parts = zip(images.split(_PART), rows.split(_PART), strict=True)
    return torch.cat([_maps(model, masks, part, chosen) for part, chosen in parts])


def _maps(model: ZoobotModel, masks: Tensor, images: Tensor, answers: Tensor) -> Tensor:
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        features = model.encoder(images).double()  # (N, D); float32 loses a flat sigmoid's slope
        weight = model.weight[answers].double()
        logits = torch.einsum("nd,td,nd->nt", features, masks.double(), weight)
        rising = torch.sigmoid(logits + model.bias[answers].double()[:, None])
        alpha = (1 + 100 * rising).mean(dim=1)  # of each image, on which no other acts
        (gradient,) = torch.autograd.grad(alpha.sum(), images)
    return (images.detach() * gradient).sum(dim=1)
