"""Encoders whose features are a mean over pixels of their last blocks' output.

Most of those that Zoobot offers: what follows the explained layer is a 1x1 convolution with batch
norm and activation, or nothing; a mean over the pixels; and perhaps a layer norm and small layers
of the mean. So what a pixel contributes follows from the layer's output alone. No encoder is
replayed and no hook is set: several threads may use the functions here, on any device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoolens.catalog.runtime.imports import without
from zoolens.catalog.saliency.layouts import Layout
from zoolens.catalog.saliency.vectors import acts_on_each_number, known_steps, push, slope, through

with without("wandb"):
    from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
    from timm.layers.classifier import ClassifierHead, NormMlpClassifierHead
    from timm.layers.norm_act import BatchNormAct2d
    from timm.models.convnext import ConvNeXt
    from timm.models.efficientnet import EfficientNet
    from timm.models.maxxvit import MaxxVit
    from timm.models.regnet import RegNet
    from timm.models.resnet import ResNet
    from timm.models.swin_transformer import SwinTransformer
    from timm.models.swin_transformer_v2 import SwinTransformerV2
    from timm.models.vision_transformer import VisionTransformer


@dataclass(frozen=True)
class PooledTail:
    """What follows the explained layer where features are a mean over pixels.

    features = after(per_pixel(raised).mean((2, 3))). before: images (N, channels, H, W) to
    raised (N, P, h, w), the activation of the layer, or what a 1x1 convolution and a norm make of
    it. offset: (P,), what they make of nothing. pointwise: what acts on each number of
    it. steps: what follows the mean.
    """

    before: Callable[[Tensor], Tensor]
    offset: Tensor | None = None
    pointwise: nn.Module | None = None
    steps: tuple[nn.Module, ...] = ()

    def per_pixel(self, raised: Tensor) -> Tensor:
        """What is averaged over the pixels, v: (N, P, h, w)."""
        return raised if self.pointwise is None else through([self.pointwise], raised)

    def after(self, pooled: Tensor) -> Tensor:
        """Features (N, D) of a mean over pixels (N, P)."""
        return through(self.steps, pooled)

    def features(self, raised: Tensor) -> Tensor:
        """Of images, (N, D), from what is raised of them."""
        return self.after(self.per_pixel(raised).mean((2, 3)))

    def push(self, pooled: Tensor, directions: Tensor) -> Tensor:
        """How features change along directions (N, P, h, w) of the mean (N, P): (N, D, h, w)."""
        if not self.steps:
            return directions
        _, pushed = push(self.steps, pooled, directions.flatten(2))
        return pushed.unflatten(2, directions.shape[2:])

    def contributions(self, raised: Tensor, method: str) -> Tensor:
        """G (N, D, h, w), what each pixel contributes to each feature by "hirescam" or "gradcam".

        To the mean it is z_p(y, x) u_p(y, x) / (h w): z the raised activation less the offset, u
        the slope of what acts on each number, which "gradcam" averages over the pixels. What
        follows the mean changes in proportion to such small changes of it.
        """
        z = raised if self.offset is None else raised - self.offset[:, None, None]
        if self.pointwise is not None:
            slopes = slope(self.pointwise, raised)
            z = slopes.mean((2, 3), keepdim=True) * z if method == "gradcam" else slopes * z
        moved = z / (raised.shape[2] * raised.shape[3])
        return self.push(self.per_pixel(raised).mean((2, 3)), moved) if self.steps else moved


def pooled_tail(encoder: nn.Module, layer: str) -> PooledTail | None:
    """What follows the layer of a dotted name; None unless it is known to be a `PooledTail`."""
    for kind, tail in _FAMILIES.items():
        if isinstance(encoder, kind):
            return tail(encoder, layer)
    return None


def _resnet(encoder: Any, layer: str) -> PooledTail | None:
    if layer != "layer4" or not _is_mean(encoder.global_pool) or not _is_absent(encoder.fc):
        return None
    return PooledTail(encoder.forward_features)


def _efficientnet(encoder: Any, layer: str) -> PooledTail | None:
    convolution, norm = encoder.conv_head, encoder.bn2
    if (
        layer != f"blocks.{len(encoder.blocks) - 1}"
        or not _is_mean(encoder.global_pool)
        or not _is_absent(encoder.classifier)
        or not isinstance(convolution, nn.Conv2d)
        or convolution.kernel_size != (1, 1)
        or not (acts_on_each_number(norm) or _is_batch_norm(norm))
    ):
        return None
    if not isinstance(norm, BatchNormAct2d):  # folded into the convolution
        return PooledTail(partial(_raised_by_efficientnet, encoder), convolution.bias, norm)
    nothing = torch.zeros_like(norm.bias) if convolution.bias is None else convolution.bias
    offset = _normed(norm, nothing[None])[0]
    return PooledTail(partial(_raised_by_efficientnet, encoder), offset, norm.act)


def _raised_by_efficientnet(encoder: Any, images: Tensor) -> Any:
    raised = encoder.conv_head(encoder.blocks(encoder.bn1(encoder.conv_stem(images))))
    return _normed(encoder.bn2, raised) if isinstance(encoder.bn2, BatchNormAct2d) else raised


def _normed(norm: Any, values: Tensor) -> Tensor:
    """By a batch norm, without its activation."""
    given = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    return nn.functional.batch_norm(values, *given, eps=norm.eps)


def _convnext(encoder: Any, layer: str) -> PooledTail | None:
    last = f"stages.{len(encoder.stages) - 1}"
    if not _is_last(layer, [(last, encoder.stages), ("norm_pre", encoder.norm_pre)]):
        return None
    return _headed(encoder.forward_features, encoder.head)


def _regnet(encoder: Any, layer: str) -> PooledTail | None:
    if not _is_last(layer, [("s4", encoder.s4), ("final_conv", encoder.final_conv)]):
        return None
    return _headed(encoder.forward_features, encoder.head)


def _maxvit(encoder: Any, layer: str) -> PooledTail | None:
    last = f"stages.{len(encoder.stages) - 1}"
    if not _is_last(layer, [(last, encoder.stages), ("norm", encoder.norm)]):
        return None
    return _headed(encoder.forward_features, encoder.head)


def _swin(encoder: Any, layer: str) -> PooledTail | None:
    if layer != "norm":
        return None
    return _headed(partial(_map_of_swin, encoder), encoder.head)


def _map_of_swin(encoder: Any, images: Tensor) -> Tensor:
    return Layout(channels_last=True).to_map(encoder.forward_features(images))


def _vision_transformer(encoder: Any, layer: str) -> PooledTail | None:
    if (
        not _is_last(
            layer, [(f"blocks.{len(encoder.blocks) - 1}", encoder.blocks), ("norm", encoder.norm)]
        )
        or encoder.global_pool != "avg"
        or encoder.pool_include_prefix
        or not _is_absent(encoder.head)
        or type(encoder) is not VisionTransformer  # others pool in their own ways
    ):
        return None
    steps = known_steps(encoder.fc_norm)
    return None if steps is None else PooledTail(partial(_map_of_tokens, encoder), steps=steps)


def _map_of_tokens(encoder: Any, images: Tensor) -> Tensor:
    layout = Layout(dimensions=3, prefix=encoder.num_prefix_tokens)
    return layout.to_map(encoder.forward_features(images))


_FAMILIES: dict[type[nn.Module], Callable[[Any, str], PooledTail | None]] = {
    ResNet: _resnet,
    EfficientNet: _efficientnet,
    ConvNeXt: _convnext,
    RegNet: _regnet,
    MaxxVit: _maxvit,
    SwinTransformer: _swin,
    SwinTransformerV2: _swin,
    VisionTransformer: _vision_transformer,
}


def _headed(before: Callable[[Tensor], Tensor], head: nn.Module) -> PooledTail | None:
    """With one of timm's heads after the layer."""
    if not isinstance(head, ClassifierHead | NormMlpClassifierHead):
        return None
    if not _is_mean(head.global_pool) or not _is_absent(head.fc):
        return None
    if isinstance(head, ClassifierHead):
        return PooledTail(before)
    steps = known_steps(head.norm, *_parts(head.pre_logits))
    return None if steps is None else PooledTail(before, steps=steps)


def _is_last(layer: str, named: Sequence[tuple[str, nn.Module]]) -> bool:
    """Whether a layer is one of the named, and those after it do nothing."""
    names = [name for name, _ in named]
    return layer in names and all(_is_absent(m) for _, m in named[names.index(layer) + 1 :])


def _is_mean(pool: nn.Module) -> bool:
    return isinstance(pool, SelectAdaptivePool2d) and pool.pool_type == "avg"


def _is_absent(module: nn.Module) -> bool:
    return isinstance(module, nn.Identity)


def _is_batch_norm(norm: nn.Module) -> bool:
    return isinstance(norm, BatchNormAct2d) and acts_on_each_number(norm.act)


def _parts(module: nn.Module) -> Sequence[nn.Module]:
    return tuple(module) if isinstance(module, nn.Sequential) else (module,)
