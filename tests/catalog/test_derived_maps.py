"""Derived maps of a toy net against autograd through the whole of it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from catalog.derived_maps import cross_entropy_map, fraction_map
from catalog.losses import cross_entropy
from catalog.model import concentrations
from catalog.saliency import Explainer
from tests.toy_encoders import IMAGE, Toy, toy_model

ONE_SAMPLE = torch.ones(1, 2)
ANSWERS = 3


def autograd_map(of: Callable[[Tensor], Tensor]) -> np.ndarray:
    """Activation times gradient of any function of the concentrations (K,)."""
    model = question()
    activation = model.encoder.block(IMAGE.double()).detach().requires_grad_()
    features = (activation**2).mean((2, 3))
    of(concentrations(model, features, ONE_SAMPLE.double())[0, 0]).backward()
    assert activation.grad is not None
    return (activation * activation.grad).sum(1)[0].detach().numpy()


def question():  # type: ignore[no-untyped-def]
    weight = torch.tensor([[0.1, 0.2], [-0.3, 0.05], [0.2, -0.1]], dtype=torch.float64)
    return toy_model(Toy(2).double(), weight, torch.tensor([-1.0, 0.5, -0.5]).double())


def stored() -> tuple[np.ndarray, np.ndarray]:
    """Maps (K, h, w) and concentrations (K,), as a run with one sample stores them."""
    model = toy_model(Toy(2), question().weight.float(), question().bias.float())
    maps = Explainer(model, ONE_SAMPLE, size=2, layer="block")(IMAGE).mean[0]
    alpha = concentrations(model, model.encoder(IMAGE), ONE_SAMPLE)[0, 0]
    return maps.numpy(), alpha.detach().double().numpy()


@pytest.mark.parametrize("answer", range(ANSWERS))
def test_the_fractions_map_is_autograds(answer: int) -> None:
    expected = autograd_map(lambda alpha: alpha[answer] / alpha.sum())
    # both maps and concentrations are float32
    np.testing.assert_allclose(
        fraction_map(*stored(), answer), expected, atol=1e-6 * np.abs(expected).max()
    )


@pytest.mark.parametrize("observed", [0.0, 0.25, 1.0])
def test_the_cross_entropys_map_is_autograds(observed: float) -> None:
    def loss(alpha: Tensor) -> Tensor:
        p = alpha[1] / alpha.sum()
        return -observed * torch.log(p) - (1 - observed) * torch.log(1 - p)

    expected = autograd_map(loss)
    np.testing.assert_allclose(
        cross_entropy_map(*stored(), 1, observed), expected, atol=1e-6 * np.abs(expected).max()
    )


def test_fractions_that_sum_to_one_have_maps_that_sum_to_nothing() -> None:
    maps = [fraction_map(*stored(), answer) for answer in range(ANSWERS)]
    np.testing.assert_allclose(np.sum(maps, axis=0), 0, atol=1e-15)


def test_positive_pixels_cost_the_loss() -> None:
    # against the votes' fraction of 1, a pixel that raises the fraction lowers the loss
    maps, alpha = stored()
    cost, raising = cross_entropy_map(maps, alpha, 1, 1.0), fraction_map(maps, alpha, 1)
    assert (np.sign(cost) == -np.sign(raising)).all()
    # and a small step along the map's own direction says by how much
    step = 1e-6
    p = alpha[1] / alpha.sum()
    slope = (cross_entropy([[1.0]], [[p + step]]) - cross_entropy([[1.0]], [[p - step]])) / 2 / step
    np.testing.assert_allclose(cost, slope[0, 0] * raising, rtol=1e-6)
