"""Encoders whose last block has a HiResCAM in closed form.

What a pixel contributes to each feature, G (see `catalog.saliency.explainer`), follows
from the block's activation alone if features are a mean over pixels (`catalog.saliency.tails`), or
those of a class token (`catalog.saliency.class_tokens`). No encoder is replayed and no hook is
set, so several threads may use the functions here.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.saliency.class_tokens import ClassTokenTail, class_token_tail
from zoolens.catalog.saliency.tails import PooledTail, pooled_tail

Tail = PooledTail | ClassTokenTail
# What is raised of images (N, ...), as `Watched` puts it out, to G (N, D, h, w).
ClosedForm = Callable[[Tensor], Tensor]


def closed_form(encoder: nn.Module, layer: str, method: str) -> ClosedForm | None:
    """G of an encoder at a layer by "hirescam" or "gradcam"; None if it has none."""
    tail = find_tail(encoder, layer)
    if tail is None:
        return None
    return lambda raised: _without_gradients(tail, raised, method)


def find_tail(encoder: nn.Module, layer: str) -> Tail | None:
    """What follows the layer of a dotted name, if a closed form is known for it."""
    return pooled_tail(encoder, layer) or class_token_tail(encoder, layer)


class Watched(nn.Module):
    """An encoder with a known tail that also puts out what its closed form takes.

    Images to (N, D + ...): features first, then what is raised of them, flattened.
    """

    def __init__(self, encoder: nn.Module, layer: str) -> None:
        super().__init__()
        self.encoder, self.layer = encoder, layer

    def shape(self, images: Tensor) -> torch.Size:
        """Of what is raised of one image: (P, h, w) where features are a mean over pixels."""
        with torch.no_grad():
            return self._tail().before(images).shape[1:]

    def forward(self, images: Tensor) -> Tensor:
        tail = self._tail()
        raised = tail.before(images)
        return torch.cat([tail.features(raised), raised.flatten(1)], dim=1)

    def _tail(self) -> Tail:
        tail = find_tail(self.encoder, self.layer)  # anew: engines copy and fold the encoder
        if tail is None:
            raise ModelRefused(f"what follows {self.layer} is unknown")
        return tail


@torch.no_grad()
def _without_gradients(tail: Tail, raised: Tensor, method: str) -> Tensor:
    return tail.contributions(raised, method)
