"""Do maps depend on what the model has learnt? Sanity checks of saliency.

Adebayo et al. 2018 (Sanity Checks for Saliency Maps, NeurIPS, arXiv:1810.03292): a map
that stays the same when the model's weights are drawn at random, or when the model has
learnt from shuffled votes, shows the image and not the model.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from catalog.arrays import Floats
from catalog.explanations import Explain
from catalog.measures import Measure, means
from catalog.model import ZoobotModel
from catalog.progress import progress
from catalog.randomisation import randomised, stages
from catalog.stability import rank_correlations

CASCADE = "rank correlation"
ABSOLUTE = "rank correlation, absolute"
SHUFFLED = "rank correlation, shuffled votes"
PASSED = {CASCADE: "sanity passed", SHUFFLED: "sanity passed, shuffled votes"}

# Half of a perfect correlation: a quarter of the ranks' variance is then the untouched
# model's. It is far above what chance gives a mean over some tens of galaxies, and far
# below the 1 of a method that looks at the image alone.
_MOST_ALIKE = 0.5


def cascade(
    model: ZoobotModel,
    images: Tensor,
    answers: Sequence[int],
    explanations: Mapping[str, Explain],
    *,
    draws: int = 3,
    seed: int = 0,
) -> list[Measure]:
    """How alike the maps of a model and of its randomised copies are, stage by stage.

    images: (N, C, H, W), N at least 2, a few tens; answers: one an image, such as the
    predicted one. For each method, at each stage of `catalog.randomisation.randomised`
    (level 0 the model itself, 1 its head drawn anew, then each part of the encoder from
    the last to the first): Spearman's rank correlation with the untouched model's map
    of the same image, mean over images. Of signed maps, and as `ABSOLUTE` of their
    absolute values, which stay alike longer: all of them are large on the galaxy.

    A random network gives all galaxies, bright blobs in the middle, maps of the same
    sign, so that one draw correlates far above or below 0 by chance: each galaxy's
    correlation is its mean over `draws` networks. The intervals are over galaxies, and
    do not hold what is left of that chance.
    """
    own = _maps(explanations, model, images, answers)
    untouched = _alike(own, own)
    found: list[list[Floats]] = [[] for _ in range(draws)]
    with progress("drawing weights", draws * (1 + len(stages(model.encoder)))) as bar:
        for draw in range(draws):
            for copy in randomised(model, images, seed * draws + draw):
                found[draw].append(_alike(own, _maps(explanations, copy, images, answers)))
                bar.advance()
    levels = np.stack([untouched, *np.mean(found, axis=0)])  # (levels, methods, 2, N)
    return [
        Measure("sanity", name, *estimate, method=method, level=float(level))
        for row, method in enumerate(explanations)
        for kind, name in enumerate((CASCADE, ABSOLUTE))
        for level, estimate in enumerate(means(levels[:, row, kind].T))
    ]


def shuffled(
    model: ZoobotModel,
    other: ZoobotModel,
    images: Tensor,
    answers: Sequence[int],
    explanations: Mapping[str, Explain],
) -> list[Measure]:
    """How alike the maps of a model and of one trained on shuffled votes are.

    other: of the same architecture and answers. Arguments and correlation as in
    `cascade`; what a network trained on noise attends to is as little drawn twice.
    """
    alike = _alike(
        _maps(explanations, model, images, answers), _maps(explanations, other, images, answers)
    )
    return [
        Measure("sanity", SHUFFLED, *estimate, method=method)
        for method, estimate in zip(explanations, means(alike[:, 0].T), strict=True)
    ]


def verdicts(measures: Sequence[Measure]) -> list[Measure]:
    """Which methods passed: 1, or 0 for maps that do not change; NaN where unknown.

    measures: of `cascade` and `shuffled`. A method passes a check where its signed maps'
    mean rank correlation, at the last stage of the cascade, is below 0.5 with the upper
    end of its interval. Too few galaxies for an interval are too few for a verdict.
    """
    last = {(m.measure, m.method): m for m in measures if m.measure in PASSED}
    found = []
    for (name, method), measure in last.items():
        passed = np.nan if measure.hi is None else float(measure.hi < _MOST_ALIKE)
        found.append(Measure("sanity", PASSED[name], passed, measure.galaxies, method=method))
    return found


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
