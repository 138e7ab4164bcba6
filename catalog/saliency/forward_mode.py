"""What each pixel contributes to each feature, for any network: by torch's forward mode.

As `catalog.saliency.explainer` defines it. Where features are a mean over pixels, closed forms give
the same sooner (`catalog.saliency.tails`).
"""

import warnings
from threading import Lock

import torch
from torch import Tensor
from torch.func import jvp, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from zoolens.catalog.saliency.cut import Split

# numbers in the directions that go through the tail together, few enough for the caches
_CHUNK = 2**21
# Torch's forward mode has one level for all threads of a process: where one thread leaves it, the
# tangents of another are lost, with an error or without.
_TURN = Lock()


def contributions(split: Split, method: str) -> Tensor:
    """G_d(y, x), what each pixel contributes to each pooled feature: (N, D, h, w).

    HiResCAM: sum_c a_c(y, x) d f_d / d a_c(y, x). GradCAM: the gradient is replaced by
    its mean over the pixels. One forward-mode product per pixel; threads take turns.
    """
    activation = split.activation
    count, _, height, width = activation.shape  # N, C, h, w

    def push(pixel: Tensor) -> Tensor:
        direction = activation * pixel
        if method == "gradcam":
            direction = direction.sum((2, 3), keepdim=True) / (height * width)
            direction = direction.expand_as(activation)
        return jvp(split.tail, (activation,), (direction,))[1]  # (N, D)

    each = torch.eye(height * width).reshape(-1, 1, 1, height, width)
    with _TURN, warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        # torch's rules for forward mode use functions that torch itself deprecates, and its
        # fused attention kernels have no such rule
        warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated")
        pushed = vmap(push, chunk_size=max(1, _CHUNK // activation.numel()))(each)
    return pushed.permute(1, 2, 0).reshape(count, -1, height, width)
