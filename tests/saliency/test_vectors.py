"""Derivatives of functions of a vector against autograd."""

import pytest
import torch
from timm.layers.activations import Tanh
from timm.layers.layer_scale import LayerScale
from timm.layers.norm import LayerNorm2d
from torch import nn

from zoolens.catalog.saliency.vectors import known_steps, push, slope, through

STEPS: dict[str, tuple[nn.Module, ...]] = {
    "none": (),
    "layer norm": (nn.LayerNorm(6),),
    "layer norm without weights": (nn.LayerNorm(6, elementwise_affine=False),),
    "layer norm of maps": (LayerNorm2d(6),),
    "linear": (nn.Linear(6, 4),),
    "scale": (LayerScale(6, 0.3),),
    "all": (nn.LayerNorm(6), nn.Linear(6, 4), nn.GELU(), nn.Linear(4, 5), Tanh(inplace=True)),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_push_is_autograds(name: str) -> None:
    torch.manual_seed(0)
    steps = STEPS[name]
    for step in steps:
        for weight in step.double().parameters():
            nn.init.normal_(weight)
    vectors, directions = torch.randn(3, 6).double(), torch.randn(3, 6, 2).double()
    given = vectors.clone()
    value, pushed = push(steps, vectors, directions)
    torch.testing.assert_close(value, through(steps, vectors))
    for one in range(2):
        _, expected = torch.autograd.functional.jvp(
            lambda v: through(steps, v), vectors, directions[..., one]
        )
        torch.testing.assert_close(pushed[..., one], expected)
    torch.testing.assert_close(vectors, given)  # also where a step works in place


def test_a_slope_is_of_each_number() -> None:
    values = torch.tensor([[-1.0, 2.0]])
    assert slope(nn.ReLU(inplace=True), values).tolist() == [[0.0, 1.0]]
    assert values.tolist() == [[-1.0, 2.0]]


def test_steps_that_do_nothing_are_left_out_and_unknown_ones_refused() -> None:
    norm, linear = nn.LayerNorm(3), nn.Linear(3, 3)
    assert known_steps(nn.Identity(), norm, nn.Flatten(), nn.Dropout(0.5), linear) == (norm, linear)
    assert known_steps() == ()
    assert known_steps(norm, nn.Softmax(dim=1)) is None
