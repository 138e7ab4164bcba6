"""Encoders whose features are a mean over pixels of their last blocks' output.

Most of those that Zoobot offers: what follows the explained layer is a 1x1 convolution with batch
norm and activation, or nothing; a mean over the pixels; and perhaps a layer norm and small layers
of the mean. So what a pixel contributes follows from the layer's output alone. No encoder is
replayed and no hook is set: several threads may use the functions here, on any device.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

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

    features = after(per_pixel(activation).mean((2, 3))). before: images (N, channels, H, W) to the
    layer's activation (N, C, h, w). convolution: 1x1, if there is one; pointwise: what acts on
    each number after it; steps: what follows the mean.
    """

    before: Callable[[Tensor], Tensor]
    convolution: nn.Conv2d | None = None
    pointwise: nn.Module = field(default_factory=nn.Identity)
    steps: tuple[nn.Module, ...] = ()

    def per_pixel(self, activation: Tensor) -> Tensor:
        """What is averaged over the pixels: (N, C, h, w) -> (N, P, h, w)."""
        if self.convolution is None:
            return activation
        raised: Tensor = self.pointwise(self.convolution(activation))
        return raised

    def after(self, pooled: Tensor) -> Tensor:
        """Features (N, D) of a mean over pixels (N, P)."""
        return through(self.steps, pooled)

    def push(self, pooled: Tensor, directions: Tensor) -> Tensor:
        """How features change along directions (N, P, h, w) of the mean (N, P): (N, D, h, w)."""
        if not self.steps:
            return directions
        _, pushed = push(self.steps, pooled, directions.flatten(2))
        return pushed.unflatten(2, directions.shape[2:])

    def contributions(self, activation: Tensor, method: str) -> Tensor:
        """G (N, D, h, w), what each pixel contributes to each feature by "hirescam" or "gradcam".

        Of the mean it is z_d(y, x) u_d(y, x) / (h w): z the convolution without bias, or the
        activation, u the slope of what acts on each number after it, which "gradcam" averages
        over the pixels. What follows the mean is linear in such small changes of it.
        """
        height, width = activation.shape[2:]
        if self.convolution is None:
            moved = activation / (height * width)
            return self.push(activation.mean((2, 3)), moved) if self.steps else moved
        raised = self.convolution(activation)
        bias = self.convolution.bias
        z = raised if bias is None else raised - bias[:, None, None]
        slopes = slope(self.pointwise, raised)
        if method == "gradcam":
            slopes = slopes.mean((2, 3), keepdim=True)
        moved = slopes * z / (height * width)
        return self.push(self.pointwise(raised).mean((2, 3)), moved) if self.steps else moved


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
        or not (isinstance(norm, BatchNormAct2d) or acts_on_each_number(norm))  # if folded
    ):
        return None
    return PooledTail(partial(_trunk_of_efficientnet, encoder), convolution, norm)


def _trunk_of_efficientnet(encoder: Any, images: Tensor) -> Any:
    return encoder.blocks(encoder.bn1(encoder.conv_stem(images)))


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


def _parts(module: nn.Module) -> Sequence[nn.Module]:
    return tuple(module) if isinstance(module, nn.Sequential) else (module,)
