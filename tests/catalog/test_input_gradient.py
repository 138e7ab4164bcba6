"""Input x gradient against finite differences, a loop of autograd, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from catalog.input_gradient import input_gradient
from catalog.model import ZoobotModel, concentrations, dropout_masks
from tests.toy_encoders import IMAGE, Toy, toy_model


class Smooth(nn.Module):
    """Two convolutions with a smooth activation, in float64."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 5, 3).double(), nn.Conv2d(5, 6, 3).double()

    def forward(self, images: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(images))).square().mean((2, 3))


@pytest.fixture(scope="module")
def smooth() -> ZoobotModel:
    torch.manual_seed(1)
    weight, bias = torch.randn(4, 6, dtype=torch.float64) * 3, torch.randn(4).double()
    return toy_model(Smooth(), weight, bias)


IMAGES = torch.rand(11, 3, 9, 9, generator=torch.Generator().manual_seed(2)).double()
ANSWERS = [0, 3, 1, 2, 2, 0, 1, 3, 3, 0, 1]  # more images than run at once
MASKS = dropout_masks(3, 6, 0.2, seed=4).double()


def mean_concentrations(model: ZoobotModel, images: Tensor) -> Tensor:
    return concentrations(model, model.encoder(images), MASKS).mean(dim=1)  # (N, A)


def test_it_is_a_loop_of_autograd(smooth: ZoobotModel) -> None:
    maps = input_gradient(smooth, MASKS, IMAGES, ANSWERS)
    for image, answer, found in zip(IMAGES, ANSWERS, maps, strict=True):
        alone = image[None].clone().requires_grad_()
        mean_concentrations(smooth, alone)[0, answer].backward()
        assert alone.grad is not None
        torch.testing.assert_close(found, (image * alone.grad[0]).sum(0), rtol=1e-9, atol=1e-12)


def test_it_is_finite_differences(smooth: ZoobotModel) -> None:
    maps = input_gradient(smooth, MASKS, IMAGES[:1], [3])
    step = 1e-5  # central differences in float64 err by its square
    for y, x in [(0, 0), (4, 4), (7, 2)]:
        expected = 0.0
        for channel in range(3):
            moved = IMAGES[:1].repeat(2, 1, 1, 1)
            moved[0, channel, y, x] += step
            moved[1, channel, y, x] -= step
            with torch.no_grad():
                up, down = mean_concentrations(smooth, moved)[:, 3]
            expected += float(IMAGES[0, channel, y, x] * (up - down) / (2 * step))
        assert float(maps[0, y, x]) == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_linear_toy_by_hand() -> None:
    # z = mean(x) + 3 mean(-2 x) brought to 0, where alpha' = 25: M = -5 * 25 x / 4
    encoder, weight = Toy(1), torch.tensor([[1.0, 3.0]])
    with torch.no_grad():
        model = toy_model(encoder, weight, -(weight @ encoder(IMAGE).T)[0])
    maps = input_gradient(model, torch.ones(1, 2), IMAGE, [0])
    np.testing.assert_allclose(maps[0], [[-31.25, -62.5], [-93.75, 125.0]], rtol=1e-6)


def test_it_leaves_no_trace(smooth: ZoobotModel) -> None:
    for parameter in smooth.encoder.parameters():
        parameter.grad = None
    with torch.no_grad():
        maps = input_gradient(smooth, MASKS, IMAGES[:2], [0, 1])
    assert bool((maps != 0).any())
    assert not maps.requires_grad
    assert not IMAGES.requires_grad
    assert all(p.grad is None for p in smooth.encoder.parameters())


def test_an_answer_that_the_model_lacks_is_nan_alone(smooth: ZoobotModel) -> None:
    weight, bias = smooth.weight.clone(), smooth.bias.clone()
    weight[1], bias[1] = torch.nan, torch.nan
    lacking = replace(smooth, weight=weight, bias=bias)
    maps = input_gradient(lacking, MASKS, IMAGES[:3], [0, 1, 2])
    assert maps.isnan().all(dim=(1, 2)).tolist() == [False, True, False]
    torch.testing.assert_close(maps[::2], input_gradient(smooth, MASKS, IMAGES[:3:2], [0, 2]))
