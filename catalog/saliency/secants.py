"""Derivatives of a network between two images: what each step changes, over what was changed.

DeepLIFT's Rescale rule (Shrikumar et al. 2017, arXiv:1704.02685): where a step is not linear, the
slope at the image is replaced by the secant from the baseline to the image, so that multiplied
with the difference of its inputs it gives the difference of its outputs exactly. Then so does
the whole network, whatever its depth:

    f(x) - f(x0) = sum_i m_i (x_i - x0_i),    m by the chain rule through the secants.

Linear steps (convolutions, batch norms, means, sums) keep their derivative. Steps of several inputs
have rules that add up as well: a product a b, as with squeeze-and-excite's gates, changes by
mean(b) da + mean(a) db, means over both images; a layer norm is a product, of the centred input
and of its inverse deviation. Any other step, as attention's softmax, is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from zoolens.catalog.errors import ModelRefused

# Steps by torch's names for them. Linear: in the activations, given the weights.
_LINEAR = frozenset(
    "conv2d linear batch_norm avg_pool2d adaptive_avg_pool2d mean sum flatten unflatten view "  # noqa: SIM905 (words)
    "reshape permute transpose movedim contiguous add add_ __add__ __iadd__ __radd__ sub sub_ "
    "__sub__ cat pad clone dropout dropout_ expand unsqueeze squeeze chunk split unbind roll "
    "__getitem__ __get__ to detach".split()
)
_ELEMENTWISE = frozenset(
    "relu silu gelu sigmoid hardsigmoid hardswish hardtanh relu6 leaky_relu elu mish tanh "  # noqa: SIM905 (words)
    "softplus".split()
)
_PRODUCTS = frozenset(("mul", "mul_", "__mul__", "__imul__", "__rmul__"))

# Relative: where inputs differ less, the slope at their middle is taken, as the quotient of their
# differences would be mostly rounding.
_NEAR = 1e-3

Step = Callable[..., Tensor]
# A step, its inputs, and those of the baseline: the output, with the derivative of a secant.
Rule = Callable[[Step, Sequence[Tensor], Sequence[Tensor]], Tensor]


class _Steps(TorchFunctionMode):
    """Meets the steps of a network that depend on a tensor that requires a gradient.

    Raises `ModelRefused` for one that is neither linear nor has a rule.
    """

    def meet(self, rule: Rule, step: Step, inputs: Sequence[Tensor]) -> Tensor:
        """The output of a step that is not linear."""
        raise NotImplementedError

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs, name = dict(kwargs or {}), str(getattr(func, "__name__", func))
        inputs = [one for one in args[:2] if isinstance(one, Tensor)]
        if name in _LINEAR or not any(one.requires_grad for one in inputs):
            return func(*args, **kwargs)
        if name in _PRODUCTS:
            # of a number and an activation: linear
            return self.meet(_product, torch.mul, inputs) if len(inputs) == 2 else torch.mul(*args)
        plain = name.rstrip("_")
        if plain in _ELEMENTWISE:
            kwargs.pop("inplace", None)  # what stands before would be lost
            step = getattr(functional, plain, None) or getattr(torch, plain)
            return self.meet(_elementwise, lambda x: step(x, *args[1:], **kwargs), inputs[:1])
        if name == "layer_norm":
            shape, weight, bias, eps = _norm(*args[1:], **kwargs)
            rule = partial(_layer_norm, over=len(shape), weight=weight, eps=eps)
            step = partial(functional.layer_norm, normalized_shape=shape, weight=weight, bias=bias)
            return self.meet(rule, partial(step, eps=eps), inputs[:1])
        output = func(*args, **kwargs)
        if isinstance(output, Tensor) and output.requires_grad:
            raise ModelRefused(f"it has the step {name}, which has no secant")
        return output


class Recorded(_Steps):
    """Keeps the inputs of steps that are not linear, in the order in which they are taken."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[list[Tensor]] = []

    def meet(self, rule: Rule, step: Step, inputs: Sequence[Tensor]) -> Tensor:
        self.inputs.append([one.detach().clone() for one in inputs])
        return step(*inputs)


class Secants(_Steps):
    """Lets autograd go through the secants from a baseline; values stay the network's own.

    recorded: of the same part of the same network, for as many images or for one.
    """

    def __init__(self, recorded: Recorded) -> None:
        super().__init__()
        self._baseline = iter(recorded.inputs)

    def meet(self, rule: Rule, step: Step, inputs: Sequence[Tensor]) -> Tensor:
        return rule(step, inputs, next(self._baseline))


def _elementwise(step: Step, inputs: Sequence[Tensor], baseline: Sequence[Tensor]) -> Tensor:
    (x,), (x0,) = inputs, baseline
    with torch.no_grad():
        y, change = step(x), x - x0
        near = change.abs() <= _NEAR * torch.maximum(x.abs(), x0.abs())
        secant = (y - step(x0)) / torch.where(near, 1.0, change)
        middle = (x + x0) / 2
    with torch.enable_grad():  # of all, as a GPU would wait to be asked which are near
        (tangent,) = torch.autograd.grad(step(middle.requires_grad_()).sum(), middle)
    return y + torch.where(near, tangent, secant) * (x - x.detach())


def _product(step: Step, inputs: Sequence[Tensor], baseline: Sequence[Tensor]) -> Tensor:
    (a, b), (a0, b0) = inputs, baseline
    with torch.no_grad():
        value, mean_a, mean_b = step(a, b), (a + a0) / 2, (b + b0) / 2
    return value + mean_b * (a - a.detach()) + mean_a * (b - b.detach())


def _layer_norm(
    step: Step,
    inputs: Sequence[Tensor],
    baseline: Sequence[Tensor],
    *,
    over: int,
    weight: Tensor | None,
    eps: float,
) -> Tensor:
    """The norm is weight c r + bias: c = x - mean(x), r = (mean(c^2) + eps)^(-1/2)."""
    (x,), (x0,) = inputs, baseline
    axes = tuple(range(-over, 0))
    with torch.no_grad():
        value = step(x)
        c, c0 = (one - one.mean(axes, keepdim=True) for one in (x, x0))
        r, r0 = (((one * one).mean(axes, keepdim=True) + eps).rsqrt() for one in (c, c0))
        slope = -((r * r0) ** 2) / (r + r0)  # of r with mean(c^2); no quotient of differences
    moved = x - x.detach()
    moved = moved - moved.mean(axes, keepdim=True)
    moved_r = slope * ((c + c0) * moved).mean(axes, keepdim=True)
    moved = (r + r0) / 2 * moved + (c + c0) / 2 * moved_r
    return value + (moved if weight is None else weight * moved)


def _norm(
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> tuple[list[int], Tensor | None, Tensor | None, float]:
    """The arguments of torch's layer norm, however they were given."""
    return list(normalized_shape), weight, bias, eps
