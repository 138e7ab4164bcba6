"""Features of images, and what the closed form of their maps takes, as an engine gives them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from zoolens.catalog.network.devices import Device
from zoolens.catalog.network.engines import Encode, make_encode, on_gpu
from zoolens.catalog.network.inference import one_thread
from zoolens.catalog.saliency.closed_forms import Watched
from zoolens.catalog.saliency.cut import Cut

# Images (N, C, H, W) from the CPU to features (N, D) and what is raised of them, float32.
Watch = Callable[[Tensor], tuple[Tensor, Tensor]]


def watching(cut: Cut, engine: str, precision: str, example: Tensor) -> tuple[Watch, Device]:
    """What watches the layer of a cut, and the device where it leaves what it found.

    engine, precision: as for `catalog.network.engines.make_encode`. On a GPU it must be called
    while one of the device's streams is in use.
    """
    watched = Watched(cut.encoder, cut.layer)
    with one_thread():
        shape = watched.shape(example)
    depth = -math.prod(shape)
    encode: Encode = watched
    _, channels, size, _ = example.shape
    place = Device(torch.device("cpu"))
    if engine == "cuda":
        on_device = on_gpu(watched, channels, size, precision)
        encode, place = on_device.there, on_device.place
    elif (engine, precision) != ("torch", "float32"):
        encode = make_encode(engine, watched, channels, size, precision)

    def watch(images: Tensor) -> tuple[Tensor, Tensor]:
        both = encode(images)
        return both[:, :depth], both[:, depth:].unflatten(1, shape)

    return watch, place
