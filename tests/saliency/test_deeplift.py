"""Maps that add up, against sums of all kinds of networks and against slow ways to them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import timm
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused, UnknownName
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import ZoobotModel, concentrations, dropout_masks
from zoolens.catalog.saliency import deeplift
from zoolens.catalog.saliency.cut import last_block
from zoolens.catalog.saliency.deeplift import BLUR, DeepLift, blurred
from zoolens.catalog.saliency.integrals import (
    CONCENTRATION,
    FRACTION,
    LOGIT,
    Quantity,
    mean_derivative,
)
from zoolens.catalog.saliency.passes import Paired

SLICES = (slice(0, 3), slice(3, 5), slice(5, 8))
SIZE = 64
# of sums of a fraction: issue-wide promise 1e-4; float32 convolutions leave about 1e-6
EXACT = 1e-5

# small members of the families; the layer that is chosen for the few answers here
FAMILIES = {
    "resnet10t": "layer2",
    "regnetx_002": "s2",
    "efficientnet_lite0": "blocks.2",
    "efficientnet_b0": "blocks.2",
    "mobilenetv4_conv_small": "blocks.1",
    "convnext_atto": "stages.1",
    "convnextv2_atto": "stages.3",  # its normalisation of responses has no secant
}


def model_of(encoder: nn.Module, name: str = "toy") -> ZoobotModel:
    """A model of random weights and 8 answers, whose fractions are not all alike."""
    encoder = encoder.eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(3)
    features = encoder(torch.rand(4, 3, SIZE, SIZE, generator=generator))
    scale = 3 / features.std() / features.shape[1] ** 0.5
    weight = scale * torch.randn(8, features.shape[1], generator=generator)
    bias = torch.randn(8, generator=generator) - weight @ features.mean(0)
    labels = tuple(f"toy_{number}" for number in range(8))
    return ZoobotModel(encoder, weight, bias, 0.3, labels, name, 3, None, "")


def images(count: int = 3) -> Tensor:
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(5))


def fractions_of(model: ZoobotModel, masks: Tensor, shown: Tensor) -> Tensor:
    """Expected fractions (N, A) of images, as predictions have them."""
    with torch.no_grad():
        alpha = concentrations(model, model.encoder(shown), masks).double()  # (N, T, A)
    return torch.cat(
        [(alpha[..., w] / alpha[..., w].sum(-1, keepdim=True)).mean(1) for w in SLICES], 1
    )


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> tuple[ZoobotModel, str]:
    torch.manual_seed(0)
    encoder = timm.create_model(request.param, num_classes=0)
    return model_of(encoder, request.param), FAMILIES[request.param]


@pytest.mark.slow
def test_maps_add_up_to_the_prediction_less_the_baseline(family: tuple[ZoobotModel, str]) -> None:
    model, layer = family
    masks = dropout_masks(5, model.weight.shape[1], model.dropout_rate, 0)
    explain = DeepLift(model, masks, SLICES, size=SIZE)
    assert explain.layer == layer
    last = last_block(model.encoder, images(1))
    for at in (explain, DeepLift(model, masks, SLICES, size=SIZE, layer=last)):
        found = at(images())
        for given, expected in ((images(), found.predicted), (blurred(images()), found.baseline)):
            torch.testing.assert_close(
                fractions_of(model, masks, given), expected, rtol=EXACT, atol=EXACT
            )
        changes = found.predicted - found.baseline
        assert changes.abs().max() > 0.01  # else nothing is tested
        torch.testing.assert_close(found.maps.sum((2, 3)), changes, rtol=EXACT, atol=EXACT)
        assert (found.maps.abs().amax((2, 3)) > 0).all()


class Small(nn.Module):
    """A cut at `block`, then a convolution and a mean; the sizes of a unit test."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.block = nn.Sequential(nn.Conv2d(3, 4, 8, stride=8), nn.SiLU())
        self.after = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.ReLU())
        self.feature_info = [
            {"module": "block", "reduction": 8},
            {"module": "after", "reduction": 8},
        ]

    def forward(self, shown: Tensor) -> Tensor:
        return self.after(self.block(shown)).mean((2, 3))


@pytest.fixture(scope="module")
def small() -> tuple[ZoobotModel, Tensor]:
    model = model_of(Small())
    return model, dropout_masks(4, 6, 0.3, 1)


@pytest.mark.parametrize("quantity", [FRACTION, CONCENTRATION, LOGIT], ids=["p", "alpha", "z"])
def test_a_cell_at_a_time_by_finite_steps(
    small: tuple[ZoobotModel, Tensor], quantity: Quantity
) -> None:
    """The multipliers by the definition: a secant a step, in float64, one image and answer."""
    model, masks = small
    encoder: Any = model.encoder.double()
    found = DeepLift(model, masks, SLICES, size=SIZE, layer="block")(images(), quantity)
    image, where = 1, SLICES[2]
    given = torch.stack([images()[image], blurred(images())[image]]).double()
    a, a0 = encoder.block(given)
    z, z0 = encoder.after[0](torch.stack([a, a0]))
    f, f0 = encoder(given)
    slope = torch.where(z == z0, 0.0, (z.relu() - z0.relu()) / (z - z0)) / z[0].numel()
    expected = torch.zeros(3, *a.shape[1:], dtype=torch.float64)
    for mask in masks.double():
        weight = model.weight[where].double() * mask
        start, end = (weight @ one + model.bias[where].double() for one in (f0, f))
        derivative = mean_derivative(quantity, start, end) @ weight  # (K, D)
        moved = torch.nn.functional.conv2d(
            torch.eye(a.numel(), dtype=torch.float64).reshape(-1, *a.shape) * (a - a0),
            encoder.after[0].weight,
            padding=1,
        )  # what each number of the layer changes before the ReLU
        each = torch.einsum("kd,dyx,ndyx->kn", derivative, slope, moved)
        expected += each.reshape(3, *a.shape).sum(1) / len(masks)
    encoder.float()
    torch.testing.assert_close(found.maps[image, where], expected, rtol=1e-4, atol=1e-6)


def test_one_answer_of_each_is_that_of_all(small: tuple[ZoobotModel, Tensor]) -> None:
    model, masks = small
    explain = DeepLift(model, masks, SLICES, size=SIZE)
    shown, answers = images(20), [number % 8 for number in range(20)]
    whole, each = explain(shown), explain.one_each(shown, answers)
    rows = torch.arange(20), torch.tensor(answers)
    for name in ("predicted", "baseline", "maps"):
        torch.testing.assert_close(
            getattr(each, name), getattr(whole, name)[rows], rtol=1e-5, atol=1e-7
        )


def test_threads_may_share_it(small: tuple[ZoobotModel, Tensor]) -> None:
    model, masks = small
    explain = DeepLift(model, masks, SLICES, size=SIZE)
    parts = images(12).split(2)
    expected = torch.cat([explain(part).maps for part in parts])
    found = [one.maps for one in torch_in_order(explain, parts, threads=3)]
    torch.testing.assert_close(torch.cat(found), expected)


def test_a_question_that_the_model_lacks_has_no_map(small: tuple[ZoobotModel, Tensor]) -> None:
    model, masks = small
    weight, bias = model.weight.clone(), model.bias.clone()
    weight[SLICES[0]], bias[SLICES[0]] = torch.nan, torch.nan
    lacking = DeepLift(replace(model, weight=weight, bias=bias), masks, SLICES, size=SIZE)(images())
    whole = DeepLift(model, masks, SLICES, size=SIZE)(images())
    for name in ("predicted", "baseline", "maps"):
        found, expected = getattr(lacking, name), getattr(whole, name)
        assert found[:, SLICES[0]].isnan().all()
        torch.testing.assert_close(found[:, 3:], expected[:, 3:])


def test_the_finest_layer_that_its_cost_allows(
    small: tuple[ZoobotModel, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, masks = small
    own = Paired(Small().eval().requires_grad_(False), "block", images(1))
    kernel, cells = 4 * 6 * 9, 64
    assert own.share == pytest.approx(kernel * cells / ((3 * 4 * 64 + kernel) * cells))
    assert own.multiplications == (3 * 4 * 64 + kernel) * cells
    passes = 2 + 5 * own.share
    for most, few, layer in (
        (passes + 1e-9, 0, "block"),
        (passes - 1e-9, 0, "after"),
        # more of them where they are of few multiplications
        (1, passes * own.multiplications * (1 + 1e-9), "block"),
        (1, passes * own.multiplications * (1 - 1e-9), "after"),
    ):
        monkeypatch.setattr(deeplift, "MOST_PASSES", most)
        monkeypatch.setattr(deeplift, "FEW", few)
        assert DeepLift(model, masks, SLICES, size=SIZE).layer == layer


def test_the_baseline_is_a_gaussian_mean() -> None:
    shown = images(2)
    found = blurred(shown).numpy()
    sigma = BLUR * SIZE
    weights = gaussian_filter(np.ones((SIZE, SIZE)), sigma, mode="constant", truncate=20)
    for image, smooth in zip(shown.numpy(), found, strict=True):
        for channel, seen in zip(image, smooth, strict=True):
            blurry = gaussian_filter(channel.astype(float), sigma, mode="constant", truncate=20)
            np.testing.assert_allclose(seen, blurry / weights, atol=1e-5)
    flat = torch.full((1, 3, SIZE, SIZE), 0.3)
    torch.testing.assert_close(blurred(flat), flat)


class Around(nn.Module):
    """Some of the image goes around the layer `inner`."""

    def __init__(self) -> None:
        super().__init__()
        self.outer, self.inner = nn.Conv2d(3, 4, 8, stride=8), nn.Conv2d(4, 4, 1)

    def forward(self, shown: Tensor) -> Tensor:
        outer = self.outer(shown)
        return (outer.relu() + self.inner(outer)).mean((2, 3))


def test_layers_that_cannot_be_explained_are_refused() -> None:
    model, masks = model_of(Around()), torch.ones(1, 4)
    with pytest.raises(ModelRefused, match="maps at inner do not add up: not all of the image"):
        DeepLift(model, masks, SLICES, size=SIZE, layer="inner")
    with pytest.raises(UnknownName, match="nearest: inner"):
        DeepLift(model, masks, SLICES, size=SIZE, layer="iner")
