"""Maps made where a GPU would make them: by the CPU in its place, and by no device at all."""

from dataclasses import replace

import pytest
import timm
import torch
from torch import Tensor

from tests.made.toy_encoders import toy_model
from tests.network.test_inference import scrambled
from zoolens.catalog.network import devices, engines
from zoolens.catalog.network.heads import Output
from zoolens.catalog.network.model import ZoobotModel, dropout_masks
from zoolens.catalog.saliency.explainer import Explainer

SLICES = [slice(0, 3), slice(3, 5)]
SIZE = 64


GPUS = [
    "cpu",  # in the place of one
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU"),
    ),
]


@pytest.fixture(scope="module", params=["test_resnet", "test_efficientnet", "convnext_atto"])
def model(request: pytest.FixtureRequest) -> ZoobotModel:
    encoder = scrambled(timm.create_model(request.param, num_classes=0))
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(8, 3, SIZE, SIZE, generator=generator)
    with torch.no_grad():
        features = encoder(images)
        weight = torch.randn(5, features.shape[1], generator=generator)
        weight /= (features @ weight.T).abs().mean(dim=0)[:, None]
    return toy_model(encoder, weight, torch.randn(5, generator=generator))


def explainers(model: ZoobotModel, method: str = "hirescam") -> tuple[Explainer, Explainer]:
    masks = dropout_masks(3, model.weight.shape[1], 0.2, seed=5)
    one, other = (
        Explainer(model, masks, size=SIZE, method=method, engine=engine)
        for engine in ("torch", "cuda")
    )
    assert other.engine == "cuda"
    return one, other


def close(found: Tensor, expected: Tensor) -> None:
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    largest = float(expected.nan_to_num().abs().max())
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5 * largest, equal_nan=True)


@pytest.mark.parametrize(
    ("method", "output"),
    [("gradcam", Output.CONCENTRATION), *(("hirescam", one) for one in Output)],
)
@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.slow
def test_maps_are_those_of_torch(
    model: ZoobotModel, method: str, output: Output, gpu: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "GPU", torch.device(gpu))
    monkeypatch.setattr(devices, "_AT_ONCE_GPU", 2)
    ours, theirs = explainers(replace(model, output=output), method)
    images = 0.2 * torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    expected, found = ours(images), theirs(images)
    close(found.mean, expected.mean)
    close(found.sd, expected.sd)
    close(theirs.logit_maps(images), ours.logit_maps(images))
    for one, other in zip(
        vars(theirs.fractions(images, SLICES)).values(),
        vars(ours.fractions(images, SLICES)).values(),
        strict=True,
    ):
        close(one, other)


def test_nothing_is_left_on_the_cpu(model: ZoobotModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the meta device, which knows shapes alone, and refuses what is elsewhere."""
    monkeypatch.setattr(devices, "GPU", torch.device("meta"))
    monkeypatch.setattr(engines, "_check", lambda *_: None)  # there are no numbers
    brought: list[torch.Size] = []

    def cpu(tensor: Tensor) -> Tensor:
        assert tensor.is_meta
        brought.append(tensor.shape)
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(Tensor, "cpu", cpu)
    masks = dropout_masks(3, model.weight.shape[1], 0.2, seed=5)
    explainer = Explainer(model, masks, size=SIZE, engine="cuda")
    images = torch.rand(70, 3, SIZE, SIZE)
    brought.clear()  # the features that were to be compared
    assert explainer(images).mean.shape == (70, 5, 2, 2)
    # nothing but finished maps comes back, of 64 images and of the rest
    assert brought == [(64, 5, 2, 2)] * 2 + [(6, 5, 2, 2)] * 2
    assert explainer.fractions(images, SLICES).expected.shape == (70, 5)
    assert explainer.logit_maps(images).shape == (70, 3, 5, 2, 2)
    assert explainer._bias.is_meta
    explainer._bias = model.bias  # and a tensor left behind would have been told
    with pytest.raises((RuntimeError, AssertionError)):
        explainer(images)


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.slow
def test_bfloat16_maps_are_near(
    model: ZoobotModel, gpu: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "GPU", torch.device(gpu))
    masks = dropout_masks(3, model.weight.shape[1], 0.2, seed=5)
    images = 0.2 * torch.rand(5, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    expected = Explainer(model, masks, size=SIZE)(images).mean
    for engine in ("torch", "cuda"):
        explainer = Explainer(model, masks, size=SIZE, engine=engine, precision="bfloat16")
        difference = (explainer(images).mean - expected).abs().max() / expected.abs().max()
        assert 1e-5 < difference <= 0.1
