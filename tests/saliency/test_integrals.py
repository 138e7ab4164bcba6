"""Mean derivatives against quadrature, one logit and one value at a time."""

import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from zoolens.catalog.saliency import integrals
from zoolens.catalog.saliency.integrals import Quantity, mean_derivative

QUANTITIES = {
    name: getattr(integrals, name)
    for name in ("CONCENTRATION", "FRACTION", "LOGIT", "PROBABILITY", "SHARE")
}


def logits(seed: int, spread: float) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spread * torch.randn(2, 3, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=QUANTITIES)
def test_derivatives_are_those_of_the_values(quantity: Quantity) -> None:
    z = logits(0, 2)
    expected = torch.stack([torch.func.jacrev(quantity.values)(row) for row in z])
    torch.testing.assert_close(quantity.derivative(z), expected)
    if quantity.sums_to_one:
        torch.testing.assert_close(quantity.values(z).sum(-1), torch.ones(2, dtype=z.dtype))


@pytest.mark.parametrize("spread", [0.1, 3, 30])
@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=QUANTITIES)
def test_means_are_those_of_quadrature(quantity: Quantity, spread: float) -> None:
    start, end = logits(1, spread), logits(2, spread)
    found = mean_derivative(quantity, start, end)
    changes = (found @ (end - start)[..., None])[..., 0]
    torch.testing.assert_close(
        changes, quantity.values(end) - quantity.values(start), rtol=1e-7, atol=1e-7
    )

    def derivative(s: float, row: int, k: int, j: int) -> float:
        return float(quantity.derivative(start[row] + s * (end[row] - start[row]))[k, j])

    for row, k, j in ((0, 0, 0), (1, 2, 1)):
        expected, error = quad(derivative, 0, 1, (row, k, j), limit=200)
        # the rule is refined until sums are right, and its parts are about as good
        assert float(found[row, k, j]) == pytest.approx(expected, abs=1e-5 + error, rel=1e-5)


def test_an_answer_that_is_lacking_is_left_out() -> None:
    start, end = logits(1, 1), logits(2, 1)
    start[0], end[0] = torch.nan, torch.nan
    found = mean_derivative(integrals.FRACTION, start, end)
    assert found[0].isnan().all()
    expected = mean_derivative(integrals.FRACTION, start[1:], end[1:])
    torch.testing.assert_close(found[1:], expected)


def test_nothing_changes_between_equals() -> None:
    z = logits(3, 2)
    found = mean_derivative(integrals.FRACTION, z, z)
    torch.testing.assert_close(found, integrals.FRACTION.derivative(z))
