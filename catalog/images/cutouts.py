"""FITS cutouts of the DESI Legacy Imaging Surveys, shown in colour."""

import io
import math

import numpy as np
from astropy.io import fits
from astropy.visualization import make_lupton_rgb
from PIL import Image

from zoolens.catalog.errors import ImageRefused

# Galaxy Zoo DECaLS left out galaxies with more of their pixels missing in any band.
MOST_MISSING = 0.2
# Relative weight of g, r, z in the images shown to volunteers (125, 71.43, 52.63).
_WEIGHTS = np.array([1.75, 1.0, 0.737], dtype=np.float32)
# Chosen by eye on cutouts at 0.1 to 0.262 arcsec a pixel: discs show, cores are not saturated.
_STRETCH = 0.2
_SOFTENING = 8
_BLOCK = 2880


def cutout_rgb(data: bytes, most_pixels: int) -> Image.Image:
    """A grz cutout as an RGB image, 8 bit, north up where the file says so.

    data: a FITS file whose primary array is (3, height, width), the planes g, r, z in
    nanomaggies a pixel. z, r, g become red, green, blue by Lupton et al. 2004
    (`astropy.visualization.make_lupton_rgb`), after weighting the bands as in the
    images shown to volunteers. The first row of a FITS array is the bottom one, that
    of an image the top one. Raises `ImageRefused` for a file that is truncated or
    has another shape, more than `most_pixels`, a pixel that is not finite, or 20 % or
    more pixels of exactly 0 (no data) in one band.
    """
    planes = _planes(data, most_pixels)
    if not np.isfinite(planes).all():
        bad = np.count_nonzero(~np.isfinite(planes).all(axis=0))
        raise ImageRefused(f"bad pixels: {bad:,} pixels are not finite numbers")
    missing = (planes == 0).mean(axis=(1, 2))
    if missing.max() >= MOST_MISSING:
        raise ImageRefused(
            f"bad pixels: {missing.max():.0%} of band {'grz'[missing.argmax()]} is without data"
        )
    g, r, z = planes * _WEIGHTS[:, None, None]
    rgb = make_lupton_rgb(z, r, g, stretch=_STRETCH, Q=_SOFTENING)
    return Image.fromarray(np.ascontiguousarray(rgb[::-1]))


def _planes(data: bytes, most_pixels: int) -> np.ndarray:
    """The three planes, float32 (3, height, width), checked for size before reading."""
    try:
        file = io.BytesIO(data)
        header = fits.Header.fromfile(file)
        shape = tuple(int(header[f"NAXIS{axis}"]) for axis in range(header["NAXIS"], 0, -1))
        expected = file.tell() + abs(int(header["BITPIX"])) // 8 * math.prod(shape)
        bands = str(header.get("BANDS", "grz")).strip()
    except Exception as error:  # astropy on hostile bytes raises whatever it trips on
        raise ImageRefused(f"unreadable image: {_words(error)}") from None
    if len(shape) != 3 or shape[0] != 3 or min(shape) < 1:
        raise ImageRefused(f"wrong shape: expected 3 planes g, r, z, not an array {shape}")
    if bands != "grz":
        raise ImageRefused(f"wrong shape: expected bands grz, not {bands!r:.20}")
    if shape[1] * shape[2] > most_pixels:
        raise ImageRefused(f"too large an image: {shape[2]} x {shape[1]} pixels")
    if len(data) < expected:
        raise ImageRefused(f"truncated image: {len(data):,} bytes of {expected:,}")
    padded = data + bytes(-len(data) % _BLOCK)
    try:
        planes = np.asarray(fits.getdata(io.BytesIO(padded), 0), dtype=np.float32)
    except Exception as error:
        raise ImageRefused(f"unreadable image: {_words(error)}") from None
    if planes.shape != shape:
        raise ImageRefused(f"wrong shape: {planes.shape}, not {shape} as the header says")
    return planes


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
