"""FITS cut-outs as volunteers would see them: g, r, z in colour, or one plane in grey."""

import numpy as np
from astropy.stats import sigma_clipped_stats
from astropy.visualization import AsinhStretch, make_lupton_rgb
from PIL import Image

from zoolens.catalog.arrays import AnyFloats
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.planes import Planes, read_planes

# Galaxy Zoo DECaLS left out galaxies with more of their pixels missing in any band.
MOST_MISSING = 0.2
# Pixels that are no numbers, of cosmic rays and defects: a larger share is no longer sky.
MOST_FILLED = 0.05
# Relative weight of g, r, z in the images shown to volunteers (125, 71.43, 52.63).
_WEIGHTS = np.array([1.75, 1.0, 0.737], dtype=np.float32)
# Chosen by eye on cutouts at 0.1 to 0.262 arcsec a pixel: discs show, cores are not saturated.
_STRETCH = 0.2
_SOFTENING = 8
# Of one plane: from black, in noise below the sky, to white, and astropy's own softening.
_BLACK = 2
_WHITE = 99.8  # percentile
_GREY_SOFTENING = 0.1


def shown(data: bytes, most_pixels: int) -> tuple[Image.Image, tuple[str, ...]]:
    """A FITS cut-out as an image, 8 bit, RGB or L, and remarks; north up where the file says so.

    data: a FITS file with an image as `catalog.images.planes` finds it: planes with g, r and z
    among them (`colour`), or one plane (`grey`). Three planes without names are g, r, z. The
    first row of a FITS array is the bottom one, that of an image the top one. Pixels that
    are no finite numbers, up to 5 %, are shown as sky. Raises `ImageRefused` for more of them,
    for a file that cannot be read, other bands, or 20 % or more pixels of exactly 0 (no
    data) in one band of floating point.
    """
    planes = read_planes(data, most_pixels)
    bands, remarks = planes.bands, []
    if len(planes.pixels) == 1:
        remarks.append(
            "one channel: for models of one, and of three if they are asked to"
            + ("" if planes.depth == 8 else "; FITS, stretched by asinh")
        )
        pixels = planes.pixels
    else:
        pixels = _grz(planes)
        if len(planes.pixels) > 3:
            remarks.append(f"chosen bands: g, r and z of {' '.join(bands)}")
        bands = ("g", "r", "z")
    finite = np.isfinite(pixels)
    bad = 0 if finite.all() else int(np.count_nonzero(~finite.all(axis=0)))
    _check_missing(planes.depth, pixels, bad, bands)
    if bad:
        remarks.append(
            f"filled pixels: {bad:,} of {pixels[0].size:,} are no finite numbers, shown as sky"
        )
    image = colour(pixels) if len(pixels) == 3 else grey(pixels[0], planes.depth)
    return Image.fromarray(np.ascontiguousarray(image[::-1])), tuple(remarks)


def colour(pixels: AnyFloats) -> np.ndarray:
    """Planes g, r, z (3, H, W) in nanomaggies a pixel as RGB (H, W, 3), uint8.

    z, r, g become red, green, blue by Lupton et al. 2004
    (`astropy.visualization.make_lupton_rgb`), after weighting the bands as in the images
    shown to volunteers. What is not finite is 0, the level of a sky that was subtracted.
    """
    g, r, z = np.nan_to_num(pixels * _WEIGHTS[:, None, None], False, 0, 0, 0)
    return np.asarray(make_lupton_rgb(z, r, g, stretch=_STRETCH, Q=_SOFTENING))


def grey(pixels: AnyFloats, depth: int) -> np.ndarray:
    """One plane (H, W) in any unit as grey (H, W), uint8.

    asinh(x / 0.1) / asinh(1 / 0.1), `astropy.visualization.AsinhStretch`, of x from 0 at two
    standard deviations of the noise below the sky to 1 at the 99.8th percentile, clipped. Sky
    and noise are median and standard deviation of the pixels, clipped at 3 sigma until none is left
    (`astropy.stats.sigma_clipped_stats`). What is not finite has the level of the sky. Integers
    of 8 bits (`depth`) are taken to be for the eye already, and are not stretched. Raises
    `ImageRefused` if all pixels are alike.
    """
    if depth == 8:
        return np.clip(np.nan_to_num(pixels), 0, 255).astype(np.uint8)
    values = pixels.astype(float)
    known = values[np.isfinite(values)]
    _, sky, noise = sigma_clipped_stats(known, sigma=3, maxiters=None)
    black, white = sky - _BLACK * noise, np.percentile(known, _WHITE)
    if not black < white:  # nothing but sky, and a few pixels
        black, white = known.min(), known.max()
    if not black < white:
        raise ImageRefused(f"bad pixels: all have the value {black:g}")
    share = np.clip((np.where(np.isfinite(values), values, sky) - black) / (white - black), 0, 1)
    return np.rint(255 * AsinhStretch(_GREY_SOFTENING)(share)).astype(np.uint8)


def _grz(planes: Planes) -> AnyFloats:
    """The planes g, r, z (3, H, W), by name."""
    count, bands = len(planes.pixels), planes.bands
    if not bands and count == 3:
        return planes.pixels
    if not bands:
        raise ImageRefused(
            f"wrong shape: {count} planes, and no BANDS in the header that says which are g, r, z"
        )
    if any(bands.count(band) != 1 for band in "grz"):
        raise ImageRefused(f"wrong shape: expected bands g, r, z, not {''.join(bands)!r:.20}")
    return planes.pixels[[bands.index(band) for band in "grz"]]


def _check_missing(depth: int, pixels: AnyFloats, bad: int, bands: tuple[str, ...]) -> None:
    """Refuse planes with too many pixels that are no numbers, `bad`, or without data."""
    share = bad / pixels[0].size
    if share > MOST_FILLED:
        raise ImageRefused(
            f"bad pixels: {share:.1%} are no finite numbers; up to {MOST_FILLED:.0%} are shown "
            "as sky"
        )
    if depth > 0 and len(pixels) == 1:
        return  # 0 is a number of counts like others
    missing = (pixels == 0).mean(axis=(1, 2))
    if missing.max() >= MOST_MISSING:
        band = f"band {bands[missing.argmax()]}" if bands else "the image"
        raise ImageRefused(f"bad pixels: {missing.max():.0%} of {band} is without data")
