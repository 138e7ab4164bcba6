"""An encoder run on an image and on its baseline, for the derivatives of what lies between them."""

import threading
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.saliency.cut import Cut
from zoolens.catalog.saliency.secants import Recorded, Secants

_SAME = 1e-3  # relative: rounding is less, a way around the layer more


@dataclass(frozen=True)
class Between:
    """N images and their baselines, on both sides of a layer.

    features, baseline: (N, D). From the features autograd leads through secants to the
    layer's activation (N, C, h, w); difference: that of image and baseline.
    """

    _traced: Tensor
    baseline: Tensor
    _activation: Tensor
    _difference: Tensor

    @property
    def features(self) -> Tensor:
        return self._traced.detach()

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of the maps, in cells."""
        height, width = self._difference.shape[-2:]
        return height, width

    def maps(self, weights: Tensor) -> Tensor:
        """Maps (N, R, h, w) of the difference in R sums of features, weighted by (N, R, D).

        float64; the sum of a map is that of weights times features less baseline.
        """
        found = []
        for row in weights.to(self._traced).unbind(1):
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(
                    self._traced, self._activation, row, retain_graph=True
                )
            found.append((slope * self._difference).sum(1).double())
        empty = self._difference.new_empty(len(weights), 0, *self.grid, dtype=torch.float64)
        return torch.stack(found, 1) if found else empty


class Paired:
    """Runs an encoder, (N, channels, H, W) -> (N, D), on images and baselines.

    layer: dotted name; `example`, one image (1, channels, H, W), shows whether maps can be made
    there. grid: height and width of the maps, in cells. multiplications: of the encoder, for an
    image; share: of these, those after the layer, 0..1. Threads may share it; the encoder gets a
    hook, and should be used for nothing else. Raises as `Cut` does, and `ModelRefused` if maps
    would not add up.
    """

    def __init__(self, encoder: nn.Module, layer: str, example: Tensor) -> None:
        self.layer = layer
        self.layout = Cut(encoder, layer, example).layout
        self._encoder, self._module = encoder, encoder.get_submodule(layer)
        self._thread = threading.local()
        self._module.register_forward_hook(self._stop)
        self.multiplications, self.share = self._measured(example)
        self._check(example)

    def __call__(self, images: Tensor, baselines: Tensor) -> Between:
        recorded = Recorded()
        start, baseline = self._run(baselines, recorded)
        activation, features = self._run(images, Secants(recorded))
        difference = (activation - start).detach()
        return Between(features, baseline.detach(), activation, difference)

    def _run(self, images: Tensor, steps: Recorded | Secants) -> tuple[Tensor, Tensor]:
        """What the layer puts out, as a leaf of autograd, and the features."""
        images = images.contiguous(memory_format=torch.channels_last)
        self._thread.stops = True
        try:
            with torch.enable_grad(), steps:
                features = self._encoder(images)
            return self._thread.activation, features
        finally:
            self._thread.stops = False

    def _stop(self, _: nn.Module, __: Any, output: Tensor) -> Tensor | None:
        if not getattr(self._thread, "stops", False):
            return None
        activation = self.layout.to_map(output.detach()).requires_grad_()
        self._thread.activation = activation
        # a copy, as a later layer may work in place
        return self.layout.from_map(activation, output).clone()

    def _measured(self, example: Tensor) -> tuple[float, float]:
        counter, before = FlopCounterMode(display=False), []
        handle = self._module.register_forward_hook(
            lambda *_: before.append(counter.get_total_flops())
        )
        with counter, torch.no_grad():
            self._encoder(example)
        handle.remove()
        total = max(counter.get_total_flops(), 1)  # two for a multiplication and its sum
        return total / 2, 1 - before[0] / total

    def _check(self, example: Tensor) -> None:
        between = self(example, example.flip(-1) / 2)
        self.grid = between.grid
        weights = torch.randn(
            between.features.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64
        )
        changes = (weights * (between.features - between.baseline)).sum()
        summed = between.maps(weights[:, None]).sum()
        if not (summed - changes).abs() <= _SAME * (weights * between.features).norm():
            raise ModelRefused(
                f"maps at {self.layer} do not add up: not all of the image passes through it; "
                "choose another layer"
            )
