"""Encoders whose last block has its HiResCAM in closed form, without any derivative.

What a pixel gives to each pooled feature, G (see `catalog.saliency`), follows from the
block's activation alone where nothing but a 1x1 convolution, a batch norm, an activation
and a mean over the pixels come after it (EfficientNet), or the mean alone (ResNet).
"""

import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import jvp

# The activation (N, C, h, w) of the last block to G (N, D, h, w).
ClosedForm = Callable[[Tensor], Tensor]


def closed_form(encoder: nn.Module, layer: str, method: str) -> ClosedForm | None:
    """G of an encoder at a layer by "hirescam" or "gradcam"; None where it has no such form."""
    from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
    from timm.layers.norm_act import BatchNormAct2d
    from timm.models.efficientnet import EfficientNet
    from timm.models.resnet import ResNet

    pool = getattr(encoder, "global_pool", None)
    if not isinstance(pool, SelectAdaptivePool2d) or pool.pool_type != "avg":
        return None
    if isinstance(encoder, ResNet) and layer == "layer4" and isinstance(encoder.fc, nn.Identity):
        return lambda activation: _averaged(activation, torch.ones_like(activation), method)
    if not isinstance(encoder, EfficientNet) or layer != f"blocks.{len(encoder.blocks) - 1}":
        return None
    convolution, norm = encoder.conv_head, encoder.bn2
    if not isinstance(convolution, nn.Conv2d) or convolution.kernel_size != (1, 1):
        return None
    return (
        _after_a_convolution(convolution, norm, method)
        if isinstance(norm, BatchNormAct2d)
        else None
    )


def _after_a_convolution(convolution: nn.Conv2d, norm: nn.Module, method: str) -> ClosedForm:
    """G_d(y, x) = u_d(y, x) z_d(y, x) / (h w).

    z = H a is the convolution without bias, u_d(y, x) the slope of batch norm and
    activation together, which work on each number alone.
    """

    def form(activation: Tensor) -> Tensor:
        raised = convolution(activation)
        z = raised if convolution.bias is None else raised - convolution.bias[:, None, None]
        with warnings.catch_warnings():
            # torch's own rules for forward mode use what torch has come to deprecate
            warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated")
            slope = jvp(norm, (raised,), (torch.ones_like(raised),))[1]
        return _averaged(z, slope, method)

    return form


def _averaged(z: Tensor, slope: Tensor, method: str) -> Tensor:
    """What is left when all that follows is a mean over the pixels."""
    if method == "gradcam":
        slope = slope.mean((2, 3), keepdim=True)
    return slope * z / (z.shape[2] * z.shape[3])
