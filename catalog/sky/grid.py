"""The pixel grid of one frame, and light drawn on it or on its Fourier transform.

Round profiles are evaluated where GalSim (Rowe et al. 2015) evaluates them: in Fourier
space, from its own radial transforms, so that cusps lose no flux to pixels and the
seeing is one product.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from zoolens.catalog.arrays import Floats32

Waves = npt.NDArray[np.complex64]

MOFFAT_BETA = 3.0
_TABLE_END = 160.0
_TABLE_STEP = 0.02


@dataclass(frozen=True)
class Grid:
    """N x N pixels of `scale` arcsec, N even, the frame's centre at pixel (N/2, N/2).

    x runs to the right and y up. A transform is (N, N/2 + 1) and has its phase such
    that a source at the centre is real.
    """

    side: int
    scale: float

    @cached_property
    def x(self) -> Floats32:
        """Arcsec from the centre, (1, N)."""
        return ((np.arange(self.side) - self.side // 2) * self.scale).astype(np.float32)[None, :]

    @cached_property
    def y(self) -> Floats32:
        """Arcsec from the centre, (N, 1)."""
        return -self.x.T

    @cached_property
    def waves(self) -> tuple[Floats32, Floats32]:
        """Angular frequencies along x (1, N/2 + 1) and y (N, 1), rad per arcsec."""
        step = 2 * np.pi / self.scale
        along_x = (fft.rfftfreq(self.side) * step).astype(np.float32)[None, :]
        along_y = (-fft.fftfreq(self.side) * step).astype(np.float32)[:, None]
        return along_x, along_y

    @cached_property
    def _recentre(self) -> Floats32:
        rows, columns = np.ogrid[: self.side, : self.side // 2 + 1]
        return np.where((rows + columns) % 2, -1, 1).astype(np.float32)

    def transform(self, image: Floats32) -> Waves:
        """Of a real image (N, N)."""
        waves: Waves = fft.rfft2(image)
        waves *= self._recentre
        return waves

    def image(self, waves: Waves) -> Floats32:
        """The real image (N, N) of a transform."""
        image: Floats32 = fft.irfft2(waves * self._recentre, s=(self.side, self.side))
        return image

    def halved(self, waves: Waves) -> Floats32:
        """The image at twice the pixel size, (N/2, N/2), N a multiple of 4; in its unit.

        What is finer than that is left out: after seeing there is nothing.
        """
        half = self.side // 2
        rows = np.r_[: half // 2, self.side - half // 2 : self.side]
        return grid(half, 2 * self.scale).image(waves[rows, : half // 2 + 1] * np.float32(0.25))

    def sersic(
        self,
        index: float,
        radius: float,
        axis_ratio: float = 1.0,
        angle: float = 0.0,
        at: tuple[float, float] = (0.0, 0.0),
    ) -> Waves:
        """Transform of a Sérsic profile of flux 1, `radius` its major half-light axis."""
        along_x, along_y = self.waves
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        major = radius * (along_x * cos + along_y * sin)
        minor = radius * axis_ratio * (along_y * cos - along_x * sin)
        table = _sersic_table(round(index * 4) / 4)
        waves = _look_up(table, np.sqrt(major * major + minor * minor)).astype(np.complex64)
        if at != (0.0, 0.0):
            waves *= np.exp(-1j * along_x * np.float32(at[0]))
            waves *= np.exp(-1j * along_y * np.float32(at[1]))
        return waves

    def seeing(self, fwhm: float) -> Floats32:
        """Transfer function (N, N/2 + 1) of a Moffat profile of that FWHM in arcsec."""
        along_x, along_y = self.waves
        return _look_up(
            _moffat_table(), np.float32(fwhm) * np.sqrt(along_x * along_x + along_y * along_y)
        )


@lru_cache(maxsize=8)
def grid(side: int, scale: float) -> Grid:
    """The grid, remembered: most frames of a size share it."""
    return Grid(side, scale)


def splat(
    image: Floats32, columns: npt.ArrayLike, rows: npt.ArrayLike, flux: npt.ArrayLike
) -> None:
    """Add points to an image, each shared linearly by the four pixels around it.

    columns, rows, flux (P,): pixel coordinates (0 at the first pixel's middle). Points
    outside are left out.
    """
    column, row, light = np.broadcast_arrays(*map(np.asarray, (columns, rows, flux)))
    left, top = np.floor(column).astype(int), np.floor(row).astype(int)
    height, width = image.shape
    inside = (left >= 0) & (top >= 0) & (left < width - 1) & (top < height - 1)
    left, top, light = left[inside], top[inside], light[inside]
    right, below = column[inside] - left, row[inside] - top
    for down, share_row in ((0, 1 - below), (1, below)):
        for over, share_column in ((0, 1 - right), (1, right)):
            np.add.at(image, (top + down, left + over), light * share_row * share_column)


def _look_up(table: Floats32, wave: Floats32) -> Floats32:
    place = wave * np.float32(1 / _TABLE_STEP)
    np.minimum(place, len(table) - 2, out=place)
    below = place.astype(np.int32)
    low = table[below]
    value: Floats32 = low + (place - below) * (table[below + 1] - low)
    return value


@lru_cache(maxsize=32)
def _sersic_table(index: float) -> Floats32:
    import galsim

    return _radial_table(galsim.Sersic(n=index, half_light_radius=1.0))


@lru_cache(maxsize=1)
def _moffat_table() -> Floats32:
    import galsim

    return _radial_table(galsim.Moffat(beta=MOFFAT_BETA, fwhm=1.0))


def _radial_table(profile: object) -> Floats32:
    """Its transform at 0, step, 2 step, … rad per unit of radius."""
    points = int(_TABLE_END / _TABLE_STEP)
    drawn = profile.drawKImage(nx=2 * points + 1, ny=1, scale=_TABLE_STEP)  # type: ignore[attr-defined]
    table: Floats32 = drawn.real.array[0, points:].astype(np.float32)
    return table
