"""Which galaxies a simulated sky holds: brightness, distance, size and colour.

The sample is that of Galaxy Zoo DECaLS (Walmsley et al. 2022): r < 17.77, z < 0.15,
Petrosian radius above 3 arcsec. Magnitudes are AB and observed, sizes arcsec.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Generator = np.random.Generator

MAGNITUDE_LIMIT = 17.77
REDSHIFT_LIMIT = 0.15
PETROSIAN_LIMIT_ARCSEC = 3.0
# Mean r-band surface brightness within the half-light radius, mag / arcsec^2: the limit
# of the spectroscopic survey that the sample comes from (Strauss et al. 2002)
FAINTEST_SURFACE = 23.0
HUBBLE_DISTANCE_MPC = 4283.0  # c / H0, H0 = 70 km/s/Mpc
FRAME_PIXELS = 424
SMALLEST_SCALE_ARCSEC = 0.1


@dataclass(frozen=True)
class Member:
    """One galaxy of the sample as a point: what it is before it has a shape.

    red: on the red sequence. radius: of the circle that holds half of its light.
    """

    redshift: float
    absolute_magnitude: float
    magnitude: float
    red: bool
    g_r: float
    r_z: float
    radius: float


def draw_member(rng: Generator, limit: float = MAGNITUDE_LIMIT) -> Member:
    """Draw galaxies until one passes the sample's limits; limit: faintest r magnitude."""
    while True:
        redshift, absolute = _luminosity(rng, limit)
        red = bool(rng.random() < red_fraction(absolute))
        radius = half_light_radius(rng, absolute, redshift, red)
        magnitude = absolute + _distance_modulus(redshift)
        brightness = magnitude + 2.5 * np.log10(2 * np.pi * radius**2)
        # an exponential's Petrosian radius is about twice its half-light radius
        large = 2 * radius > PETROSIAN_LIMIT_ARCSEC
        # the table of luminosities is stepped: a hundredth of a magnitude of slack
        if large and brightness < FAINTEST_SURFACE and magnitude < limit + 0.02:
            break
    g_r, r_z = _colours(rng, absolute, redshift, red)
    return Member(redshift, absolute, float(magnitude), red, g_r, r_z, radius)


def frame_scale(radius: float, concentration: float) -> float:
    """Arcsec per pixel of the 424-pixel frame (Walmsley et al. 2022, section 2.3).

    radius: Petrosian half-light radius; concentration: p90 / p50.
    """
    return max(min(0.04 * radius, 0.02 * concentration * radius), SMALLEST_SCALE_ARCSEC)


def red_fraction(absolute: float) -> float:
    """Share of red-sequence galaxies at an absolute magnitude (Baldry et al. 2004)."""
    return float(0.12 + 0.75 / (1 + np.exp((absolute + 20.8) / 0.7)))


def half_light_radius(rng: Generator, absolute: float, redshift: float, red: bool) -> float:
    """Half-light radius in arcsec (Shen et al. 2003, equations 14 to 16, table 1)."""
    if red:
        median = 10 ** (-0.4 * 0.60 * absolute - 4.63)
    else:
        median = 10 ** (
            -0.4 * 0.21 * absolute
            + (0.53 - 0.21) * np.log10(1 + 10 ** (-0.4 * (absolute + 20.52)))
            - 1.31
        )
    spread = 0.25 + (0.48 - 0.25) / (1 + 10 ** (-0.8 * (absolute + 20.52)))
    kpc = median * np.exp(spread * rng.standard_normal())
    angular_distance = _comoving_mpc(redshift) / (1 + redshift)
    return float(kpc / (angular_distance * 1e3) * 206265)


def _comoving_mpc(redshift: float) -> float:
    """Comoving distance to second order, deceleration -0.55: 1 % up to z = 0.15."""
    return HUBBLE_DISTANCE_MPC * (redshift - 0.225 * redshift**2)


def _distance_modulus(redshift: float) -> float:
    """Apparent less absolute r magnitude, with a K correction of 0.9 z."""
    distance_pc = _comoving_mpc(redshift) * (1 + redshift) * 1e6
    return float(5 * np.log10(distance_pc / 10) + 0.9 * redshift)


@lru_cache(maxsize=1)
def _luminosities(limit: float) -> tuple[npt.NDArray[np.float64], ...]:
    """Absolute magnitudes, their cumulative share of the sample, their depth in z.

    Schechter function of Blanton et al. 2003 (r band, M* = -21.2 for H0 = 70, slope
    -1.05), times the volume out to which the magnitude limit lets them be seen.
    """
    magnitudes = np.linspace(-23.8, -16.5, 400)
    redshifts = np.linspace(0.005, REDSHIFT_LIMIT, 500)
    modulus = np.array([_distance_modulus(float(z)) for z in redshifts])
    seen = np.interp(limit - magnitudes, modulus, np.arange(500.0))
    depth = redshifts[seen.astype(int)]
    luminosity = 10 ** (-0.4 * (magnitudes + 21.2))
    density = luminosity ** (1 - 1.05) * np.exp(-luminosity) * depth**3
    share = np.cumsum(density)
    return magnitudes, share / share[-1], depth


def _luminosity(rng: Generator, limit: float) -> tuple[float, float]:
    magnitudes, share, depth = _luminosities(limit)
    pick = int(np.searchsorted(share, rng.random()))
    redshift = max(float(depth[pick] * rng.random() ** (1 / 3)), 0.01)
    return redshift, float(magnitudes[pick])


def _colours(rng: Generator, absolute: float, redshift: float, red: bool) -> tuple[float, float]:
    """Colours g - r and r - z: two sequences (Strateva et al. 2001, Baldry et al. 2004).

    How r - z follows g - r is taken from the galaxies of the published images.
    """
    tilt = -0.02 * (absolute + 21)
    if red:
        g_r = 0.72 + tilt + 1.3 * redshift + rng.normal(0, 0.035)
    else:
        g_r = 0.54 + 2 * tilt + 0.7 * redshift + rng.normal(0, 0.09)
    return float(g_r), float(0.817 * g_r - 0.065 + rng.normal(0, 0.04))
