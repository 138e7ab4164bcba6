"""What else is in a frame: stars, unrelated galaxies, and faults of the picture."""

import numpy as np

from zoolens.catalog.arrays import Floats32
from zoolens.catalog.sky.discs import rotated, unit
from zoolens.catalog.sky.galaxy import Galaxy
from zoolens.catalog.sky.grid import Grid, splat
from zoolens.catalog.sky.population import Generator

STARS_A_SQUARE_ARCMIN = 2.0  # to r = 22.5, as at high latitude
GALAXIES_A_SQUARE_ARCMIN = 22.0  # to r = 24, Yasuda et al. 2001 extrapolated


def nanomaggies(r: float, g_r: float, r_z: float) -> Floats32:
    """Fluxes in g, r and z from a magnitude and two colours."""
    magnitudes = np.array([r + g_r, r, r - r_z])
    return (10 ** (0.4 * (22.5 - magnitudes))).astype(np.float32)


def neighbours(rng: Generator, grid: Grid) -> Floats32:
    """Stars and unrelated galaxies before seeing, (3, N, N) in nanomaggies.

    Counts rise as 10^(0.15 m) for stars and 10^(0.33 m) for galaxies; fields
    differ in their stars by a factor of two. One frame in ten has a large neighbour.
    """
    image = np.zeros((3, grid.side, grid.side), dtype=np.float32)
    area = (grid.side * grid.scale / 60) ** 2
    crowding = np.exp(rng.normal(0, 0.7))
    for _ in range(rng.poisson(STARS_A_SQUARE_ARCMIN * area * crowding)):
        _star(rng, image, _magnitude(rng, 13.0, 22.5, 0.15))
    for _ in range(rng.poisson(GALAXIES_A_SQUARE_ARCMIN * area)):
        _small_galaxy(rng, grid, image, _magnitude(rng, 18.0, 24.0, 0.33))
    if rng.random() < 0.1:
        _small_galaxy(rng, grid, image, float(rng.uniform(16.3, 19)), size=1.7)
    return image


def artefact(rng: Generator, grid: Grid, galaxy: Galaxy) -> Floats32 | None:
    """Light that is no sky, after seeing, (3, N, N) in nanomaggies; None for none.

    star: a saturated star with diffraction spikes and a halo, on or beside the galaxy.
    trail: a satellite through the frame, in one band, since the bands are taken minutes
    apart. band: rows of the camera that failed in one or two bands.
    """
    if galaxy.artefact == "none":
        return None
    image = np.zeros((3, grid.side, grid.side), dtype=np.float32)
    if galaxy.artefact == "star":
        _spikes(rng, grid, image, galaxy)
    elif galaxy.artefact == "trail":
        at = (float(rng.normal(0, galaxy.radius)), float(rng.normal(0, galaxy.radius)))
        _, across = rotated(grid, float(rng.uniform(0, np.pi)), at)
        trail = np.exp(-((across / np.float32(rng.uniform(0.5, 1.0))) ** 2))
        image[rng.integers(3)] += np.float32(10 ** rng.uniform(-1.5, 0)) * trail
    else:
        across = rotated(grid, float(rng.choice([0, np.pi / 2])))[1]
        low = float(rng.uniform(-2, 0.5)) * galaxy.radius
        inside = (across > low) & (across < low + rng.uniform(0.8, 4) * galaxy.radius)
        image[rng.integers(3)] += np.float32(rng.uniform(0.05, 0.3)) * inside
    return image


def _magnitude(rng: Generator, bright: float, faint: float, slope: float) -> float:
    """A magnitude between two, counts rising as 10^(slope m)."""
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return float(np.log10(low + (high - low) * rng.random()) / slope)


def _star_colours(rng: Generator) -> tuple[float, float]:
    """Colours g - r and r - z on the stellar locus (Covey et al. 2007), a quarter M dwarfs."""
    if rng.random() < 0.25:
        return 1.4, float(rng.uniform(0.9, 2.2))
    g_r = float(np.clip(rng.normal(0.6, 0.25), 0.15, 1.3))
    return g_r, float(0.62 * g_r - 0.08 + rng.normal(0, 0.03))


def _galaxy_colours(rng: Generator) -> tuple[float, float]:
    g_r = float(np.clip(rng.normal(0.7, 0.3), 0.1, 1.6))
    return g_r, float(0.7 * g_r + 0.05 + rng.normal(0, 0.1))


def _star(rng: Generator, image: Floats32, magnitude: float) -> None:
    column, row = rng.uniform(0, image.shape[1] - 1, 2)
    for band, flux in zip(image, nanomaggies(magnitude, *_star_colours(rng)), strict=True):
        splat(band, [column], [row], [flux])


def _small_galaxy(
    rng: Generator, grid: Grid, image: Floats32, magnitude: float, size: float = 1.0
) -> None:
    """An inclined exponential disc on a small stamp."""
    length = size * 0.55 * 10 ** (-0.13 * (magnitude - 21)) * np.exp(rng.normal(0, 0.3))
    reach = int(min(6 * length / grid.scale + 2, grid.side // 2))
    column, row = rng.integers(0, grid.side, 2)
    rows = slice(max(row - reach, 0), min(row + reach + 1, grid.side))
    columns = slice(max(column - reach, 0), min(column + reach + 1, grid.side))
    y = (np.arange(rows.start, rows.stop)[:, None] - row) * grid.scale
    x = (np.arange(columns.start, columns.stop)[None, :] - column) * grid.scale
    angle, ratio = rng.uniform(0, np.pi), rng.uniform(0.25, 1)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = (y * np.cos(angle) - x * np.sin(angle)) / ratio
    shape = np.exp(-np.hypot(along, across) / length).astype(np.float32)
    flux = nanomaggies(magnitude, *_galaxy_colours(rng))
    total = 2 * np.pi * length**2 * ratio / grid.scale**2  # of the whole, also off the frame
    image[:, rows, columns] += flux[:, None, None] * (shape / max(total, float(shape.sum()) * 0.2))


def _spikes(rng: Generator, grid: Grid, image: Floats32, galaxy: Galaxy) -> None:
    at = (float(rng.normal(0, galaxy.radius)), float(rng.normal(0, galaxy.radius)))
    x, y = rotated(grid, float(rng.choice([0.0, np.pi / 4])), at)
    distance = np.sqrt(x * x + y * y) + np.float32(0.3)
    halo = (1 + (distance / np.float32(0.9)) ** 2) ** np.float32(-1.6)
    spike = np.exp(-np.abs(y) / np.float32(0.5)) / (1 + np.abs(x))
    spike += np.exp(-np.abs(x) / np.float32(0.5)) / (1 + np.abs(y))
    light = unit(halo) + np.float32(0.06) * unit(spike)
    fluxes = nanomaggies(float(rng.uniform(11.5, 14.5)), *_star_colours(rng))
    image += fluxes[:, None, None] * light
