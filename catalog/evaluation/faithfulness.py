"""Whether a prediction falls when the pixels that a map points at are taken away.

Deletion and insertion (Petsiuk et al. 2018, RISE, arXiv:1806.07421): pixels are
removed in the order of a map, the largest values first, or restored in that order. Removed
pixels are filled from those that are left as in ROAD (Rong et al. 2022, `impute`), and not by a
constant: a black hole has an outline, which the model would see. A galaxy whose light is
removed is still an image of something smooth, so a fraction such as
`smooth-or-featured_smooth` may rise: compare methods with each other and with uninformed maps
(`catalog.saliency.methods.uninformed`).
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.evaluation.measures import Measure, means
from zoolens.catalog.network.inference import features
from zoolens.catalog.network.model import ZoobotModel, concentrations

# images (N, C, H, W) -> (N,), always of the same N galaxies in their order
Score = Callable[[Tensor], Floats]

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # of pixels, as in ROAD

_NOISE = 0.01  # of pixels in 0..1
_NEIGHBOURS = {
    (y, x): 1 / 6 if 0 in (y, x) else 1 / 12
    for y in (-1, 0, 1)
    for x in (-1, 0, 1)
    if (y, x) != (0, 0)
}


def changes(score: Score, images: Tensor, maps: npt.ArrayLike, *, seed: int = 0) -> Floats:
    """How a score changes without the most important pixels of a map, or with only those.

    score: such as `fraction_score`; images: (N, C, H, W) in 0..1; maps: (N, H, W), signed,
    upsampled to pixels. (shares, 2, N): for each of `SHARES`, the change of the score, in its
    units, without that share of pixels, largest map values first; and with only that share left.
    They are differences, since galaxies with small scores would dominate quotients.

    Equal values (a map's borders) are taken from the last row up. NaN for galaxies without a finite
    map or score. The noise is drawn from `seed`.
    """
    untouched = np.asarray(score(images), np.float64)
    generator = torch.Generator().manual_seed(seed)
    ranks = relevance_ranks(maps)
    curves = []
    for share in SHARES:
        chosen = most_relevant(ranks, share)
        without, alone = (impute(images, kept, generator) for kept in (~chosen, chosen))
        curves.append([score(without) - untouched, score(alone) - untouched])
    found: Floats = np.asarray(curves, np.float64)  # contiguous, so that it travels as it lies:
    found[..., ~np.isfinite(np.asarray(maps)).all(axis=(1, 2))] = np.nan  # sums depend on that
    return found


def faithfulness(method: str, changes: Floats) -> list[Measure]:
    """Means over galaxies of what `changes` found of a method's maps.

    deletion: without the share `level` of pixels; 0 at level 0, the lower the better. insertion:
    with only that share; 0 at level 1, the nearer to 0 the better. ROAD: half the mean over
    shares of insertion less deletion, pytorch-grad-cam's `ROADCombined`: above 0 if a map shows
    what matters, 0 by chance, below 0 if it points away.
    """
    changes = np.moveaxis(changes, -1, 0)  # (N, shares, 2)
    road = (changes[..., 1] - changes[..., 0]).mean(axis=1) / 2  # (N,)
    nothing = np.where(np.isnan(road), np.nan, 0.0)[:, None]
    deletion = np.hstack([nothing, changes[..., 0]])
    insertion = np.hstack([changes[..., 1], nothing])
    return [
        *(
            Measure("faithfulness", name, *estimate, method=method, level=share)
            for name, curve, shares in (
                ("deletion", deletion, (0.0, *SHARES)),
                ("insertion", insertion, (*SHARES, 1.0)),
            )
            for share, estimate in zip(shares, means(curve), strict=True)
        ),
        Measure("faithfulness", "ROAD", *means(road[:, None])[0], method=method, chance=0.0),
    ]


def fraction_score(
    model: ZoobotModel, masks: Tensor, answers: Sequence[int], siblings: Sequence[slice]
) -> Score:
    """Predicted vote fraction of each image's answer, mean over dropout samples.

    alpha_k / sum_j alpha_j, 0..1. answers: (N,), rows of the model; siblings: for each
    the rows of all answers to its question, of which it is one.
    """
    rows = torch.as_tensor(answers, dtype=torch.long)
    asked = torch.zeros(len(rows), len(model.weight), dtype=torch.bool)
    for number, where in enumerate(siblings):
        asked[number, where] = True

    def score(images: Tensor) -> Floats:
        alpha = concentrations(model, features(model.encoder, images), masks).double()
        total = torch.where(asked[:, None], alpha, 0.0).sum(dim=2)  # (N, T)
        own = alpha[torch.arange(len(rows)), :, rows]
        fraction: Floats = (own / total).mean(dim=1).numpy()
        return fraction

    return score


def impute(images: Tensor, kept: Flags, generator: torch.Generator) -> Tensor:
    """Images whose pixels that are not kept are filled from those around them, and noise.

    The noisy linear imputation of ROAD (Rong et al. 2022, ICML, arXiv:2202.00449): each
    such pixel is the mean of its eight neighbours, direct ones 1/6 and diagonal ones
    1/12, those beyond the border left out. Together the pixels solve one sparse linear
    system. Then normal noise of 0.01 is added to each. images: (N, C, H, W) in 0..1;
    kept: (N, H, W), some of each image.

    Equals pytorch-grad-cam's `NoisyLinearImputer` given the same random state. That
    one builds its matrix from Python lists, which takes up to four times as long.
    """
    filled = images.clone()
    for image, keep in zip(filled, kept, strict=True):
        values = torch.from_numpy(_fill(image.numpy(), keep)).to(image)  # (C, pixels)
        noise = torch.randn(values.shape, generator=generator)
        image[:, torch.from_numpy(~keep)] = values + _NOISE * noise
    return filled


def relevance_ranks(maps: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Each pixel's place in its map, (N, H, W): from 0, the smallest value, to H W - 1."""
    values = np.asarray(maps, np.float64)
    flat = values.reshape(len(values), values[:1].size)
    ranks = np.empty(flat.shape, np.int64)
    np.put_along_axis(ranks, flat.argsort(axis=1, kind="stable"), np.arange(flat.shape[1]), axis=1)
    return ranks.reshape(values.shape)


def most_relevant(ranks: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.bool_]:
    """The given share of the pixels with the highest ranks, as masks (N, H, W)."""
    pixels = ranks[0].size
    return ranks >= pixels - round(share * pixels)


def _fill(image: npt.NDArray[np.float32], kept: Flags) -> Floats:
    """Values (C, n) of the n pixels of an image (C, H, W) that are not kept (H, W)."""
    y, x = np.nonzero(~kept)
    unknown = np.arange(len(y))
    number = np.full((kept.shape[0] + 2, kept.shape[1] + 2), -1)  # -1: beyond the border
    number[1:-1, 1:-1] = -2  # known
    number[y + 1, x + 1] = unknown
    rows, columns, values = [unknown], [unknown], [np.zeros(len(y))]
    right = np.zeros((len(y), len(image)))
    for (down, across), weight in _NEIGHBOURS.items():
        neighbour = number[y + 1 + down, x + 1 + across]
        values[0] += weight * (neighbour != -1)
        known, linked = neighbour == -2, neighbour >= 0
        right[known] += weight * image[:, y[known] + down, x[known] + across].T
        rows.append(unknown[linked])
        columns.append(neighbour[linked])
        values.append(np.full(len(rows[-1]), -weight))
    places = np.concatenate(rows), np.concatenate(columns)
    system = csc_matrix((np.concatenate(values), places), shape=(len(y), len(y)))
    # symmetric and diagonally dominant: no pivots, and an ordering that keeps the symmetry
    factors = splu(
        system,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    solved: Floats = factors.solve(right).T
    return solved
