"""A network on trial on a GPU, and how much of everything is measured."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import torch
from torch import Tensor

from benchmarks.gpu_limits import Layer, Rates, layers_of
from benchmarks.gpu_sky import Network
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.network.devices import OnDevice
from zoolens.catalog.network.engines import on_gpu
from zoolens.catalog.network.model import dropout_masks
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.explainer import Explainer


@dataclass(frozen=True)
class Sizes:
    """How much of everything; the defaults are for a GPU.

    batches: images at once; spent: seconds a measurement; compared: images against float64;
    threads: that decode; pictures: for each of them in a whole job, `distinct` ones again and
    again, `batch` at once, as `predict` takes them; shared: images for threads that share the
    GPU; samples: of dropout; side, copied: of the matrices and bytes that rates are measured
    by; size: pixels of a view instead of the network's own.
    """

    batches: Sequence[int] = (1, 16, 64, 256, 1024)
    spent: float = 0.4
    compared: int = 8
    threads: Sequence[int] = (1, 2, 4, 8, 16)
    pictures: int = 192
    distinct: int = 64
    batch: int = 32
    shared: int = 1024
    samples: int = 30
    side: int = 8192
    copied: int = 2**31
    size: int | None = None


@dataclass
class Trial:
    """A network on a device, and what of it is used again."""

    network: Network
    tree: DecisionTree
    rates: Rates
    sizes: Sizes
    encoders: dict[str, OnDevice] = field(default_factory=dict)
    explainers: dict[str, Explainer] = field(default_factory=dict)

    @cached_property
    def layers(self) -> list[Layer]:
        """Of the encoder, for an image in the view."""
        return layers_of(self.network.model.encoder, *self.shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Channels and pixels a side of an image in the view."""
        return self.network.model.channels, self.network.view.size

    @cached_property
    def masks(self) -> Tensor:
        """Of dropout, (T, D)."""
        model = self.network.model
        return dropout_masks(self.sizes.samples, model.weight.shape[1], model.dropout_rate, 0)

    def encoder(self, precision: str) -> OnDevice:
        """On the device, compared with float64 when it is made."""
        if precision not in self.encoders:
            self.encoders[precision] = on_gpu(self.network.model.encoder, *self.shape, precision)
        return self.encoders[precision]

    def explainer(self, precision: str) -> Explainer:
        """On the device, if the network has closed forms."""
        if precision not in self.explainers:
            self.explainers[precision] = Explainer(
                self.network.model,
                self.masks,
                size=self.network.view.size,
                engine="cuda",
                precision=precision,
            )
        return self.explainers[precision]

    @cached_property
    def deeplift(self) -> DeepLift:
        """On the device, in float32."""
        return DeepLift(
            self.network.model,
            self.masks,
            self.tree.slices,
            size=self.network.view.size,
            place=self.encoder("float32").place,
        )

    def images(self, count: int) -> Tensor:
        """Of noise, (N, C, H, W), as dark as galaxies' are."""
        return _noise(count, *self.shape)


@cache  # a thousand take a second
def _noise(count: int, channels: int, size: int) -> Tensor:
    generator = torch.Generator().manual_seed(count)
    return 0.2 * torch.rand(count, channels, size, size, generator=generator)
