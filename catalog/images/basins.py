"""Sources of an image that touch, parted where the light between them is least."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats, Floats32, Ints
from zoolens.catalog.runtime.compiled import compiled

NOWHERE = -1


@dataclass(frozen=True)
class Basins:
    """The N parts of the light above a threshold, each with a peak of its own.

    of: number of each pixel's basin, (H, W), -1 below the threshold. By basin: pixels, how
    many; saddle, the level at which it met a stronger one first, 0 if it met none; bright,
    whether it holds enough light to be a source wherever it is. Numbers that were merged
    into others have no pixels.
    """

    of: npt.NDArray[np.int32]
    pixels: Ints
    saddle: Floats32
    bright: Flags


def basins(
    light: Floats32,
    components: npt.NDArray[np.integer],
    *,
    contrast: float,
    ratio: float,
    clear: float,
    pixels: float,
) -> Basins:
    """Flood the components of an image (H, W), the brightest pixels first.

    Where two basins meet, the weaker is a source of its own if its light above that level
    is more than `contrast` of the whole component's, as in SExtractor (Bertin & Arnouts
    1996), or if its peak is `ratio` times as high as the level, `clear` above it, and it has
    so many pixels. Else the stronger swallows it. components: labels (H, W) of what is above
    a threshold and connected, corners included; 0 elsewhere.
    """
    total = np.bincount(components.ravel(), light.ravel())
    edged, components = np.pad(light, 1), np.pad(components, 1)  # so that all have 8 neighbours
    flat = np.flatnonzero(components)
    order = flat[np.argsort(-edged.ravel()[flat], kind="stable")]
    least = contrast * total[components.ravel()[order]]
    of = np.full(edged.shape, NOWHERE, np.int32)
    small = (ratio, clear, pixels)
    counts, saddle, bright = _flood(
        edged.ravel(), order, edged.shape[1], least, small, of.reshape(-1)
    )
    return Basins(of[1:-1, 1:-1], counts, saddle, bright)


@compiled
def _flood(
    light: Floats32,
    order: Ints,
    width: int,
    least: Floats,
    small: tuple[float, float, float],
    of: npt.NDArray[np.int32],
) -> tuple[Ints, Floats32, Flags]:
    """Fill `of`, all -1, pixel by pixel in `order`; a forest holds who was swallowed by whom.

    least: light that makes a basin bright, by pixel of the order. small: ratio, clear, pixels.
    """
    ratio, clear, fewest = small
    swallower = np.arange(order.size, dtype=np.int32)
    peak = np.zeros(order.size, np.float32)
    flux = np.zeros(order.size, np.float64)
    count = np.zeros(order.size, np.int64)
    saddle = np.zeros(order.size, np.float32)
    bright = np.zeros(order.size, np.bool_)
    around = (-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1)
    known = 0
    for place in range(order.size):
        pixel = order[place]
        level = light[pixel]
        own, highest = -1, level
        for step in around:
            basin, beside = of[pixel + step], light[pixel + step]
            if basin < 0:
                continue
            while swallower[basin] != basin:
                basin = swallower[basin]
            if own < 0:
                own, highest = basin, beside
            if basin == own:
                highest = max(highest, beside)
                continue
            weak, strong = (own, basin) if flux[own] < flux[basin] else (basin, own)
            bright[weak] |= flux[weak] - count[weak] * level > least[place]
            clearly = peak[weak] >= ratio * level and peak[weak] - level >= clear
            if bright[weak] or (clearly and count[weak] >= fewest):
                saddle[weak] = max(saddle[weak], level)
                if beside > highest:
                    own, highest = basin, beside
            else:
                swallower[weak] = strong
                flux[strong] += flux[weak]
                count[strong] += count[weak]
                peak[strong] = max(peak[strong], peak[weak])
                count[weak] = 0
                own, highest = strong, max(highest, beside)
        if own < 0:
            own = known
            peak[own] = level
            known += 1
        of[pixel] = own
        flux[own] += level
        count[own] += 1
    for pixel in order:
        basin = of[pixel]
        while swallower[basin] != basin:
            basin = swallower[basin]
        of[pixel] = basin
    return count[:known], saddle[:known], bright[:known]
