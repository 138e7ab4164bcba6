"""How a layer lays out its feature map in memory: channels first, last, or as tokens."""

from dataclasses import dataclass
from math import isqrt
from typing import Any

import torch
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused


@dataclass(frozen=True)
class Layout:
    """Of a layer's output: (N, C, h, w), (N, h, w, C), or tokens (N, prefix + h w, C).

    The first `prefix` tokens (class token, registers) are of no pixel.
    """

    dimensions: int = 4
    channels_last: bool = False
    prefix: int = 0

    def to_map(self, output: Tensor) -> Tensor:
        """The feature map (N, C, h, w) of a square image."""
        if self.dimensions == 3:
            pixels = output[:, self.prefix :]
            side = isqrt(pixels.shape[1])
            return pixels.movedim(1, 2).unflatten(2, (side, side))
        return output.movedim(-1, 1) if self.channels_last else output

    def from_map(self, activation: Tensor, output: Tensor) -> Tensor:
        """As the layer puts it out; tokens of no pixel are those of `output`."""
        if self.dimensions == 3:
            pixels = activation.flatten(2).movedim(2, 1)
            return torch.cat([output[:, : self.prefix], pixels], dim=1) if self.prefix else pixels
        return activation.movedim(1, -1) if self.channels_last else activation


def find_layout(encoder: nn.Module, output: Any) -> Layout | None:
    """Of a layer's output for a square image; None if that is no feature map.

    Tokens are known by timm's `num_prefix_tokens` of the encoder, and a square number of others.
    """
    if not isinstance(output, Tensor):
        return None
    if output.ndim == 4:
        # square images have square maps
        last = output.shape[2] != output.shape[3] and output.shape[1] == output.shape[2]
        return Layout(channels_last=last)
    prefix = getattr(encoder, "num_prefix_tokens", None)
    if output.ndim != 3 or prefix is None:
        return None
    pixels = output.shape[1] - prefix
    square = pixels > 0 and isqrt(pixels) ** 2 == pixels
    return Layout(dimensions=3, prefix=prefix) if square else None


def layout_of(encoder: nn.Module, layer: str, output: Any) -> Layout:
    """As `find_layout`. Raises `ModelRefused` if the layer of that name puts out no map."""
    layout = find_layout(encoder, output)
    if layout is None:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ModelRefused(
            f"layer {layer} puts out {shape}, no feature map (images, channels, height, width); "
            "choose another layer"
        )
    return layout
