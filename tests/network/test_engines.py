"""Engines give the encoder's own features, and say so where they cannot."""

import importlib.util
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from tests.network.test_inference import scrambled
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.network.engines import (
    PRECISIONS,
    choose_engine,
    engines_here,
    make_encode,
)

pytestmark = pytest.mark.slow

installed = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is not installed"
)


@installed
@pytest.mark.parametrize(
    ("architecture", "size"),
    [
        ("efficientnet_b0", 224),
        ("resnet10t", 97),
        ("convnext_atto", 224),
        ("maxvit_rmlp_pico_rw_256", 256),
    ],
)
def test_openvino_gives_the_encoders_features(architecture: str, size: int) -> None:
    import timm

    encoder = scrambled(timm.create_model(architecture, num_classes=0))
    encode = make_encode("openvino", encoder, 3, size)
    images = torch.rand(5, 3, size, size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = encoder(images)
    # float32 sums in another order
    assert (encode(images) - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("architecture", ["resnet10t", "convnext_atto"])
@pytest.mark.parametrize("engine", ["torch", pytest.param("openvino", marks=installed)])
def test_bfloat16_is_near(engine: str, architecture: str) -> None:
    import timm

    encoder = scrambled(timm.create_model(architecture, num_classes=0))
    images = 0.2 * torch.rand(5, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = encoder(images)
    found = make_encode(engine, encoder, 3, 96, "bfloat16")(images)
    assert found.dtype == torch.float32
    difference = (found - expected).abs().max() / expected.abs().max()
    assert difference <= 0.05  # eight bits a number, over a dozen layers


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_cuda_gives_the_encoders_features(precision: str) -> None:
    import timm

    encoder = scrambled(timm.create_model("efficientnet_b0", num_classes=0))
    images = 0.2 * torch.rand(70, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = encoder(images)
    encode = make_encode("cuda", encoder, 3, 224, precision)
    tolerance = {"float32": 1e-5, "bfloat16": 0.05}[precision]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(encode, [images] * 8):
            assert (found - expected).abs().max() <= tolerance * expected.abs().max()


@installed
def test_threads_share_an_engine() -> None:
    import timm

    encoder = scrambled(timm.create_model("resnet10t", num_classes=0))
    encode = make_encode("openvino", encoder, 3, 64)
    batches = torch.rand(12, 2, 3, 64, 64).unbind()
    apart = [encode(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(apart, pool.map(encode, batches), strict=True):
            assert torch.equal(one, other)


class Fickle(nn.Module):
    """Does with later images what its trace does not show."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return images.mean((2, 3)) * self.calls


@installed
def test_another_result_is_refused() -> None:
    with pytest.raises(CatalogError, match=r"other features.*engine torch"):
        make_encode("openvino", Fickle(), 3, 32)


class Unknown(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.special.bessel_j0(images).mean((2, 3))


@installed
def test_an_encoder_it_does_not_take() -> None:
    with pytest.raises(CatalogError, match=r"does not take this encoder.*engine torch"):
        make_encode("openvino", Unknown(), 3, 32)


def test_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert choose_engine("auto", 100) == "torch"
    assert choose_engine("auto", 10_000) == "openvino"
    assert choose_engine("torch", 10_000) == "torch"
    with pytest.raises(CatalogError, match=r"torch finds no GPU.*engine torch"):
        choose_engine("cuda", 10)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert choose_engine("auto", 10_000) == "torch"
    with pytest.raises(CatalogError, match=r"install it with: pip install 'zoolens\[openvino\]'"):
        choose_engine("openvino", 10)
    with pytest.raises(UnknownName, match="choose one of auto, torch, openvino, cuda"):
        choose_engine("tpu", 10)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert choose_engine("auto", 1) == "cuda"
    assert choose_engine("cuda", 1) == "cuda"
    assert choose_engine("torch", 1) == "torch"


def test_what_is_here_is_told_as_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    told = engines_here()
    assert told["torch"].startswith(torch.__version__)
    assert told["auto"].split(";")[0] == choose_engine("auto", 1)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert engines_here()["openvino"] == "not installed"


def test_an_unknown_precision() -> None:
    with pytest.raises(UnknownName, match="choose one of float32, bfloat16"):
        make_encode("torch", Unknown(), 3, 32, "float8")
