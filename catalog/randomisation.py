"""Randomising a model's weights step by step, from the head to the first layer."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from catalog.model import ZoobotModel
from catalog.seeds import mixed_seed

_NESTS = ("blocks", "stages", "layers")  # timm's names for the children that hold the blocks


def randomised(model: ZoobotModel, images: Tensor, seed: int) -> Iterator[ZoobotModel]:
    """The model with ever more of its weights drawn anew: the head, then each stage too.

    Cascading randomisation of Adebayo et al. 2018 (NeurIPS, arXiv:1810.03292), on a
    copy: the same copy is yielded each time, so use each before asking for the next.
    Stages as of `stages`. Weights come from the modules' own `reset_parameters`; what
    lies outside such modules (the scales of ConvNeXt's blocks) is permuted, which keeps
    its distribution and breaks its order. A batch norm that is drawn anew gets the
    statistics of what reaches it for `images` (N, C, H, W), N at least 2: with fresh
    ones activations vanish or explode with depth, and maps would change for that alone.
    The norms of stages not yet reached keep theirs. Answers that the model lacks stay
    NaN. Torch's own random state is left as it was.
    """
    labels, width = model.weight.shape  # L, D
    with _seeded(seed, 0):
        head = nn.Linear(width, labels).to(model.weight)
    absent = model.bias.isnan()
    current = replace(
        model,
        encoder=copy.deepcopy(model.encoder),
        weight=head.weight.detach().masked_fill(absent[:, None], torch.nan),
        bias=head.bias.detach().masked_fill(absent, torch.nan),
    )
    yield current
    norms: list[_BatchNorm] = []
    parts = stages(current.encoder)
    for number, stage in enumerate(parts, 1):
        members = [member for child in stage for member in child.modules()]
        if number == len(parts):
            members.append(current.encoder)  # and what it holds outside its children
        with _seeded(seed, number), torch.no_grad():
            for member in members:
                _draw(member)
        norms += [member for member in members if isinstance(member, _BatchNorm)]
        _measure_again(current.encoder, norms, images)
        yield current


def stages(encoder: nn.Module) -> list[list[nn.Module]]:
    """Top-level parts of an encoder, from the last to the first, as modules of a stage.

    Its children that have weights, those of `blocks`, `stages` or `layers` one by one;
    a child without matrices (a norm) goes with what it follows. Assumes, as timm does,
    that modules run in the order in which they stand.
    """
    parts = [
        part
        for name, child in encoder.named_children()
        for part in (child.children() if name in _NESTS else (child,))
        if any(True for _ in part.parameters())
    ]
    found: list[list[nn.Module]] = []
    for part in parts:
        if found and all(parameter.ndim < 2 for parameter in part.parameters()):
            found[-1].append(part)
        else:
            found.append([part])
    return found[::-1]


def _draw(module: nn.Module) -> None:
    """Draw anew what a module itself holds, not its children."""
    reset = getattr(module, "reset_parameters", None)
    if callable(reset):
        reset()
        return
    for parameter in module.parameters(recurse=False):
        values = parameter.flatten()
        parameter.copy_(values[torch.randperm(len(values))].reshape(parameter.shape))


@torch.no_grad()
def _measure_again(encoder: nn.Module, norms: list[_BatchNorm], images: Tensor) -> None:
    """Give batch norms the statistics of their inputs for these images, all in one pass."""
    if not norms:
        return
    for norm in norms:
        norm.momentum = 1.0
        norm.train()
    try:
        encoder(images)
    finally:
        for norm in norms:
            norm.eval()


@contextmanager
def _seeded(*numbers: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mixed_seed(*numbers))
        yield
