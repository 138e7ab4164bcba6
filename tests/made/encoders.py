"""Small members of the families of networks that people use, whose norms do something."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import timm
import torch
from timm.layers.layer_scale import LayerScale, LayerScale2d
from timm.models.maxxvit import MaxxVit, MaxxVitCfg, MaxxVitTransformerCfg
from timm.models.regnet import RegNet, RegNetCfg
from timm.models.swin_transformer import SwinTransformer
from timm.models.swin_transformer_v2 import SwinTransformerV2
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from zoolens.catalog.saliency.layouts import Layout

FIRST, LAST = Layout(), Layout(channels_last=True)


@dataclass(frozen=True)
class Member:
    """How to build a small encoder, the layer to explain, its layout, and the size of images."""

    build: Callable[[], Any]
    layer: str
    size: int = 64
    layout: Layout = FIRST


def _named(name: str, layer: str, size: int = 64, **settings: Any) -> Member:
    return Member(lambda: timm.create_model(name, num_classes=0, **settings), layer, size)


def _regnet() -> Any:
    return RegNet(RegNetCfg(depth=4, w0=8, wa=12.0, wm=1.5, group_size=8, se_ratio=0.25), 3, 0)


def _maxvit(hidden: int | None) -> Any:
    cfg = MaxxVitCfg(
        embed_dim=(8, 16, 16, 24),
        depths=(1, 1, 1, 1),
        block_type=("M",) * 4,
        stem_width=(8, 8),
        head_hidden_size=hidden,
        transformer_cfg=MaxxVitTransformerCfg(dim_head=8, window_size=(2, 2)),
    )
    return MaxxVit(cfg, img_size=64, num_classes=0)


def _swin(kind: Any, window: int) -> Any:
    return kind(
        img_size=64,
        num_classes=0,
        embed_dim=8,
        depths=(1, 1, 2),
        num_heads=(1, 2, 2),
        window_size=window,
    )


def _vit(**settings: Any) -> Any:
    shape: dict[str, Any] = {
        "img_size": 64,
        "patch_size": 16,
        "embed_dim": 24,
        "depth": 3,
        "num_heads": 3,
    }
    return VisionTransformer(num_classes=0, **shape, **settings)


# Features are a mean over pixels, perhaps with something after it.
POOLED = {
    "resnet": _named("test_resnet", "layer4"),
    "efficientnet": _named("test_efficientnet", "blocks.4"),
    "regnet": Member(_regnet, "s4"),
    "convnext": _named("test_convnext", "stages.3"),
    "convnext, a norm before the mean": _named("test_convnext", "norm_pre", head_norm_first=True),
    "convnext, a layer after the mean": _named("test_convnext2", "stages.3", head_hidden_size=24),
    "maxvit": Member(partial(_maxvit, None), "norm"),
    "maxvit, layers after the mean": Member(partial(_maxvit, 24), "stages.3"),
    "swin": Member(partial(_swin, SwinTransformer, 4), "norm", layout=LAST),
    "swin v2": Member(partial(_swin, SwinTransformerV2, 4), "norm", layout=LAST),
    "vit, mean": Member(partial(_vit, global_pool="avg"), "blocks.2", layout=Layout(3, prefix=1)),
    "vit, mean and registers": Member(
        partial(_vit, global_pool="avg", reg_tokens=3, init_values=0.1),
        "blocks.2",
        layout=Layout(3, prefix=4),
    ),
    "vit, a norm before the mean": Member(
        partial(_vit, global_pool="avg", fc_norm=False, class_token=False), "norm", layout=Layout(3)
    ),
}


# Features are those of a class token.
TOKEN = {
    "vit": Member(_vit, "blocks.2.norm1", layout=Layout(3, prefix=1)),
    "vit, registers and layer scale": Member(
        partial(_vit, reg_tokens=3, init_values=0.1, qkv_bias=False),
        "blocks.2.norm1",
        layout=Layout(3, prefix=4),
    ),
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
        if isinstance(module, nn.Linear):  # else attention is the same everywhere
            module.weight.mul_(5)
        if isinstance(module, LayerScale | LayerScale2d):
            nn.init.uniform_(module.gamma, 0.2, 0.8)
    return encoder
