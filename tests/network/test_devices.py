"""What is done for a GPU, without one: the CPU takes its place, and streams are counted."""

import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from tests.made.toy_encoders import IMAGE, Toy
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.network import devices
from zoolens.catalog.network.devices import Device, OnDevice, without_tf32

CPU = torch.device("cpu")


class Streams:
    """In place of torch's: which are in use, on which thread, and how often all were waited for."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.used: set[object] = set()
        self.most = self.waited = 0

    @contextmanager
    def stream(self, one: object) -> Iterator[None]:
        with self.lock:
            assert one not in self.used
            self.used.add(one)
            self.most = max(self.most, len(self.used))
        try:
            yield
        finally:
            with self.lock:
                self.used.remove(one)

    def synchronize(self, device: torch.device) -> None:
        self.waited += 1


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    made = Streams()
    monkeypatch.setattr("torch.cuda.Stream", lambda device: object())
    monkeypatch.setattr("torch.cuda.stream", made.stream)
    monkeypatch.setattr("torch.cuda.synchronize", made.synchronize)
    return made


def test_many_threads_take_turns_on_few_streams(streams: Streams) -> None:
    place = Device.of_a_gpu(torch.device("cuda"))

    def work(number: int) -> int:
        with place.stream():
            time.sleep(0.002)
            if number % 5 == 0:
                raise ValueError(number)
            return number

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(work, number) for number in range(40)]
    assert sum(future.exception() is not None for future in futures) == 8
    assert streams.most == devices._STREAMS
    assert not streams.used


def test_weights_are_there_before_any_stream_uses_them(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Toy, "to", lambda self, *_, **__: self)
    monkeypatch.setattr(Tensor, "to", lambda self, *_, **__: self)
    place = Device.of_a_gpu(torch.device("cuda"))
    assert streams.waited == 0
    OnDevice(Toy(1), place, "float32")
    assert streams.waited == 1
    place.put(IMAGE)
    assert streams.waited == 2


def test_a_full_gpu_is_said_in_one_line() -> None:
    place = Device.of_a_gpu(CPU)
    with (
        pytest.raises(CatalogError, match=r"no memory left; end.*engine torch"),
        place.stream(),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_all_images_at_once_are_each_by_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    matrices = torch.randn(37, 4, 5, generator=generator)
    vectors = torch.randn(37, 5, generator=generator).double()

    def function(matrix: Tensor, vector: Tensor) -> tuple[Tensor, Tensor]:
        raised = matrix.double() @ vector
        return raised, matrix.std(dim=0, correction=0)

    together = Device.of_a_gpu(CPU).each(function, matrices, vectors)
    alone = Device(CPU).each(function, matrices, vectors)
    for one, other in zip(together, alone, strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("bfloat16", 0.05)])
def test_features_of_more_images_than_go_at_once(precision: str, tolerance: float) -> None:
    images = torch.rand(150, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    found = OnDevice(Toy(2), Device.of_a_gpu(CPU), precision)(images)
    expected = Toy(2)(images)
    assert found.dtype == torch.float32
    assert (found - expected).abs().max() <= tolerance * expected.abs().max()


def test_images_in_any_layout_give_the_same() -> None:
    images = torch.rand(5, 2, 6, 6)[:, :1]
    encode = OnDevice(Toy(1), Device.of_a_gpu(CPU), "float32")
    assert torch.equal(encode(images), encode(images.contiguous()))


def test_float32_is_multiplied_as_it_is_and_others_can_still_ask() -> None:
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            without_tf32()
        assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
        with torch.backends.cudnn.flags(enabled=True):
            pass
        newer = getattr(torch.backends.cudnn, "conv", None)
        assert newer is None or newer.fp32_precision != "tf32"
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
