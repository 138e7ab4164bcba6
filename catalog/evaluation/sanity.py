"""Do maps depend on what the model has learnt? Sanity checks of saliency.

Adebayo et al. 2018 (Sanity Checks for Saliency Maps, NeurIPS, arXiv:1810.03292): a map
that stays the same when the model's weights are drawn at random, or when the model has
learnt from shuffled votes, shows the image and not the model.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from zoolens.catalog.arrays import Floats
from zoolens.catalog.evaluation.measures import Measure, means
from zoolens.catalog.evaluation.stability import rank_correlations
from zoolens.catalog.network.model import ZoobotModel, mixed_seed
from zoolens.catalog.saliency.methods import Explain

DRAWS = 3  # of random weights
CASCADE = "rank correlation"
ABSOLUTE = "rank correlation, absolute"
SHUFFLED = "rank correlation, shuffled votes"
PASSED = {CASCADE: "sanity passed", SHUFFLED: "sanity passed, shuffled votes"}

# Half of a perfect correlation: the untouched model's map then explains a quarter of the ranks'
# variance. It is far above what chance gives a mean over some tens of galaxies, and far
# below the 1 of a method that looks at the image alone.
_MOST_ALIKE = 0.5

_DRAWING = Lock()  # torch's modules draw from one random state of the whole process
_NESTS = ("blocks", "stages", "layers")  # timm's names for the children that hold the blocks


def drawn(
    model: ZoobotModel,
    images: Tensor,
    answers: Sequence[int],
    explanations: Mapping[str, Explain],
    draw: int,
) -> Floats:
    """How alike the maps of a model and of its randomised copies are, stage by stage.

    images: (N, C, H, W), N at least 2, a few tens; answers: one per image, such as the
    predicted one; draw: of which draw of the weights. At each stage of `randomised` (0 the model
    itself, 1 with its head randomised, then each part of the encoder from the last to the first):
    `alike` of the model and the copy. (stages, methods, 2, N).
    """
    own = _maps(explanations, model, images, answers)
    copies = randomised(model, images, draw)
    others = (_maps(explanations, random, images, answers) for random in copies)
    return np.stack([_alike(own, own), *(_alike(own, other) for other in others)])


def alike(
    model: ZoobotModel,
    other: ZoobotModel,
    images: Tensor,
    answers: Sequence[int],
    explanations: Mapping[str, Explain],
) -> Floats:
    """Spearman's rank correlations of two models' maps of the same images, (methods, 2, N).

    Of signed maps, and of their absolute values, which stay alike longer: all of them are large on
    the galaxy. other: of the same architecture and answers.
    """
    return _alike(*(_maps(explanations, one, images, answers) for one in (model, other)))


def cascade(draws: Sequence[Floats], methods: Iterable[str]) -> list[Measure]:
    """Rank correlations at each stage (`level`), mean over images, of signed and absolute maps.

    draws: what `drawn` found in each. All galaxies are bright blobs in the middle, and a random
    network gives them maps of the same sign, so one draw correlates far above or below 0 by
    chance. Therefore each galaxy's correlation is a mean over draws. The intervals are over
    galaxies, and do not include the scatter that is left between draws.
    """
    levels = np.mean(draws, axis=0)  # (levels, methods, 2, N)
    return [
        Measure("sanity", name, *estimate, method=method, level=float(level))
        for row, method in enumerate(methods)
        for kind, name in enumerate((CASCADE, ABSOLUTE))
        for level, estimate in enumerate(means(levels[:, row, kind].T))
    ]


def shuffled(alike: Floats, methods: Iterable[str]) -> list[Measure]:
    """How alike the maps of a model and of one trained on shuffled votes are, signed.

    alike: as of that function; there is only one such network, and so no mean over draws.
    """
    return [
        Measure("sanity", SHUFFLED, *estimate, method=method)
        for method, estimate in zip(methods, means(alike[:, 0].T), strict=True)
    ]


def verdicts(measures: Sequence[Measure]) -> list[Measure]:
    """Which methods passed: 1, or 0 for maps that do not change; NaN where unknown.

    measures: of `cascade` and `shuffled`. A method passes a check if the mean rank correlation of
    its signed maps (in the cascade: at the last stage) is below 0.5, the upper end of its
    interval included. Without an interval, for too few galaxies, there is no verdict.
    """
    last = {(m.measure, m.method): m for m in measures if m.measure in PASSED}
    found = []
    for (name, method), measure in last.items():
        passed = np.nan if measure.hi is None else float(measure.hi < _MOST_ALIKE)
        found.append(Measure("sanity", PASSED[name], passed, measure.galaxies, method=method))
    return found


def randomised(model: ZoobotModel, images: Tensor, seed: int) -> Iterator[ZoobotModel]:
    """The model with more and more of its weights randomised: the head, then stage by stage.

    Cascading randomisation of Adebayo et al. 2018 (NeurIPS, arXiv:1810.03292), on a
    copy: the same copy is yielded each time, so use each before asking for the next.
    Stages as of `stages`. Weights come from the modules' own `reset_parameters`; those of
    modules without it (the scales of ConvNeXt's blocks) are permuted, which keeps their
    distribution. A randomised batch norm gets the statistics of its inputs for `images`
    (N, C, H, W), N at least 2: with initial ones activations vanish or explode with depth,
    and maps would change for that alone. The norms of later stages keep theirs. Answers that the
    model lacks stay NaN. Torch's own random state is left as it was.
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
            members.append(current.encoder)  # and the weights that it has outside its children
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
    that modules run in the order in which they are defined.
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


def _maps(
    explanations: Mapping[str, Explain], model: ZoobotModel, images: Tensor, answers: Sequence[int]
) -> list[Floats]:
    return [explain(model, images, answers).double().numpy() for explain in explanations.values()]


def _alike(first: Sequence[Floats], second: Sequence[Floats]) -> Floats:
    """Rank correlations of signed maps and of absolute ones: (methods, 2, N)."""
    return np.stack(
        [
            [rank_correlations(a, b), rank_correlations(np.abs(a), np.abs(b))]
            for a, b in zip(first, second, strict=True)
        ]
    )


def _draw(module: nn.Module) -> None:
    """Randomise the weights of a module itself, not those of its children."""
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
    with _DRAWING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(mixed_seed(*numbers))
        yield
