"""Encoders small enough for maps worked out by hand."""

import torch
from torch import Tensor, nn

from zoolens.catalog.network.model import ZoobotModel

IMAGE = torch.tensor([[[[1.0, 2.0], [3.0, -4.0]]]])


class Toy(nn.Module):
    """features = mean over pixels of power(block(image))."""

    def __init__(self, power: int, fails: bool = False) -> None:
        super().__init__()
        self.block = nn.Conv2d(1, 2, 1, bias=False)
        self.block.weight.data = torch.tensor([1.0, -2.0])[:, None, None, None]
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.power, self.fails = power, fails

    def forward(self, images: Tensor) -> Tensor:
        raised = self.block(images) ** self.power
        if self.fails:
            raise RuntimeError("broken on purpose")
        return self.pool(raised).flatten(1)


class Shared(nn.Module):
    """One module that runs twice, and nothing but vectors after it."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(1, 1, 1)
        self.flat = nn.Flatten()

    def forward(self, images: Tensor) -> Tensor:
        return self.flat(self.twice(self.twice(images)))


class Normed(nn.Module):
    """A layer norm of each pixel after the block, channels last as in Swin."""

    feature_info = [{"module": "block"}]  # noqa: RUF012 (as timm has it)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.block = nn.Conv2d(3, 8, 1)
        self.norm = nn.LayerNorm(8, eps=1e-12)

    def forward(self, images: Tensor) -> Tensor:
        return self.norm(self.block(images).movedim(1, -1)).mean((1, 2))


def toy_model(encoder: nn.Module, weight: Tensor, bias: Tensor) -> ZoobotModel:
    channels = next(p.shape[1] for p in encoder.parameters() if p.ndim == 4)
    labels = tuple(f"toy_{answer}" for answer in range(len(weight)))
    return ZoobotModel(encoder, weight, bias, 0.2, labels, "toy", channels, None, "")


def leftovers(encoder: nn.Module) -> list[nn.Module]:
    """Modules on which a hook or a replaced forward survived."""
    return [
        module
        for module in encoder.modules()
        if module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
    ]
