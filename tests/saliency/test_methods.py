"""Each way of explaining gives what its own module gives, of the answers asked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.made.toy_encoders import IMAGE, Toy, toy_model
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.network.model import ZoobotModel, concentrations, dropout_masks
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.saliency.methods import explanations, input_gradient, of_fractions, uninformed

IMAGES = torch.randn(11, 1, 4, 4, generator=torch.Generator().manual_seed(0))
ANSWERS = [0, 1, 2, 2, 1, 0, 0, 1, 2, 0, 1]
MASKS = dropout_masks(3, 2, 0.2, seed=0)


def test_maps_are_of_each_images_own_answer() -> None:
    model = toy_model(Toy(2), torch.randn(3, 2), torch.randn(3))
    methods = explanations(MASKS, "block")
    assert list(methods) == ["hirescam", "gradcam", "input gradient"]
    for method in ("hirescam", "gradcam"):
        whole = Explainer(model, MASKS, size=4, layer="block", method=method)(IMAGES).mean
        expected = torch.stack([maps[answer] for maps, answer in zip(whole, ANSWERS, strict=True)])
        torch.testing.assert_close(methods[method](model, IMAGES, ANSWERS), expected)
    expected = input_gradient(model, MASKS, IMAGES, ANSWERS)
    torch.testing.assert_close(methods["input gradient"](model, IMAGES, ANSWERS), expected)


def test_maps_of_fractions_are_activation_times_gradient() -> None:
    """Exact with one mask of ones; by autograd through the fraction, in float64."""
    tree = DecisionTree("two", (Question("a", ("x", "y")), Question("b", ("x", "y", "z"))))
    torch.manual_seed(4)
    encoder = Toy(2)
    model = toy_model(encoder, 0.1 * torch.randn(5, 2), torch.randn(5))
    answers = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0]
    method = of_fractions(torch.ones(1, 2), "block", tree)["hirescam, fraction"]
    found = method(model, IMAGES, answers)
    for image, answer, saliency in zip(IMAGES, answers, found, strict=True):
        activation = encoder.block(image[None]).double().detach().requires_grad_()
        pooled = (activation**2).mean((2, 3))
        alpha = 1 + 100 * torch.sigmoid(pooled @ model.weight.double().T + model.bias.double())
        where = tree.slices[tree.question_of[answer]]
        fraction = alpha[0, answer] / alpha[0, where].sum()
        (gradient,) = torch.autograd.grad(fraction, activation)
        expected = (activation * gradient).sum(1)[0].float()
        torch.testing.assert_close(saliency, expected, rtol=1e-4, atol=1e-6)


def test_what_knows_nothing() -> None:
    maps = uninformed(4, 3, 5, seed=0)
    assert {name: found.shape for name, found in maps.items()} == {
        "random": (4, 3, 5),
        "centre": (4, 3, 5),
    }
    np.testing.assert_array_equal(maps["random"], uninformed(4, 3, 5, seed=0)["random"])
    assert not np.array_equal(maps["random"], uninformed(4, 3, 5, seed=1)["random"])
    assert len(np.unique(maps["random"])) == 60
    assert np.unravel_index(maps["centre"][2].argmax(), (3, 5)) == (1, 2)
    assert maps["centre"][0, 0, 0] == pytest.approx(0.5 - (1 / 3) ** 2 - 0.4**2)


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


SMALL = torch.rand(11, 3, 9, 9, generator=torch.Generator().manual_seed(2)).double()
ASKED = [0, 3, 1, 2, 2, 0, 1, 3, 3, 0, 1]  # more images than run at once
DROPPED = dropout_masks(3, 6, 0.2, seed=4).double()


def mean_concentrations(model: ZoobotModel, images: Tensor) -> Tensor:
    return concentrations(model, model.encoder(images), DROPPED).mean(dim=1)  # (N, A)


def test_it_is_a_loop_of_autograd(smooth: ZoobotModel) -> None:
    maps = input_gradient(smooth, DROPPED, SMALL, ASKED)
    for image, answer, found in zip(SMALL, ASKED, maps, strict=True):
        alone = image[None].clone().requires_grad_()
        mean_concentrations(smooth, alone)[0, answer].backward()
        assert alone.grad is not None
        torch.testing.assert_close(found, (image * alone.grad[0]).sum(0), rtol=1e-9, atol=1e-12)


def test_it_is_finite_differences(smooth: ZoobotModel) -> None:
    maps = input_gradient(smooth, DROPPED, SMALL[:1], [3])
    step = 1e-5  # central differences in float64 err by its square
    for y, x in [(0, 0), (4, 4), (7, 2)]:
        expected = 0.0
        for channel in range(3):
            moved = SMALL[:1].repeat(2, 1, 1, 1)
            moved[0, channel, y, x] += step
            moved[1, channel, y, x] -= step
            with torch.no_grad():
                up, down = mean_concentrations(smooth, moved)[:, 3]
            expected += float(SMALL[0, channel, y, x] * (up - down) / (2 * step))
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
        maps = input_gradient(smooth, DROPPED, SMALL[:2], [0, 1])
    assert bool((maps != 0).any())
    assert not maps.requires_grad
    assert not SMALL.requires_grad
    assert all(p.grad is None for p in smooth.encoder.parameters())


def test_an_answer_that_the_model_lacks_is_nan_alone(smooth: ZoobotModel) -> None:
    weight, bias = smooth.weight.clone(), smooth.bias.clone()
    weight[1], bias[1] = torch.nan, torch.nan
    lacking = replace(smooth, weight=weight, bias=bias)
    maps = input_gradient(lacking, DROPPED, SMALL[:3], [0, 1, 2])
    assert maps.isnan().all(dim=(1, 2)).tolist() == [False, True, False]
    torch.testing.assert_close(maps[::2], input_gradient(smooth, DROPPED, SMALL[:3:2], [0, 2]))
