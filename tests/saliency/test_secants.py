"""Secants: of single steps by hand, of networks by what they must add up to, in float64."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.saliency.secants import Recorded, Secants

GENERATOR = torch.Generator().manual_seed(0)


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


def multipliers(network: nn.Module, x: Tensor, x0: Tensor, cotangent: Tensor) -> Tensor:
    """m in cotangent . (f(x) - f(x0)) = sum m (x - x0)."""
    recorded = Recorded()
    with recorded:
        network(x0.clone().requires_grad_())
    at = x.clone().requires_grad_()
    with Secants(recorded):
        output = network(at)
    torch.testing.assert_close(output.detach(), network(x))  # values stay the network's own
    (found,) = torch.autograd.grad(output, at, cotangent)
    return found


class Gated(nn.Module):
    """Squeeze and excite, as timm writes it, in place or not."""

    def forward(self, x: Tensor) -> Tensor:
        gate = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(2 * gate)


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inside = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.SiLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        y = self.inside(x)
        y += x
        return functional.relu(y, inplace=True)


class Permuted(nn.Module):
    """A layer norm of each pixel's channels, and ConvNeXt's scale of a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.scale = nn.Parameter(torch.tensor([0.5, -1.0, 2.0, 0.1]), requires_grad=False)
        nn.init.normal_(self.norm.weight)
        nn.init.normal_(self.norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.gelu(self.norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return x + y.mul(self.scale.reshape(1, -1, 1, 1))


NETWORKS = {
    "relu": nn.Sequential(nn.Conv2d(4, 5, 3), nn.ReLU(inplace=True), nn.AvgPool2d(2)),
    "batch norm": nn.Sequential(nn.Conv2d(4, 3, 1), nn.BatchNorm2d(3), nn.Hardswish()),
    "gates": nn.Sequential(nn.Conv2d(4, 4, 1), Gated(), nn.GELU(), Gated()),
    "residual": nn.Sequential(Residual(), Residual()),
    "layer norm": nn.Sequential(Permuted(), Permuted()),
    "norm of all": nn.Sequential(nn.Flatten(), nn.LayerNorm(4 * 6 * 6, elementwise_affine=False)),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_what_changes_is_added_up(network: nn.Module) -> None:
    network = network.double().eval().requires_grad_(False)
    x, x0 = random(3, 4, 6, 6), random(3, 4, 6, 6)
    cotangent = random(*network(x).shape)
    found = multipliers(network, x, x0, cotangent)
    changes = (cotangent * (network(x) - network(x0))).flatten(1).sum(1)
    torch.testing.assert_close((found * (x - x0)).flatten(1).sum(1), changes, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_near_the_image_secants_are_slopes(network: nn.Module) -> None:
    network = network.double().eval().requires_grad_(False)
    x = random(2, 4, 6, 6)
    cotangent = random(*network(x).shape)
    at = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(network(at), at, cotangent)
    found = multipliers(network, x, x + 1e-7 * random(2, 4, 6, 6), cotangent)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_two_layers_by_hand() -> None:
    """DeepLIFT's Rescale rule, written out with matrices."""
    first, second = nn.Linear(5, 4).double(), nn.Linear(4, 3).double()
    network = nn.Sequential(first, nn.ReLU(), second).requires_grad_(False)
    x, x0, cotangent = random(1, 5), random(1, 5), random(1, 3)
    z, z0 = first(x)[0], first(x0)[0]
    slope = (z.clamp(min=0) - z0.clamp(min=0)) / (z - z0)
    expected = cotangent[0] @ second.weight @ slope.diag() @ first.weight
    torch.testing.assert_close(multipliers(network, x, x0, cotangent)[0], expected)


def test_a_product_is_shared_by_its_factors() -> None:
    class Product(nn.Module):
        def forward(self, pair: Tensor) -> Tensor:
            return pair[:, 0] * pair[:, 1]

    (a, b), (a0, b0) = (3.0, 5.0), (1.0, -2.0)
    x, x0 = (torch.tensor([one], dtype=torch.float64) for one in ((a, b), (a0, b0)))
    found = multipliers(Product(), x, x0, torch.ones(1, dtype=torch.float64))
    assert found.tolist() == [[(b + b0) / 2, (a + a0) / 2]]


def test_what_does_not_change_has_the_slope() -> None:
    """No quotient of zero by zero, of rounding by rounding, or of infinite size."""
    x = torch.tensor([[-1.0, 0.0, 2.0, 3.0]], dtype=torch.float64)
    found = multipliers(nn.SiLU(), x, x * (1 + 1e-16), torch.ones_like(x))
    at = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(functional.silu(at).sum(), at)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (lambda x: x.softmax(-1), "softmax"),
        (lambda x: x**2, "pow"),
        (lambda x: functional.max_pool2d(x, 2), "max_pool2d"),
        (lambda x: functional.scaled_dot_product_attention(x, x, x), "attention"),
        (lambda x: x / x.norm(), "norm"),
    ],
)
def test_a_step_without_a_rule_is_refused(step: nn.Module, name: str) -> None:
    with pytest.raises(ModelRefused, match=name), Recorded():
        step(random(1, 4, 6, 6).requires_grad_())


def test_what_stands_before_the_cut_may_be_anything() -> None:
    recorded = Recorded()
    with recorded:
        functional.max_pool2d(random(1, 4, 6, 6), 2).softmax(1).relu()
    assert recorded.inputs == []
