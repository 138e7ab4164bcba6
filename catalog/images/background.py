"""The sky of an image, and the noise on it: what a source has to stand out from."""

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import AnyFloats, Floats32

# Lengths are for images of 224 pixels a side and scale with the image.
BACKGROUND = {
    "apart": 8,  # pixels of which the noise is not alike, also in a resized JPEG
    "quantile": 0.75,  # of the noise's amount: the median is 0 where most of a sky is clipped
    "rounding": 1 / 3,  # of grey levels, the least noise
    "clip": 2,  # in noise
    "steps": 8,  # of clipping
}
_SIGMA = 1.1503  # the 0.75 quantile of the amount of a Gaussian of standard deviation 1


def above_sky(smooth: Floats32) -> tuple[Floats32, float]:
    """An image (H, W) less its sky, and the standard deviation of the sky's noise.

    The noise is that of the image as it is, smoothed: it depends on how alike neighbouring
    pixels are, by which JPEG, resizing and seeing differ. The sky is a plane, so that a
    galaxy that fills most of the image does not become sky, fitted to what lies within
    2 sigma of it, from a low percentile on. H and W are 16 at least.
    """
    noise = max(_noise(smooth), BACKGROUND["rounding"])
    every = max(1, round(4 * min(smooth.shape) / 224))
    y, x = (np.arange(n, dtype=np.float32) / n - 0.5 for n in smooth.shape)
    some = smooth[::every, ::every].ravel().astype(np.float64)
    across, down = np.meshgrid(x[::every], y[::every])
    terms = np.stack([np.ones(some.size), across.ravel(), down.ravel()], axis=1)
    plane = np.array([np.percentile(some, 20), 0, 0])
    for step in range(int(BACKGROUND["steps"])):
        sky = np.abs(some - terms @ plane) < BACKGROUND["clip"] * noise
        known = terms[sky, : 3 if step else 1]  # first the level, then the slopes too
        plane[: known.shape[1]] = np.linalg.lstsq(known, some[sky])[0]
    level, right, below = plane.astype(np.float32)
    light: Floats32 = smooth - (level + right * x + (below * y)[:, None])
    return light, noise


def _noise(smooth: Floats32) -> float:
    """Standard deviation of the noise in the darker half of an image.

    From how pixels differ from the mean of two, left and right of them or above and
    below: that has no part of any gradient. Darker are the squares of such a size, not the
    pixels, of which those below the noise would be taken.
    """
    apart = max(1, round(BACKGROUND["apart"] * min(smooth.shape) / 224))
    level, amount = np.concatenate([_bends(smooth, apart), _bends(smooth.T, apart)], axis=1)
    dark = amount[level <= np.median(level)]
    return float(np.quantile(dark, BACKGROUND["quantile"])) / _SIGMA


def _bends(image: AnyFloats, apart: int) -> npt.NDArray[np.floating]:
    """Mean of the square around a pixel, and the amount of its second difference, (2, N)."""
    side = 2 * apart
    rows, columns = (n // side for n in image.shape)
    squares = image[: rows * side, : columns * side].reshape(rows, side, columns, side)
    level = squares.mean(axis=(1, 3))
    every = max(1, apart // 4)
    y, x = np.arange(0, rows * side, every), np.arange(apart, columns * side - apart, every)
    left, here, right = (image[y[:, None], x + step] for step in (-apart, 0, apart))
    bend = np.abs(2 * here - left - right) / np.sqrt(6)
    return np.stack([level[y[:, None] // side, x // side].ravel(), bend.ravel()])
