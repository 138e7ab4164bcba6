"""The central galaxy's segment: which pixels of an image are the galaxy itself.

What maps are asked about rests on it: how much lies on the galaxy, on its neighbours, on
sky. It is no photometry: it takes from a stretched colour image, of any survey, what the eye
would, the isophote some noise levels above the sky, parted from what touches it. Lengths are
for images of 224 pixels a side and scale with the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from zoolens.catalog.arrays import Floats, Floats32, Mask
from zoolens.catalog.images.background import BACKGROUND, above_sky
from zoolens.catalog.images.basins import Basins, basins

# The parameters of a segment, recorded with every run that uses segments.
SEGMENTATION = {
    "smoothing": 1.5,  # standard deviation of the Gaussian, pixels
    **BACKGROUND,
    "threshold": 6,  # above the sky, in noise of the smoothed image
    "pixels": 16,  # of the smallest source
    "centre": 6,  # half side of the square where the galaxy must be, pixels
    "contrast": 0.01,  # share of the connected light that is a source wherever it lies
    "ratio": 1.5,  # of peak to saddle: a source of less light must reach it,
    "clear": 4,  # rise so much above the saddle, in noise,
    "enclosed": 0.5,  # and have no larger share of its outline on the galaxy
    "rim": 1,  # of a source below its saddle, in radii of what is above
    "opening": 0.2,  # narrower bumps and trails are cut off, in the galaxy's inscribed radius
}
_CORNERS = np.ones((3, 3), np.bool_)  # what touches at a corner is connected
_Box = tuple[slice, ...]


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

    pixels: (H, W, 3), as `View.display` gives them; in fewer than 16 a side nothing is
    found. The middle one of a pixel's channels counts, so that a satellite's trail or
    failed rows in one band are no source.
    """
    nothing = np.zeros(pixels.shape[:2], np.bool_)
    if min(nothing.shape) < 16:
        return Segments(None, nothing)
    scale = min(nothing.shape) / 224
    smooth = ndimage.gaussian_filter(_middle_channel(pixels), SEGMENTATION["smoothing"] * scale)
    light, noise = above_sky(smooth)
    components, found = ndimage.label(light > SEGMENTATION["threshold"] * noise, _CORNERS)
    if not found:
        return Segments(None, nothing)
    fewest = SEGMENTATION["pixels"] * scale**2
    parts = basins(
        light,
        components,
        contrast=SEGMENTATION["contrast"],
        ratio=SEGMENTATION["ratio"],
        clear=SEGMENTATION["clear"] * noise,
        pixels=fewest,
    )
    sources = (components > 0) & (parts.pixels >= fewest)[parts.of]
    central = _most(np.where(sources, parts.of + 1, 0), scale) - 1
    if central < 0:
        return Segments(None, sources)
    box = _box(components == components[parts.of == central][0])
    own = nothing.copy()
    own[box] = _own(parts, light, box, central, scale)
    others = sources & ~own
    galaxy = nothing.copy()
    galaxy[box] = _trimmed(_filled(own[box]) & ~others[box], scale)
    galaxy = _central(galaxy, scale)
    neighbours = _opened(others, round(scale)) | _opened(own & ~galaxy, round(3 * scale))
    return Segments(galaxy if galaxy.any() else None, neighbours)


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


def _middle_channel(pixels: npt.NDArray[np.uint8]) -> Floats32:
    red, green, blue = (pixels[..., channel] for channel in range(3))
    middle = np.maximum(np.minimum(red, green), np.minimum(np.maximum(red, green), blue))
    return middle.astype(np.float32)


def _most(labels: npt.NDArray[np.integer], scale: float) -> int:
    """The label that fills most of the image's middle; 0 if none does."""
    half = max(1, round(SEGMENTATION["centre"] * scale))
    middle = tuple(slice(max(n // 2 - half, 0), n // 2 + half + 1) for n in labels.shape)
    sizes = np.bincount(labels[middle].ravel())
    sizes[0] = 0
    return int(sizes.argmax())


def _central(mask: Mask, scale: float) -> Mask:
    """The connected part of a mask that fills most of the image's middle; empty if none."""
    labels, _ = ndimage.label(mask)
    most = _most(labels, scale)
    return mask & (labels == most) if most else np.zeros_like(mask)


def _filled(mask: Mask) -> Mask:
    """A mask without holes: what is not connected to the edge of the image is in it."""
    labels, count = ndimage.label(~mask)
    outside = np.zeros(count + 1, np.bool_)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        outside[edge] = True
    outside[0] = False  # label 0 is the mask itself
    return ~outside[labels]


def _box(mask: Mask) -> _Box:
    """The smallest box that holds a mask and a pixel around it, within the image."""
    ends = [np.flatnonzero(mask.any(axis)) for axis in (1, 0)]
    return tuple(slice(max(end[0] - 1, 0), end[-1] + 2) for end in ends)


def _own(parts: Basins, light: Floats32, box: _Box, central: int, scale: float) -> Mask:
    """Pixels of the central basin, and what of others is the galaxy's, in a box.

    A basin reaches as far as the watershed does, a star's on a disc to the disc's outline.
    So it keeps what is above its saddle and a rim, where that is nearer to it; the galaxy
    has the rest. Little sources mostly enclosed by the galaxy are knots of it.
    """
    of, light = parts.of[box], light[box]
    own = of == central
    core = (of >= 0) & ~own & (light >= parts.saddle[of])
    radius = np.sqrt(np.bincount(of[core], minlength=len(parts.pixels)) / np.pi)
    away, place = ndimage.distance_transform_edt(~(core | own), return_indices=True)
    nearest = of[tuple(place)]
    rim = (nearest != central) & (away <= SEGMENTATION["rim"] * radius[nearest] + scale)
    of = np.where((of < 0) | own | core, of, np.where(rim, nearest, central))
    knot = ~parts.bright & (_enclosed(of, central, len(radius)) > SEGMENTATION["enclosed"])
    knot[central] = True
    return (of >= 0) & knot[of]


def _enclosed(of: npt.NDArray[np.integer], central: int, count: int) -> Floats:
    """Share of each basin's outline that is on the central one, (count,)."""
    outline, shared = np.zeros(count), np.zeros(count)
    for a, b in ((of[:, 1:], of[:, :-1]), (of[1:], of[:-1])):
        for here, there in ((a, b), (b, a)):
            edge = (here != there) & (here >= 0)
            outline += np.bincount(here[edge], minlength=count)
            shared += np.bincount(here[edge & (there == central)], minlength=count)
    return shared / np.maximum(outline, 1)


def _trimmed(mask: Mask, scale: float) -> Mask:
    """A mask without bumps and trails narrow beside its inscribed radius.

    What is near enough to the opened mask stays, so that ends and corners are not rounded.
    """
    inside = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
    reach = max(SEGMENTATION["opening"] * inside.max(), SEGMENTATION["smoothing"] * scale)
    core = inside > reach
    if not core.any():
        return mask
    near: Mask = ndimage.distance_transform_edt(~core) <= reach + scale
    return mask & near


def _opened(mask: Mask, reach: int) -> Mask:
    """A mask without what is narrower than a square of 2 reach + 1 pixels, and 3 at least."""
    opened: Mask = ndimage.grey_opening(mask.view(np.uint8), 2 * max(reach, 1) + 1) > 0
    return opened
