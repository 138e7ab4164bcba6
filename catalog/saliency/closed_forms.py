"""Encoders whose last block has a HiResCAM in closed form.

What a pixel contributes to each pooled feature, G (see `catalog.saliency.explainer`), follows
from the block's activation alone if features are a mean over pixels
(`catalog.saliency.tails`). No encoder is replayed and no hook is set, so several threads may use
the functions here.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.saliency.tails import PooledTail, pooled_tail

# The activation (N, C, h, w) of the last block to G (N, D, h, w).
ClosedForm = Callable[[Tensor], Tensor]


def closed_form(encoder: nn.Module, layer: str, method: str) -> ClosedForm | None:
    """G of an encoder at a layer by "hirescam" or "gradcam"; None if it has none."""
    tail = pooled_tail(encoder, layer)
    if tail is None:
        return None
    return lambda activation: _without_gradients(tail, activation, method)


class Watched(nn.Module):
    """An encoder with a pooled tail that also puts out its explained layer's activation.

    Images to (N, D + C h w), features first.
    """

    def __init__(self, encoder: nn.Module, layer: str) -> None:
        super().__init__()
        self.encoder, self.layer = encoder, layer

    def forward(self, images: Tensor) -> Tensor:
        tail = pooled_tail(self.encoder, self.layer)  # anew: engines copy and fold the encoder
        if tail is None:
            raise ModelRefused(f"what follows {self.layer} is unknown")
        activation = tail.before(images)
        features = tail.after(tail.per_pixel(activation).mean((2, 3)))
        return torch.cat([features, activation.flatten(1)], dim=1)


@torch.no_grad()
def _without_gradients(tail: PooledTail, activation: Tensor, method: str) -> Tensor:
    return tail.contributions(activation, method)
