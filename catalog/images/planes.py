"""The planes of an image in a FITS file: which array it is, its bands, its pixels.

What a header claims is checked against the bytes before astropy reads an array of that size.
"""

import io
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from zoolens.catalog.arrays import AnyFloats
from zoolens.catalog.errors import ImageRefused, few
from zoolens.catalog.images.tiles import check_tiles

_BLOCK = 2880
_MOST_UNITS = 100  # headers that are looked at
_MOST_BANDS = 16
_LONGEST = 20  # letters of a foreign name in a message


class Planes(NamedTuple):
    """An image of a FITS file.

    pixels: float32 (B, H, W), NaN where there is no number, the first row the bottom one;
    bands: their names, B of them, or () where the header does not tell; depth: BITPIX.
    """

    pixels: AnyFloats
    bands: tuple[str, ...]
    depth: int


class _Unit(NamedTuple):
    """Header and data unit: its place, name, header, and where its data lie in the file.

    shape: of the image that it holds, also compressed; () for none.
    """

    number: int
    header: fits.Header
    shape: tuple[int, ...]
    start: int
    size: int

    @property
    def compressed(self) -> bool:
        return bool(self.header.get("ZIMAGE", False))

    @property
    def depth(self) -> int:
        return int(self.header["ZBITPIX" if self.compressed else "BITPIX"])

    def __str__(self) -> str:
        name = str(self.header.get("EXTNAME", "")).strip()
        return f"{self.number} {name[:_LONGEST]!r}" if name else str(self.number)


def read_planes(data: bytes, most_pixels: int) -> Planes:
    """The image of a FITS file: its primary array or, if that is empty, its only extension of one.

    Raises `ImageRefused` for a file that is truncated or damaged, has no image or, in
    extensions, several, and for an image of another shape than (H, W) or (B, H, W), or of more
    than `most_pixels` a plane.
    """
    try:
        return _planes(data, most_pixels)
    except ImageRefused:
        raise
    except Exception as error:  # astropy on hostile bytes raises whatever it trips on
        reason = str(error) or type(error).__name__
        raise ImageRefused(f"unreadable image: {reason.splitlines()[0]}") from None


def _planes(data: bytes, most_pixels: int) -> Planes:
    unit = _chosen(_units(data))
    shape = unit.shape
    if len(shape) not in (2, 3) or min(shape) < 1 or math.prod(shape[:-2]) > _MOST_BANDS:
        raise ImageRefused(f"wrong shape: expected planes (bands, height, width), not {shape}")
    if shape[-1] * shape[-2] > most_pixels:
        raise ImageRefused(f"too large an image: {shape[-1]} x {shape[-2]} pixels")
    expected = unit.start + unit.size
    if len(data) < expected:
        raise ImageRefused(f"truncated image: {len(data):,} bytes of {expected:,}")
    if unit.compressed:
        check_tiles(data, unit.number, shape, unit.start)
    padded = data + bytes(-len(data) % _BLOCK)
    pixels = np.asarray(fits.getdata(io.BytesIO(padded), unit.number), dtype=np.float32)
    if pixels.shape != shape:
        raise ImageRefused(f"wrong shape: {pixels.shape}, not {shape} as the header says")
    planes = pixels.reshape(-1, *shape[-2:])
    return Planes(planes, _bands(unit.header, len(planes)), unit.depth)


def _units(data: bytes) -> list[_Unit]:
    """The units of a file, in order, as their headers tell; at most `_MOST_UNITS`.

    What follows a damaged header is not looked at, unless that is the first.
    """
    units: list[_Unit] = []
    file = io.BytesIO(data)
    while file.tell() < len(data) and len(units) < _MOST_UNITS:
        try:
            unit = _unit(len(units), fits.Header.fromfile(file), file.tell())
        except Exception:
            if not units:
                raise
            break
        units.append(unit)
        if unit.size < 0:
            raise ImageRefused(f"unreadable image: data of {unit.size:,} bytes")
        file.seek(unit.start + unit.size + -unit.size % _BLOCK)
    return units


def _unit(number: int, header: fits.Header, start: int) -> _Unit:
    whole = _shape(header, "NAXIS")
    values = int(header.get("PCOUNT", 0)) + (math.prod(whole) if whole else 0)
    size = abs(int(header["BITPIX"])) // 8 * values * int(header.get("GCOUNT", 1))
    kind = "IMAGE" if number == 0 else header["XTENSION"]
    if kind == "BINTABLE" and header.get("ZIMAGE", False):
        return _Unit(number, header, _shape(header, "ZNAXIS"), start, size)
    return _Unit(number, header, whole if kind == "IMAGE" else (), start, size)


def _shape(header: fits.Header, axes: str) -> tuple[int, ...]:
    """The shape that a header gives by `NAXIS` or `ZNAXIS`, slowest axis first."""
    return tuple(int(header[f"{axes}{axis}"]) for axis in range(int(header[axes]), 0, -1))


def _chosen(units: Sequence[_Unit]) -> _Unit:
    """The unit of the image."""
    first, *others = units
    if first.shape:
        return first
    found = [unit for unit in others if unit.shape]
    if not found:
        raise ImageRefused("wrong shape: the file has no image, only headers or tables")
    if len(found) > 1:
        several = few([str(unit) for unit in found])
        raise ImageRefused(
            f"wrong shape: {len(found)} extensions are images ({several}); save the one to be seen"
        )
    return found[0]


def _bands(header: fits.Header, count: int) -> tuple[str, ...]:
    """Names of the planes by `BANDS`, or `BAND0` and so on, as Legacy Surveys' cut-outs have them.

    Raises `ImageRefused` if they are not as many as the planes, or contradict each other.
    """
    joined = str(header.get("BANDS", "")).strip()
    named = tuple(
        str(header[f"BAND{i}"]).strip() for i in range(_MOST_BANDS) if f"BAND{i}" in header
    )
    apart = joined.replace(",", " ").split()
    bands = tuple(apart if len(apart) > 1 else joined) or named
    if not bands:
        return ()
    if len(bands) != count:
        raise ImageRefused(
            f"wrong shape: {count} planes, of which the header names {len(bands)} bands: "
            f"{' '.join(bands)[:_LONGEST]}"
        )
    if named and named != bands:
        raise ImageRefused(
            f"wrong shape: the header's BANDS, {joined[:_LONGEST]}, are not its BAND0 to "
            f"BAND{count - 1}, {' '.join(named)[:_LONGEST]}"
        )
    return bands
