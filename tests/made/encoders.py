"""Small members of the families of networks that people use, whose norms do something."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import timm
import torch
from timm.layers.layer_scale import LayerScale, LayerScale2d
from timm.models.regnet import RegNet, RegNetCfg
from torch import nn


@dataclass(frozen=True)
class Member:
    """How to build a small encoder, the layer to explain, and the size of its images."""

    build: Callable[[], Any]
    layer: str
    size: int = 64


def _named(name: str, layer: str, size: int = 64, **settings: Any) -> Member:
    return Member(lambda: timm.create_model(name, num_classes=0, **settings), layer, size)


def _regnet() -> Any:
    return RegNet(RegNetCfg(depth=4, w0=8, wa=12.0, wm=1.5, group_size=8, se_ratio=0.25), 3, 0)


# Features are a mean over pixels, perhaps with something after it.
POOLED = {
    "resnet": _named("test_resnet", "layer4"),
    "efficientnet": _named("test_efficientnet", "blocks.4"),
    "regnet": Member(_regnet, "s4"),
    "convnext": _named("test_convnext", "stages.3"),
    "convnext, a norm before the mean": _named("test_convnext", "norm_pre", head_norm_first=True),
    "convnext, a layer after the mean": _named("test_convnext2", "stages.3", head_hidden_size=24),
}


def small_encoder(member: Member) -> Any:
    """A random encoder in float64 and eval mode."""
    torch.manual_seed(0)
    encoder = member.build().double().eval().requires_grad_(False)
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            assert module.running_var is not None
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
        if isinstance(module, nn.BatchNorm2d | nn.LayerNorm) and module.weight is not None:
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
        if isinstance(module, LayerScale | LayerScale2d):
            nn.init.uniform_(module.gamma, 0.2, 0.8)
    return encoder
