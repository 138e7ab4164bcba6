"""How much each logit moves a prediction on the way from a baseline to an image.

Aumann & Shapley 1974, as integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365): along
the straight line between two vectors of features f0 and f a prediction F changes by exactly

    F(f) - F(f0) = sum_d u_d (f_d - f0_d),  u_d the mean of dF / df_d over the line.

On that line logits are linear, so that only the few of a question have to be integrated, in each
dropout sample, by the rule of Gauss and Legendre.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

EXACT = 1e-9  # relative to the largest value
_FEWEST, _MOST = 8, 1024  # points of the rule


@dataclass(frozen=True)
class Quantity:
    """What follows from the logits (..., K) of a question: values (..., K), and their derivatives.

    derivative: d value_k / d logit_j, (..., K, K). sums_to_one: whether the K values do.
    """

    values: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]
    sums_to_one: bool = False


def mean_derivative(quantity: Quantity, start: Tensor, end: Tensor) -> Tensor:
    """The mean of d value_k / d logit_j from one set of logits (..., K) to another, (..., K, K).

    So many points are taken that the derivatives times the change of the logits are the change of
    the values, to `EXACT`. float64; NaN where a logit is.
    """
    values = quantity.values(end)
    change = values - quantity.values(start)
    points = _FEWEST
    while True:
        found = start.new_zeros(())
        for place, weight in zip(*_rule(points), strict=True):
            found = found + weight * quantity.derivative(start + place * (end - start))
        error = ((found @ (end - start)[..., None])[..., 0] - change).abs()
        if points >= _MOST or not (error > EXACT * values.abs().max()).any():
            return found
        points *= 2


def _rule(points: int) -> tuple[list[float], list[float]]:
    """Places in 0..1 and weights, which sum to 1, of Gauss and Legendre's rule."""
    places, weights = np.polynomial.legendre.leggauss(points)
    return ((places + 1) / 2).tolist(), (weights / 2).tolist()


def _rising(logits: Tensor) -> Tensor:
    """Slopes of sigmoids, from the logits: 1 - s loses the digits of an s near 1."""
    return torch.sigmoid(logits) * torch.sigmoid(-logits)


def concentration_slopes(logits: Tensor) -> Tensor:
    """D alpha / d z of concentrations alpha = 1 + 100 sigmoid(z)."""
    return 100 * _rising(logits)


def _fractions(logits: Tensor) -> Tensor:
    alpha = 1 + 100 * torch.sigmoid(logits)
    return alpha / alpha.sum(-1, keepdim=True)


def _fractions_derivative(logits: Tensor) -> Tensor:
    total = (1 + 100 * torch.sigmoid(logits)).sum(-1, keepdim=True)
    slopes = concentration_slopes(logits) / total
    return slopes.diag_embed() - _fractions(logits)[..., :, None] * slopes[..., None, :]


def _softmax_derivative(logits: Tensor) -> Tensor:
    p = logits.softmax(-1)
    return p.diag_embed() - p[..., :, None] * p[..., None, :]


CONCENTRATION = Quantity(
    lambda z: 1 + 100 * torch.sigmoid(z), lambda z: concentration_slopes(z).diag_embed()
)
FRACTION = Quantity(_fractions, _fractions_derivative, sums_to_one=True)
LOGIT = Quantity(lambda z: z, lambda z: torch.ones_like(z).diag_embed())
PROBABILITY = Quantity(lambda z: z.softmax(-1), _softmax_derivative, sums_to_one=True)
SHARE = Quantity(torch.sigmoid, lambda z: _rising(z).diag_embed())
