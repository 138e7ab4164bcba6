"""The central galaxy's segment: which pixels of an image are the galaxy itself.

It serves the statistic `on_target`, and is no photometry: it takes from a stretched colour
image what the eye would, the isophote a few noise levels above the sky around the galaxy at
the image centre, separated from what touches it. Lengths are for images of 224 pixels a side
and scale with the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from zoolens.catalog.arrays import AnyFloats, Mask

# The parameters of a segment, recorded with every run that uses segments.
SEGMENTATION = {
    "smoothing": 1.5,  # standard deviation of the Gaussian, pixels
    "sky_percentile": 20,  # of the smoothed image: still sky where the galaxy fills most of it
    "threshold": 4,  # above the sky, in noise of one pixel
    "opening": 2,  # narrower bridges and bumps are cut off, pixels
    "centre": 6,  # half side of the square where the galaxy must be, pixels
    "contrast": 0.01,  # share of the segment's light that makes a part of it a neighbour
    "levels": 24,  # between threshold and peak at which neighbours are looked for
}


@dataclass(frozen=True)
class Segments:
    """What an image shows besides sky, each (H, W) and True where it is.

    galaxy: the galaxy at the centre, None where nothing is there; neighbours: all other
    sources, stars and galaxies alike. They do not overlap; the rest is sky.
    """

    galaxy: Mask | None
    neighbours: Mask


def central_segment(pixels: npt.NDArray[np.uint8]) -> Mask | None:
    """`segments(pixels).galaxy`."""
    return segments(pixels).galaxy


def segments(pixels: npt.NDArray[np.uint8]) -> Segments:
    """The galaxy at the centre of an image, and its neighbours.

    pixels: (H, W, 3), as `View.display` gives them. The sky is a low percentile of the
    smoothed luminance. The noise is the median absolute deviation of what smoothing removed
    from the darker half. So a large galaxy raises neither.
    """
    red, green, blue = (pixels[..., c].astype(np.float32) for c in range(3))
    luminance = (red + green + blue) / 3  # (H, W)
    scale = min(luminance.shape) / 224
    smooth = ndimage.gaussian_filter(luminance, SEGMENTATION["smoothing"] * scale)
    grain = (luminance - smooth)[smooth <= np.median(smooth)]
    noise = 1.4826 * float(np.median(np.abs(grain - np.median(grain))))
    light = smooth - np.percentile(smooth, SEGMENTATION["sky_percentile"])
    threshold = SEGMENTATION["threshold"] * max(noise, 0.5)  # half a grey level: rounding
    if light.max() <= threshold:
        return Segments(None, np.zeros(light.shape, np.bool_))
    opening = max(1, round(SEGMENTATION["opening"] * scale))
    centre = max(1, round(SEGMENTATION["centre"] * scale))
    detected = ndimage.binary_opening(light > threshold, iterations=opening)
    segment = _central(detected, centre)
    if segment is None:
        return Segments(None, detected)
    filled = _filled(segment)
    own = _without_neighbours(np.where(filled, np.maximum(light, threshold), 0), centre)
    galaxy = _central(ndimage.binary_opening(own, iterations=opening), centre)
    detected |= filled
    return Segments(galaxy, detected if galaxy is None else detected & ~galaxy)


def coverage(segment: Mask, height: int, width: int) -> npt.NDArray[np.float64]:
    """Share of each cell of a (height, width) map that a (H, W) segment covers, 0..1.

    Exact, whether or not the pixels divide evenly among the cells.
    """
    rows, columns = (
        _overlap(pixels, cells)
        for pixels, cells in zip(segment.shape, (height, width), strict=True)
    )
    share: npt.NDArray[np.float64] = rows @ segment @ columns.T
    return share


def coverages(
    seen: Sequence[Segments], height: int, width: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """`coverage` of N galaxies and of their neighbours, each (N, height, width).

    That of a galaxy is NaN where nothing is at the centre.
    """
    galaxy = np.full((len(seen), height, width), np.nan)
    neighbours = np.zeros((len(seen), height, width))
    for place, one in enumerate(seen):
        if one.galaxy is not None:
            galaxy[place] = coverage(one.galaxy, height, width)
        if one.neighbours.any():
            neighbours[place] = coverage(one.neighbours, height, width)
    return galaxy, neighbours


def _overlap(pixels: int, cells: int) -> npt.NDArray[np.float64]:
    """Share of cell i that pixel j covers, (cells, pixels); both divide the same length."""
    cell = np.arange(cells)[:, None] * (pixels / cells)
    pixel = np.arange(pixels)
    ends = np.minimum(cell + pixels / cells, pixel + 1) - np.maximum(cell, pixel)
    return np.clip(ends, 0, None) / (pixels / cells)


def _middle(shape: tuple[int, ...], half: int) -> tuple[slice, ...]:
    return tuple(slice(max(n // 2 - half, 0), n // 2 + half + 1) for n in shape)


def _central(mask: Mask, centre: int) -> Mask | None:
    """The part of a mask that fills most of the image's middle."""
    labels, _ = ndimage.label(mask)
    sizes = np.bincount(labels[_middle(mask.shape, centre)].ravel())
    sizes[0] = 0
    return labels == sizes.argmax() if sizes.any() else None


def _filled(mask: Mask) -> Mask:
    """A mask without holes: what is not connected to the edge of the image is in it."""
    labels, count = ndimage.label(~mask)
    outside = np.zeros(count + 1, np.bool_)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    outside[0] = False  # label 0 is the mask itself
    return ~outside[labels]


def _without_neighbours(light: AnyFloats, centre: int) -> Mask:
    """The segment, where light is not 0, without the neighbours in it.

    As in SExtractor (Bertin & Arnouts 1996): a neighbour is a branch that at some
    level is separate from the galaxy's and holds enough of the light. From the highest
    level down, every pixel then goes to the nearest branch.
    """
    middle = np.zeros(light.shape, np.bool_)
    middle[_middle(light.shape, centre)] = True
    box = _box(light > 0)
    own = np.zeros(light.shape, np.bool_)
    light = light[box]
    core = np.unravel_index(np.argmax(np.where(middle[box], light, 0)), light.shape)
    faintest = light[light > 0].min()
    levels = np.geomspace(faintest, 0.98 * light.max(), int(SEGMENTATION["levels"]))
    owner = np.zeros(light.shape, np.int8)  # 1 the galaxy, 2 a neighbour, 0 nobody yet
    for level in levels[levels < light[core]]:
        part = _box(light > level)
        for branch in _branches(light, level, part, core):
            if not owner[part][branch].any():
                peak = np.argmax(np.where(branch, light[part], 0))
                owner[part][np.unravel_index(peak, branch.shape)] = 2
    if owner.any():
        owner[core] = 1
        for level in (*levels[::-1], 0):
            above = light > level
            part = _box(above | (owner > 0))
            owner[part] = _shared_out(owner[part], above[part])
        own[box] = owner == 1
    else:
        own[box] = light > 0
    return own


def _box(mask: Mask) -> tuple[slice, ...]:
    """The smallest box that holds a mask, so that high levels have few pixels to look at."""
    ends = [np.flatnonzero(mask.any(axis)) for axis in (1, 0)]
    return tuple(slice(end[0], end[-1] + 1) for end in ends)


def _branches(
    light: AnyFloats, level: float, part: tuple[slice, ...], core: tuple[np.intp, ...]
) -> list[Mask]:
    """What is separate from the galaxy's core at a level and holds enough light."""
    above = light[part]
    labels, count = ndimage.label(above > level)
    if count < 2:
        return []
    flux = np.bincount(labels.ravel(), (above - level).ravel())
    own = labels[core[0] - part[0].start, core[1] - part[1].start]
    flux[[0, own]] = 0
    return [labels == n for n in np.flatnonzero(flux > SEGMENTATION["contrast"] * light.sum())]


def _shared_out(owner: npt.NDArray[np.int8], above: Mask) -> npt.NDArray[np.int8]:
    """Give unowned pixels to the nearest owner, in connected parts that have one."""
    if not (above & (owner == 0)).any():
        return owner
    labels, count = ndimage.label(above)
    owned = np.zeros(count + 1, np.bool_)
    owned[labels[owner > 0]] = True
    place = ndimage.distance_transform_edt(owner == 0, return_distances=False, return_indices=True)
    return np.where((owner == 0) & above & owned[labels], owner[tuple(place)], owner)
