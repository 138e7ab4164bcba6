"""Which pixels drive each answer: HiResCAM and GradCAM for all answers at once.

Method: HiResCAM (Draelos & Carin 2021), as the paper uses it (2.3 and appendix D):
M_k(y, x) = sum_c a_c(y, x) d alpha_k / d a_c(y, x), a the last encoder block's
activation, alpha_k the Dirichlet concentration of answer k. Kept signed, unclipped and
at the layer's own resolution: the positive part is the paper's "increase" map, the
negative part its "decrease" map.

With alpha = 1 + 100 sigmoid(z) and z_tk = sum_d W_kd m_td f_d + b_k (f the D pooled
features, m the dropout masks) the activation acts through f alone, so

    M_tk(y, x) = alpha'_tk sum_d W_kd m_td G_d(y, x)
    G_d(y, x)  = sum_c a_c(y, x) d f_d / d a_c(y, x)

and G, which depends neither on the answer nor on the dropout sample, is all that has
to be differentiated: once an image, for A answers and T samples. Each pixel of G is
the derivative of the part after the layer along the activation restricted to that
pixel, one forward-mode product; for EfficientNet it has a closed form.
"""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from catalog.errors import ModelRefused, UnknownName
from catalog.inference import AT_ONCE
from catalog.model import ZoobotModel
from catalog.tails import Cut, Split, last_block

METHODS = ("hirescam", "gradcam")

# numbers in a chunk of directions pushed through the tail together: what the caches like
_CHUNK = 2**21


@dataclass(frozen=True)
class Saliency:
    """Maps of a batch, in units of concentration; positive pixels increase it.

    mean, sd: (N, A, h, w) float32, over the T dropout samples (sd with ddof 0: the T
    masks are the whole of what was asked, and one sample has sd 0). NaN for the
    answers that the model does not have.
    """

    mean: Tensor
    sd: Tensor


class Explainer:
    """Makes the maps of a model: call it with images (N, channels, size, size).

    masks: (T, D) as `dropout_masks` gives them. layer: dotted module name, by default
    the last encoder block. method: "hirescam"; or "gradcam" (Selvaraju et al. 2017),
    which averages each channel's gradient over the pixels first, here without its
    usual clipping at 0. The model's weights are laid out channels last in memory.
    Raises `UnknownName` for a layer or method that does not exist, `ModelRefused` for a
    layer without a feature map.
    """

    def __init__(
        self,
        model: ZoobotModel,
        masks: Tensor,
        *,
        size: int = 224,
        layer: str | None = None,
        method: str = "hirescam",
    ) -> None:
        if method not in METHODS:
            raise UnknownName(f"no saliency method {method!r}; choose {' or '.join(METHODS)}")
        example = torch.rand(
            1, model.channels, size, size, generator=torch.Generator().manual_seed(0)
        )
        model.encoder.to(memory_format=torch.channels_last)  # half as long again without
        with torch.no_grad():
            self.layer = last_block(model.encoder, example) if layer is None else layer
            self._cut = Cut(model.encoder, self.layer, example)
            if method == "hirescam" and self._cut.vanishes(example):
                raise ModelRefused(
                    f"every HiResCAM map at {layer} is zero, as before a layer norm of each pixel; "
                    f"choose another layer, such as {last_block(model.encoder, example)}"
                )
        self.method = method
        self.masks = masks
        self._bias = model.bias
        self._sampled_weight = masks[:, None, :] * model.weight  # (T, A, D)
        self._precise_weight = self._sampled_weight.double()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Saliency:
        parts = [self._explain(part) for part in images.split(AT_ONCE)]
        return Saliency(*(torch.cat([getattr(p, name) for p in parts]) for name in ("mean", "sd")))

    def _explain(self, images: Tensor) -> Saliency:
        split = self._cut.split(images)
        pixels = contributions(self._cut, split, self.method)
        means, sds = [], []
        for features, image_pixels in zip(split.features, pixels, strict=True):
            maps = self._slopes(features)[..., None, None] * self._logit_maps(image_pixels)
            sd, mean = torch.std_mean(maps, dim=0, correction=0)
            means.append(mean)
            sds.append(sd)
        return Saliency(torch.stack(means), torch.stack(sds))

    @torch.no_grad()
    def logit_maps(self, images: Tensor) -> Tensor:
        """The same maps of the logits z_tk, (N, T, A, h, w), before the sigmoid.

        At the pooled feature layer a map sums to its logit less the bias.
        """
        split = self._cut.split(images)
        pixels = contributions(self._cut, split, self.method)
        return torch.stack([self._logit_maps(image_pixels) for image_pixels in pixels])

    def _logit_maps(self, pixels: Tensor) -> Tensor:
        depth, height, width = pixels.shape  # D, h, w
        maps = self._sampled_weight @ pixels.reshape(depth, height * width)
        return maps.unflatten(-1, (height, width))  # (T, A, h, w)

    def _slopes(self, features: Tensor) -> Tensor:
        """Slopes d alpha / d z of one galaxy, (T, A); features: (D,).

        In float64, and from the logits instead of the concentrations: a slope is as
        wrong, relatively, as its logit is absolutely, and float32 keeps the digits of
        neither 1 + 100 s at small s nor 1 - s at large s.
        """
        logits = self._precise_weight @ features.double() + self._bias
        return (100 * torch.sigmoid(logits) * torch.sigmoid(-logits)).float()


def contributions(cut: Cut, split: Split, method: str) -> Tensor:
    """G_d(y, x), what each pixel gives to each pooled feature: (N, D, h, w).

    HiResCAM: sum_c a_c(y, x) d f_d / d a_c(y, x). GradCAM: the gradient is replaced by
    its mean over the pixels.
    """
    with warnings.catch_warnings():
        # torch's own rules for forward mode use what torch has come to deprecate
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated")
        closed = _closed_form(cut, split.activation, method)
        return _forward_mode(split, method) if closed is None else closed


def _forward_mode(split: Split, method: str) -> Tensor:
    activation = split.activation
    count, _, height, width = activation.shape  # N, C, h, w

    def push(pixel: Tensor) -> Tensor:
        direction = activation * pixel
        if method == "gradcam":
            direction = direction.sum((2, 3), keepdim=True) / (height * width)
            direction = direction.expand_as(activation)
        return jvp(split.tail, (activation,), (direction,))[1]  # (N, D)

    each = torch.eye(height * width).reshape(-1, 1, 1, height, width)
    # the fused attention kernels have no forward-mode derivative
    with sdpa_kernel(SDPBackend.MATH):
        pushed = vmap(push, chunk_size=max(1, _CHUNK // activation.numel()))(each)
    return pushed.permute(1, 2, 0).reshape(count, -1, height, width)


def _closed_form(cut: Cut, activation: Tensor, method: str) -> Tensor | None:
    """G where a 1x1 convolution, batch norm, activation and mean pool follow the layer.

    That is EfficientNet's last block; None elsewhere. With z = H a the convolution
    without bias and u_d(y, x) the slope of batch norm and activation together, which
    work on each number alone, G_d(y, x) = u_d(y, x) z_d(y, x) / (h w).
    """
    encoder = cut.encoder
    convolution = getattr(encoder, "conv_head", None)
    if not isinstance(convolution, nn.Conv2d) or convolution.kernel_size != (1, 1):
        return None
    from timm.layers.adaptive_avgmax_pool import SelectAdaptivePool2d
    from timm.layers.norm_act import BatchNormAct2d
    from timm.models.efficientnet import EfficientNet

    if not isinstance(encoder, EfficientNet) or cut.layer != f"blocks.{len(encoder.blocks) - 1}":
        return None
    norm, pool = encoder.bn2, encoder.global_pool
    if not (
        isinstance(norm, BatchNormAct2d)
        and isinstance(pool, SelectAdaptivePool2d)
        and pool.pool_type == "avg"
    ):
        return None
    raised = convolution(activation)
    z = raised if convolution.bias is None else raised - convolution.bias[:, None, None]
    slope = jvp(norm, (raised,), (torch.ones_like(raised),))[1]
    if method == "gradcam":
        slope = slope.mean((2, 3), keepdim=True)
    return slope * z / (z.shape[2] * z.shape[3])
