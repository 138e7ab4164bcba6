"""Encoders whose last block has a HiResCAM in closed form.

What a pixel contributes to each pooled feature, G (see `catalog.saliency.explainer`), follows
from the block's activation alone if only a 1x1 convolution, a batch norm, an activation and a
mean over the pixels come after it (EfficientNet), or only the mean (ResNet). No encoder is
replayed and no hook is set, so several threads may use the functions here.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from zoolens.catalog.runtime.imports import without

with without("wandb"):
    from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
    from timm.layers.norm_act import BatchNormAct2d
    from timm.models.efficientnet import EfficientNet
    from timm.models.resnet import ResNet

# The activation (N, C, h, w) of the last block to G (N, D, h, w).
ClosedForm = Callable[[Tensor], Tensor]


def closed_form(encoder: nn.Module, layer: str, method: str) -> ClosedForm | None:
    """G of an encoder at a layer by "hirescam" or "gradcam"; None if it has none."""
    pool = getattr(encoder, "global_pool", None)
    if not isinstance(pool, SelectAdaptivePool2d) or pool.pool_type != "avg":
        return None
    if isinstance(encoder, ResNet) and layer == "layer4" and isinstance(encoder.fc, nn.Identity):
        return lambda activation: _averaged(activation, torch.ones_like(activation), method)
    if (
        isinstance(encoder, EfficientNet)
        and layer == f"blocks.{len(encoder.blocks) - 1}"
        and isinstance(encoder.classifier, nn.Identity)
        and isinstance(encoder.conv_head, nn.Conv2d)
        and encoder.conv_head.kernel_size == (1, 1)
        and isinstance(encoder.bn2, BatchNormAct2d)
    ):
        return _after_a_convolution(encoder.conv_head, encoder.bn2, method)
    return None


class Watched(nn.Module):
    """An encoder with a closed form that also puts out its last block's activation.

    Images to (N, D + C h w), features first.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder: Any = encoder  # EfficientNet or ResNet

    def forward(self, images: Tensor) -> Tensor:
        encoder = self.encoder
        if isinstance(encoder, EfficientNet):
            activation = encoder.blocks(encoder.bn1(encoder.conv_stem(images)))
            last = encoder.bn2(encoder.conv_head(activation))
        else:
            activation = last = encoder.forward_features(images)
        return torch.cat([encoder.forward_head(last), activation.flatten(1)], dim=1)


def _after_a_convolution(convolution: nn.Conv2d, norm: nn.Module, method: str) -> ClosedForm:
    """G_d(y, x) = u_d(y, x) z_d(y, x) / (h w).

    z = H a is the convolution without bias, u_d(y, x) the slope of batch norm and
    activation together, which act on each number separately.
    """

    def form(activation: Tensor) -> Tensor:
        with torch.no_grad():
            raised = convolution(activation)
            z = raised if convolution.bias is None else raised - convolution.bias[:, None, None]
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(norm(raised.requires_grad_()).sum(), raised)
        return _averaged(z.detach(), slope, method)

    return form


def _averaged(z: Tensor, slope: Tensor, method: str) -> Tensor:
    """G if only a mean over the pixels follows: z times the slope, over h w."""
    if method == "gradcam":
        slope = slope.mean((2, 3), keepdim=True)
    return slope * z / (z.shape[2] * z.shape[3])
