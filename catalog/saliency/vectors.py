"""Functions of a vector with their derivative along many directions, in closed form.

Nothing is hooked or replayed, and torch's forward mode, whose state all threads share, is not used.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoolens.catalog.runtime.imports import without

with without("wandb"):
    from timm.layers import activations
    from timm.layers.drop import DropPath
    from timm.layers.layer_scale import LayerScale

# Each acts on every number by itself.
_ACTIVATIONS = (
    nn.ReLU,
    nn.SiLU,
    nn.GELU,
    nn.Tanh,
    activations.GELU,
    activations.GELUTanh,
    activations.QuickGELU,
    activations.Swish,
    activations.Tanh,
)
_NOTHING = (nn.Identity, nn.Dropout, nn.Flatten, DropPath)


def known_steps(*modules: nn.Module) -> tuple[nn.Module, ...] | None:
    """Modules, less those that leave a vector as it is; None if one has no derivative here."""
    steps = tuple(module for module in modules if not isinstance(module, _NOTHING))
    known = (nn.LayerNorm, nn.Linear, LayerScale, *_ACTIVATIONS)
    return steps if all(isinstance(step, known) for step in steps) else None


def acts_on_each_number(module: nn.Module) -> bool:
    """Whether a module is known to act on every number by itself."""
    return isinstance(module, (nn.Identity, *_ACTIVATIONS))


def through(steps: Sequence[nn.Module], vectors: Tensor) -> Tensor:
    """Vectors (N, P) after the steps, (N, D); what acts on each number takes any shape."""
    for step in steps:
        if isinstance(step, nn.LayerNorm):
            vectors = _layer_norm(step, vectors)
        else:
            vectors = step(vectors.clone())  # it may work in place
    return vectors


def push(steps: Sequence[nn.Module], vectors: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors after the steps, and their derivative along each of M directions.

    vectors: (N, P); directions: (N, P, M). Returns (N, D) and (N, D, M).
    """
    for step in steps:
        after = through([step], vectors)
        if isinstance(step, nn.LayerNorm):
            directions = _along_layer_norm(step, vectors, directions)
        elif isinstance(step, nn.Linear):
            directions = step.weight @ directions
        elif isinstance(step, LayerScale):
            directions = step.gamma[:, None] * directions
        else:
            directions = slope(step, vectors)[..., None] * directions
        vectors = after
    return vectors, directions


def slope(function: nn.Module, values: Tensor) -> Tensor:
    """Derivative of a function that acts on each number separately."""
    with torch.enable_grad():
        given = values.detach().requires_grad_()
        (found,) = torch.autograd.grad(function(given.clone()).sum(), given)
    return found


def _layer_norm(norm: nn.LayerNorm, vectors: Tensor) -> Tensor:
    """Of vectors (N, P), also where the module expects maps of one pixel."""
    return nn.functional.layer_norm(
        vectors, norm.normalized_shape, norm.weight, norm.bias, norm.eps
    )


def _along_layer_norm(norm: nn.LayerNorm, vectors: Tensor, directions: Tensor) -> Tensor:
    """Directions after it: g (d - mean(d) - n mean(n d)) / sd.

    n is the normed vector before the weight g and bias. Means are over the P channels,
    and sd^2 is their variance plus eps.
    """
    variance, mean = torch.var_mean(vectors, dim=1, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + norm.eps)  # (N, 1)
    normed = ((vectors - mean) * scale)[..., None]  # (N, P, 1)
    across = directions.mean(1, keepdim=True)
    along = (normed * directions).mean(1, keepdim=True)
    moved = scale[..., None] * (directions - across - normed * along)
    return moved if norm.weight is None else norm.weight[:, None] * moved
