"""Where torch computes: the CPU, or a GPU that the threads that decode images share.

On a GPU work is queued on streams, and what one stream does another does not wait for. So each
batch keeps to one stream from the first copy to the last, and nothing that was prepared for all
streams is used before it is there.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import torch
from torch import Tensor, nn
from torch.func import vmap

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.network.inference import AT_ONCE

GPU = torch.device("cuda")  # where the engine cuda runs; in a dry run without one, the CPU

_AT_ONCE_GPU = 64  # images that fill a GPU, which the caches of cores do not limit
_TOGETHER = 16  # images whose maps are made in one go: each has samples times answers of them
# Batches on the GPU at a time, one copied while another is computed: more would only wait, and
# each has memory of its own.
_STREAMS = 2


class Device:
    """A CPU or a GPU; several threads may use it at once.

    at_once: images that an encoder takes in one go. together: whether `each` computes all
    images in one go instead of one by one. streams: batches on a GPU at a time.
    """

    def __init__(
        self,
        device: torch.device,
        *,
        at_once: int = AT_ONCE,
        together: bool = False,
        streams: int = _STREAMS,
    ) -> None:
        self.device = device
        self.at_once = at_once
        self._together = together
        self._streams: SimpleQueue[torch.cuda.Stream] = SimpleQueue()
        if device.type == "cuda":
            without_tf32()
            for _ in range(streams):
                self._streams.put(torch.cuda.Stream(device))

    @classmethod
    def of_a_gpu(cls, device: torch.device, streams: int = _STREAMS) -> "Device":
        """A GPU; or the CPU in its place, used as a GPU would be."""
        return cls(device, at_once=_AT_ONCE_GPU, together=True, streams=streams)

    @contextmanager
    def stream(self) -> Iterator[None]:
        """What this thread computes within is queued on one stream, which no other has meanwhile.

        Waits for a stream: not to be entered twice. What is to be used outside must have been
        brought to the CPU. Raises `CatalogError` if the GPU's memory does not do.
        """
        try:
            if self.device.type != "cuda":
                yield
                return
            own = self._streams.get()
            try:
                with torch.cuda.stream(own):
                    yield
            finally:
                self._streams.put(own)
        except torch.OutOfMemoryError as error:
            raise CatalogError(
                "engine cuda: the GPU has no memory left; end what else runs on it, or choose the "
                "engine torch or openvino"
            ) from error

    def put(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Copies there, for all streams to use."""
        there = tuple(tensor.to(self.device) for tensor in tensors)
        self.wait()
        return there

    def wait(self) -> None:
        """Return when all that was queued is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def in_parts(
        self, function: Callable[..., tuple[Tensor, ...]], *batches: Tensor, at_once: int
    ) -> list[Tensor]:
        """A function's results of batches (N, ...), `at_once` images at a time.

        They are computed on one stream, and brought to the CPU.
        """
        split = zip(*(batch.split(at_once) for batch in batches), strict=True)
        with self.stream():
            parts = [[result.cpu() for result in function(*part)] for part in split]
        return [torch.cat(results) for results in zip(*parts, strict=True)]

    def each(
        self, function: Callable[..., tuple[Tensor, ...]], *batches: Tensor
    ) -> tuple[Tensor, ...]:
        """A function's results for each image of batches (N, ...), stacked: (N, ...) each."""
        if self._together:
            stacked: tuple[Tensor, ...] = vmap(function, chunk_size=_TOGETHER)(*batches)
            return stacked
        results = [function(*one) for one in zip(*batches, strict=True)]
        return tuple(torch.stack(result) for result in zip(*results, strict=True))


class OnDevice:
    """An encoder run by torch on a device; several threads may call it at once.

    precision: of its arithmetic, `float32` or `bfloat16`. The encoder itself is moved there.
    """

    def __init__(self, encoder: nn.Module, place: Device, precision: str) -> None:
        self.place = place
        self._type = getattr(torch, precision)
        there = encoder.to(place.device, self._type)
        self.encoder = there.to(memory_format=torch.channels_last)
        place.wait()

    def __call__(self, images: Tensor) -> Tensor:
        """Features (N, D) of images (N, C, H, W), float32, from the CPU and back."""
        with self.place.stream():
            return torch.cat([self.there(part).cpu() for part in images.split(self.place.at_once)])

    @torch.no_grad()  # closed forms differentiate what is left, and could not in inference mode
    def there(self, images: Tensor) -> Tensor:
        """Features of images from the CPU, left on the device, on the stream that is in use."""
        # copied as they are: another type or layout would be made of them by the CPU first
        there = images.contiguous().to(self.place.device)
        found: Tensor = self.encoder(there.to(self._type, memory_format=torch.channels_last))
        return found.float()


def without_tf32() -> None:
    """Have GPUs multiply float32 as it is; torch lets convolutions round it to ten bits.

    By torch's older names for it: after its newer ones, which not all releases have, reading
    the older raises an error, also in what others wrote.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some releases announce that the names will go
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
