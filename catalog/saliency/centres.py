"""Where in the image the cells of a layer look, and maps whose cells are where they look.

A map is shown and counted as if its cells shared out the image evenly. But a step of stride 2 may
centre its output on the first of two pixels, and half a cell is soon lost (to the other side with
TensorFlow's padding). How far off cells are depends on the paths through a network and is measured,
at the middle of the map: where a cell's gradient has its centre in the image.
"""

import torch
from torch import Tensor, nn

from zoolens.catalog.saliency.layouts import Layout

_STEPS = 16  # of a cell that offsets are told in: what is less is chance
_TRIES = 4  # directions in the channels


def offsets(encoder: nn.Module, layer: str, layout: Layout, example: Tensor) -> tuple[float, float]:
    """How far cells look above, and to the left of, their even places; in cells, -0.5..0.5.

    example: a square image (1, channels, size, size) to say which; what is shown is noise. 0 for
    a map of one cell.
    """
    kept: list[Tensor] = []
    module = encoder.get_submodule(layer)
    handle = module.register_forward_hook(lambda *given: kept.append(layout.to_map(given[2])))
    size = example.shape[-1]
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(example.shape, generator=generator)
    with torch.enable_grad():
        noise.requires_grad_()
        encoder(noise)
        handle.remove()
        activation = kept[0]
        count = activation.shape[-1]
        if count < 2:
            return 0.0, 0.0
        middle = slice(count // 2 - 1, count // 2 + 1)
        weights = torch.zeros(size, size, dtype=torch.float64)
        for _ in range(_TRIES):
            direction = torch.randn(activation.shape[1], 1, 1, generator=generator)
            response = (activation[0, :, middle, middle] * direction).sum()
            (gradient,) = torch.autograd.grad(response, noise, retain_graph=True)
            weights += gradient.abs().sum((0, 1)).double()
    place = (torch.arange(size) + 0.5) / size * count  # in cells
    centre = count // 2  # of the four middle cells, were they even
    total = weights.sum()
    found = [
        round(float(centre - (weights.sum(axis) * place).sum() / total) * _STEPS) / _STEPS
        for axis in (1, 0)
    ]
    above, left = (max(-0.5, min(0.5, one)) for one in found)
    return above, left


def moved(cells: int, offset: float) -> Tensor:
    """What each even cell gets of each cell, (cells, cells): columns sum to 1, so that sums stay.

    offset: cells towards the first that all look off. What lies beyond a border stays in its cell.
    """
    share = abs(offset)
    matrix = torch.eye(cells, dtype=torch.float64) * (1 - share)
    towards = 1 if offset > 0 else -1
    matrix += share * torch.diag(torch.ones(cells - 1, dtype=torch.float64), towards)
    border = 0 if offset > 0 else cells - 1
    matrix[border, border] = 1.0
    return matrix
