"""Filling in pixels that were taken out of images, from those that are left."""

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

from catalog.arrays import Flags, Floats
from catalog.inference import in_order

_NOISE = 0.01  # of pixels in 0..1
_NEIGHBOURS = {
    (y, x): 1 / 6 if 0 in (y, x) else 1 / 12
    for y in (-1, 0, 1)
    for x in (-1, 0, 1)
    if (y, x) != (0, 0)
}


def impute(images: Tensor, kept: Flags, generator: torch.Generator) -> Tensor:
    """Images whose pixels that are not kept are filled from those around them, and noise.

    The noisy linear imputation of ROAD (Rong et al. 2022, ICML, arXiv:2202.00449): each
    such pixel is the mean of its eight neighbours, direct ones 1/6 and diagonal ones
    1/12, those beyond the border left out; so all of them solve one sparse linear
    system. Then normal noise of 0.01 is added to each. images: (N, C, H, W) in 0..1;
    kept: (N, H, W), some of each image.

    Equals pytorch-grad-cam's `NoisyLinearImputer` given the same random state. That
    builds its matrix from Python lists, which takes up to four times as long as this,
    and solves one image after another; here they are solved side by side.
    """
    filled = images.clone()
    solved = in_order(lambda given: _fill(*given), zip(images.numpy(), kept, strict=True))
    for image, keep, found in zip(filled, kept, solved, strict=True):
        values = torch.from_numpy(found).to(image)  # (C, pixels)
        noise = torch.randn(values.shape, generator=generator)
        image[:, torch.from_numpy(~keep)] = values + _NOISE * noise
    return filled


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
