"""Each way of explaining gives what its own module gives, of the answers asked."""

import numpy as np
import pytest
import torch

from catalog.decision_tree import DecisionTree, Question
from catalog.explanations import explanations, of_fractions, uninformed
from catalog.input_gradient import input_gradient
from catalog.model import dropout_masks
from catalog.saliency import Explainer
from tests.toy_encoders import Toy, toy_model

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
    (method,) = of_fractions(torch.ones(1, 2), "block", tree).values()
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
