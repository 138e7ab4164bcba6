"""Running an encoder fast on the cores of a CPU, with the same features up to rounding."""

import copy
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from zoolens.catalog.runtime import parallel

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_THREADS = 16  # each holds a batch of images and the activations of a few
# Images that an encoder takes at once: the activations of more exceed the caches, and what the
# allocator keeps, and each image takes a quarter more time.
AT_ONCE = 4
_SAME = 1e-6  # relative to the largest feature, in float64: far above rounding, far below a mistake


def for_inference(encoder: nn.Module, channels: int, size: int) -> nn.Module:
    """A copy that gives the same features, up to rounding, in about half the time.

    Batch norms are folded into the convolutions before them, and tensors are stored channels
    last. Which convolution feeds which norm is inferred from the order of the modules. That
    may be wrong, so the copy is compared with the encoder, in float64, on two random images
    of `size` pixels; if they differ, norms are not folded.
    """
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():  # not inference mode, whose tensors autograd refuses
        folded = copy.deepcopy(encoder).double()
        expected = folded(images.double())
        try:
            _fold(folded)
            difference = (folded(images.double()) - expected).abs().max()
            same = bool(difference <= _SAME * expected.abs().max())
        except (RuntimeError, AttributeError):  # the modules do not run in the order they stand in
            same = False
        faster = folded.float() if same else copy.deepcopy(encoder)
        return faster.to(memory_format=torch.channels_last)


def features(encoder: nn.Module, images: Tensor) -> Tensor:
    """Features (N, D) of images (N, C, H, W), however many: a few at a time."""
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return torch.cat([encoder(part) for part in images.split(AT_ONCE)])


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on the calling thread alone: for short work, waking others costs more.

    While another program uses the cores, one image took 1 s on two threads, 0.05 s on one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def torch_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int | None = None
) -> Generator[Result, None, None]:
    """`parallel.in_order`, each thread running torch single-threaded.

    Several items at once keep all cores busy; one item on all cores would wait for its
    slowest part. threads: as many as torch would use unless given.
    """
    count = min(threads or torch.get_num_threads(), _MOST_THREADS)
    with one_thread():  # set here, since the threads of a pool would set it for everything after
        yield from parallel.in_order(
            function, items, threads=count, prepare=lambda: torch.set_num_threads(1)
        )


def _fold(module: nn.Module) -> None:
    """Fold each batch norm of `module` that stands after a convolution into it."""
    children = list(module.named_children())
    for (_, before), (name, norm) in itertools.pairwise(children):
        if type(before) is not nn.Conv2d or not isinstance(norm, nn.BatchNorm2d):
            continue
        mean, variance = norm.running_mean, norm.running_var
        if mean is None or variance is None:
            continue
        before.weight, before.bias = fuse_conv_bn_weights(
            before.weight, before.bias, mean, variance, norm.eps, norm.weight, norm.bias
        )
        # timm's norms include the activation
        setattr(module, name, getattr(norm, "act", nn.Identity()))
    for _, child in module.named_children():
        _fold(child)
