"""An encoder cut after one of its layers: what the layer puts out, and what follows it.

Saliency needs the derivative of the part after a layer many times per image. To run that part,
the encoder's forward pass is replayed, but modules that ran before the layer return their
stored outputs. So it is right for any architecture and any layer (also one inside a residual
block), and costs no more than the part itself.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoolens.catalog.errors import ModelRefused, UnknownName, nearest
from zoolens.catalog.saliency.layouts import find_layout, layout_of

_SMALLEST = 8  # pixels of the image to a side of a cell


@dataclass(frozen=True)
class Split:
    """A batch on both sides of the cut.

    activation: (N, C, h, w), what the layer puts out; features: (N, D), what the
    encoder puts out; tail: what follows the layer, (N, C, h, w) -> (N, D).
    """

    activation: Tensor
    features: Tensor
    tail: Callable[[Tensor], Tensor]


class Cut:
    """An encoder, (N, channels, H, W) -> (N, D), cut after the layer of a dotted name.

    `example`, one square image (1, channels, H, H), is run to see what is done before
    the layer. Raises `UnknownName` if the encoder has no such layer, `ModelRefused`
    if the layer does not run exactly once in a pass or puts out no feature map.
    """

    def __init__(self, encoder: nn.Module, layer: str, example: Tensor) -> None:
        modules = dict(encoder.named_modules())
        if not layer or layer not in modules:
            names = [name for name in modules if name]
            raise UnknownName(f"the model has no layer {layer!r}; nearest: {nearest(layer, names)}")
        self.encoder = encoder
        self.layer = layer
        self._module = modules[layer]
        calls = _calls(encoder, example)
        times = Counter(module for module, _ in calls)
        if times[self._module] != 1:
            raise ModelRefused(
                f"layer {layer} runs {times[self._module]} times an image, and a map needs once; "
                "choose another layer"
            )
        position = [module for module, _ in calls].index(self._module)
        self.layout = layout_of(encoder, layer, calls[position][1])
        done = {
            module
            for module, output in calls[:position]
            if times[module] == 1 and isinstance(output, Tensor)
        }
        self._before = tuple(_outermost(encoder, done, self._module))
        # vmap has no rule for these modules: it would warn and loop over the batch
        self._pools = [
            module
            for module in encoder.modules()
            if isinstance(module, nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1))
        ]

    def split(self, images: Tensor) -> Split:
        """One forward pass over images (N, channels, H, W), kept at the cut."""
        outputs: dict[nn.Module, Tensor] = {}

        def keep(module: nn.Module, _: Any, output: Tensor) -> None:
            outputs[module] = output.clone()  # a later layer may work in place

        with _hooks((*self._before, self._module), keep):
            features = self.encoder(images)
        output = outputs.pop(self._module)

        def tail(activation: Tensor) -> Tensor:
            given = self.layout.from_map(activation, output)
            answers = {module: _recall(output) for module, output in outputs.items()}
            answers |= dict.fromkeys(self._pools, _mean_pool)
            with _running({**answers, self._module: _recall(given)}):
                return self.encoder(images)

        return Split(self.layout.to_map(output), features, tail)

    def vanishes(self, example: Tensor) -> bool:
        """Whether every HiResCAM map at this layer is zero up to rounding.

        It is if each pixel goes only into a layer norm, as after MaxViT's and Swin's last
        blocks: a norm's output does not depend on the length of its input, and activation
        times gradient is the derivative along that length. (It also is if the features do
        not depend on the layer.)
        """
        split = self.split(example)
        weights = torch.randn(split.features.shape, generator=torch.Generator().manual_seed(0))
        with torch.enable_grad():
            activation = split.activation.detach().requires_grad_()
            response = (split.tail(activation) * weights.to(activation)).sum()
        (gradient,) = torch.autograd.grad(response, activation)
        products = (activation * gradient).detach()
        return bool((products.sum(1).abs() <= 1e-4 * products.abs().sum(1)).all())


def last_block(encoder: nn.Module, example: Tensor) -> str:
    """Dotted name of the last encoder block, the layer that the paper explains (2.3.1).

    timm says which it is (`blocks.6` in EfficientNet-B0, `stages.3` in ConvNeXt,
    `layer4` in ResNet); in any other encoder it is the last module to put out a
    feature map of more than one pixel. If every map at that block vanishes
    (`Cut.vanishes`), it is the first layer after it where they do not: the closing `norm`
    in MaxViT and Swin. In a vision transformer whose features are its class token, no
    pixel's token counts after the last block, and what that block's attention sees is explained:
    its `norm1` (or the block before, where it has no norm first). Raises `ModelRefused` if there is
    none.
    """
    names = {module: name for name, module in encoder.named_modules() if name}
    calls = [
        (names[module], output) for module, output in _calls(encoder, example) if module in names
    ]
    maps = [name for name, output in calls if _is_map(encoder, output)]
    last = _timm_last_block(encoder) or (maps[-1] if maps else None)
    if last is None or last not in maps:
        if any(name == last and find_layout(encoder, output) for name, output in calls):
            raise ModelRefused(
                f"of an image of {example.shape[-1]} pixels to a side the model's last block "
                f"{last} leaves one pixel, which is no map; train one of larger images (--size)"
            )
        raise ModelRefused(
            f"the model's last block {last} puts out no feature map (images, channels, height, "
            "width); choose a layer that does"
        )
    candidates = maps[maps.index(last) :]
    if getattr(encoder, "global_pool", None) == "token":
        stem, _, number = last.rpartition(".")
        candidates = [f"{last}.norm1", f"{stem}.{int(number) - 1}"] if number.isdigit() else []
    for name in candidates:
        if maps.count(name) == 1 and not Cut(encoder, name, example).vanishes(example):
            return name
    raise ModelRefused(f"every map at {last} and after it is zero; choose an earlier layer")


def finer_layers(encoder: nn.Module) -> list[str]:
    """Layers of a timm encoder before its last block, those with the smallest cells first.

    Not of cells smaller than eight pixels: they show hardly more, and cost more.
    """
    stages = _timm_stages(encoder)[:-1]
    return [str(one["module"]) for one in stages if one["reduction"] >= _SMALLEST]


def _is_map(encoder: nn.Module, output: Any) -> bool:
    layout = find_layout(encoder, output)
    return layout is not None and layout.to_map(output)[0, 0].numel() > 1


def _timm_last_block(encoder: nn.Module) -> str | None:
    stages = _timm_stages(encoder)
    return str(stages[-1]["module"]) if stages else None


def _timm_stages(encoder: nn.Module) -> list[dict[str, Any]]:
    """What timm says of an encoder's stages, from the first to the last; none of another's."""
    stages = getattr(encoder, "feature_info", None) or []
    return stages if isinstance(stages, list) else stages.info


def _calls(encoder: nn.Module, example: Tensor) -> list[tuple[nn.Module, Any]]:
    """Modules in the order in which a forward pass completes them, with their output."""
    calls: list[tuple[nn.Module, Any]] = []

    def note(module: nn.Module, _: Any, output: Any) -> None:
        calls.append((module, output))

    with _hooks(encoder.modules(), note):
        encoder(example)
    return calls


def _outermost(module: nn.Module, done: set[nn.Module], layer: nn.Module) -> Iterator[nn.Module]:
    """Members of `done` that are inside no other member, nor inside the layer."""
    if module is layer:
        return
    if module in done:
        yield module
        return
    for child in module.children():
        yield from _outermost(child, done, layer)


@contextmanager
def _hooks(
    modules: Iterable[nn.Module], hook: Callable[[nn.Module, Any, Any], None]
) -> Iterator[None]:
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _recall(output: Tensor) -> Callable[..., Tensor]:
    return lambda *_, **__: output.clone()  # a later layer may work in place


def _mean_pool(activation: Tensor) -> Tensor:
    return activation.mean((-2, -1), keepdim=True)


@contextmanager
def _running(forwards: Mapping[nn.Module, Callable[..., Tensor]]) -> Iterator[None]:
    """Replace the forward of modules by the given functions, for a while."""
    try:
        for module, forward in forwards.items():
            vars(module)["forward"] = forward
        yield
    finally:
        for module in forwards:
            vars(module).pop("forward", None)
