"""Pixels of a gallery: a galaxy as the model saw it, and its saliency map laid over it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from zoolens.catalog.arrays import Mask, Pixels
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.explain.derived import known
from zoolens.catalog.explain.scale import FLOORS, scale_end
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import central_segment, coverage
from zoolens.catalog.images.view import View
from zoolens.catalog.output.figures import COLOURS
from zoolens.catalog.saliency.arithmetic import Of, map_statistics, upsample

INCREASE, DECREASE = 1, -1
MOST_SIDE = 448  # larger views are shown smaller
OPAQUE = 0.85  # opacity of the strongest cell: the galaxy must show through
_FULL = {INCREASE: COLOURS(5 / 6), DECREASE: COLOURS(1 / 6)}  # of the figures' red and blue
_OUTLINE = (0x8F, 0xF0, 0xDF, 0xFF)


@dataclass(frozen=True)
class Plate:
    """What is to be drawn of a galaxy.

    image: file, member, and SHA-256 of the bytes that were ingested, or None; view: how
    the model saw it; mean: its map (h, w) for one answer, in units of its fraction, or
    None; exact: whether that is the mean of the dropout samples' maps, and not a first order;
    baseline: of the fraction, where the map adds up from it to the prediction.
    """

    galaxy_id: int
    image: tuple[str, str | None, str] | None
    view: View
    mean: npt.NDArray[np.floating] | None
    exact: bool = True
    baseline: float | None = None


@dataclass(frozen=True)
class Scale:
    """A drawn map in numbers, in its units.

    reach: where the colours end (`scale_end`); increase and decrease: sums of the positive and
    the negative part; on_target and lowered_on_target: share of the one and of the other on the
    segment, or None.
    """

    reach: float
    increase: float
    decrease: float
    on_target: float | None
    lowered_on_target: float | None


@dataclass(frozen=True)
class Drawn:
    """What was drawn: `missing` says why there is no image, scale is None without a map.

    exact, baseline: as of `Plate`.
    """

    missing: str
    outlined: bool
    scale: Scale | None
    exact: bool = True
    baseline: float | None = None


def file_name(galaxy_id: int, what: str) -> str:
    """Name of a file of a galaxy: what is `image`, `increase`, `decrease` or `outline`.

    By number, since names are anything.
    """
    return f"{galaxy_id}.jpg" if what == "image" else f"{galaxy_id}-{what}.png"


def draw(plate: Plate, reader: ImageReader, folder: Path) -> Drawn:
    """Write the image of a galaxy, its segment's outline and its two overlays.

    The image is a JPEG of the view, at most `MOST_SIDE` pixels a side; the overlays are
    transparent PNGs of the same size, and the outline one of `MOST_SIDE`. If the image
    is missing or refused, image and outline are left out. Raises `CatalogError`
    if a file cannot be written.
    """
    side = min(plate.view.size, MOST_SIDE)
    segment: Mask | None = None
    missing = "No image of this galaxy was ingested." if plate.image is None else ""
    if plate.image is not None:
        source, member, sha256 = plate.image
        try:
            seen = plate.view.display(reader.open(source, member, sha256=sha256))
        except ImageRefused as error:
            # after the colon there may be a private folder
            missing = f"The image could not be shown: {str(error).partition(':')[0]}."
        else:
            segment = central_segment(seen)
            _save(shrunk(seen, side), folder / file_name(plate.galaxy_id, "image"))
    if segment is not None:
        _save(outline(segment, MOST_SIDE), folder / file_name(plate.galaxy_id, "outline"))
    if plate.mean is None:
        return Drawn(missing, segment is not None, None)
    for sign, what in ((INCREASE, "increase"), (DECREASE, "decrease")):
        _save(overlay(plate.mean, sign, side), folder / file_name(plate.galaxy_id, what))
    scale = scale_of(plate.mean, segment)
    return Drawn(missing, segment is not None, scale, plate.exact, plate.baseline)


def shrunk(pixels: Pixels, side: int) -> Pixels:
    """An image (H, H, 3) at (side, side, 3), itself where it has that size."""
    if pixels.shape[0] == side:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))


def overlay(mean: npt.NDArray[np.floating], sign: int, side: int, of: Of = "fraction") -> Pixels:
    """One sign of a map (h, w) as colour and opacity, (side, side, 4); of: what the map is of.

    The colour is one; opacity goes with magnitude, from 0 to `OPAQUE` at the map's
    scale's end (`scale_end`), so that the overlays of both signs can be compared, and those of
    a map that adds up to little are faint.
    """
    reach = _end(mean, of)
    strength = np.clip(sign * upsample(mean, side), 0, None) / reach
    pixels = np.empty((side, side, 4), np.uint8)
    pixels[..., :3] = np.round(255 * np.array(_FULL[sign][:3]))
    pixels[..., 3] = np.round(255 * OPAQUE * strength)
    return pixels


def outline(segment: Mask, side: int) -> Pixels:
    """The inner edge of a segment (H, W) on nothing, two pixels wide, (side, side, 4)."""
    smooth = Image.fromarray(np.uint8(255) * segment).resize((side, side), Image.Resampling.BICUBIC)
    inside = np.asarray(smooth) > 127
    edge = inside & ~ndimage.binary_erosion(inside, iterations=2, border_value=1)
    return np.where(edge[..., None], np.array(_OUTLINE, np.uint8), np.uint8(0))


def scale_of(mean: npt.NDArray[np.floating], segment: Mask | None, of: Of = "fraction") -> Scale:
    """A map (h, w) in numbers; segment: of the galaxy, (H, W), or None."""
    covered = None if segment is None else coverage(segment, *mean.shape)
    found = map_statistics(np.stack([mean, -mean]), covered)
    raised, lowered = map(known, found["on_target"].tolist())
    up, down = float(found["increase"][0]), float(found["decrease"][0])
    return Scale(_end(mean, of), up, down, raised, lowered)


def _end(mean: npt.NDArray[np.floating], of: Of) -> float:
    return scale_end([mean], FLOORS[of])


def _save(pixels: Pixels, path: Path) -> None:
    """Write pixels as the suffix says: JPEG in full colour resolution, or PNG."""
    image = Image.fromarray(pixels)
    try:
        if path.suffix == ".jpg":
            image.save(path, quality=92, subsampling=0, optimize=True)
        else:  # optimize makes it a tenth smaller, in eight times the time
            image.save(path)
    except OSError as error:
        raise CatalogError(f"{path} could not be written: {error.strerror or error}") from None
