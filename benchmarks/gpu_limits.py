"""What a GPU could do at most: a network's arithmetic and traffic beside the GPU's own rates.

A layer (convolution or linear) takes at least its floating-point operations over the rate of a
large matrix product, and at least the bytes that it reads and writes once over the rate of a large
copy; the larger of the two is its limit. A network's limit is the sum over its layers, with all
that lies between them (norms, activations, sums) for nothing.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.gpu_time import seconds_of

BYTES = {"float32": 4, "bfloat16": 2}


@dataclass(frozen=True)
class Layer:
    """A layer's work: multiplications and additions, numbers in and out, for one image; weights."""

    operations: int
    moved: int
    weights: int


@dataclass(frozen=True)
class Rates:
    """What a device does, measured: operations a second by precision, bytes copied a second."""

    operations: dict[str, float]
    copied: float


def layers_of(encoder: nn.Module, channels: int, size: int) -> list[Layer]:
    """The layers that an image goes through, in order; nothing is computed."""
    shadow = copy.deepcopy(encoder).to("meta").eval()
    found: list[Layer] = []

    def note(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        weight = module.weight
        assert isinstance(weight, Tensor)
        # each number put out is a sum over one row of the weight
        operations = 2 * output.numel() * weight[0].numel()
        found.append(Layer(operations, given[0].numel() + output.numel(), weight.numel()))

    for module in shadow.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(note)
    with torch.inference_mode():
        shadow(torch.empty(1, channels, size, size, device="meta"))
    return found


def limit(layers: list[Layer], images: int, rates: Rates, precision: str) -> float:
    """Seconds that a batch takes at least."""
    flops, size = rates.operations[precision], BYTES[precision]
    return sum(
        max(
            images * layer.operations / flops,
            size * (images * layer.moved + layer.weights) / rates.copied,
        )
        for layer in layers
    )


def arithmetic(layers: list[Layer]) -> int:
    """Floating-point operations of one image."""
    return sum(layer.operations for layer in layers)


def measured_rates(device: torch.device, side: int, copied: int, spent: float) -> Rates:
    """Of products of `side` by `side` matrices, and of a copy of so many bytes.

    Random numbers: of zeros a product can be faster. spent: seconds to spend on each.
    """

    def flops(precision: str) -> float:
        kind = getattr(torch, precision)
        one, other = (torch.randn(side, side, device=device).to(kind) for _ in range(2))
        return 2 * side**3 / seconds_of(lambda: one @ other, device, spent)

    source = torch.randn(copied // 4, device=device)
    target = torch.empty_like(source)
    copy_once: Callable[[], Tensor] = lambda: target.copy_(source)  # noqa: E731
    # read once and written once
    rate = 2 * source.nbytes / seconds_of(copy_once, device, spent)
    return Rates({precision: flops(precision) for precision in BYTES}, rate)
