"""From a galaxy's parameters to its picture, and which pixels each part of it makes.

Everything is drawn on DECaLS's native pixels, with its seeing and sky noise, coloured
there, and only then resized, as Galaxy Zoo DECaLS made its images.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft

from catalog import sky_discs
from catalog.sky_colour import decals_rgb
from catalog.sky_field import artefact, nanomaggies, neighbours
from catalog.sky_grid import Floats, Grid, Waves, grid
from catalog.sky_population import FRAME_PIXELS, Galaxy, Generator

NATIVE_SCALE_ARCSEC = 0.262
SEEING_ARCSEC = (1.29, 1.18, 1.11)
POINT_SOURCE_DEPTH = (24.65, 23.61, 22.84)
# Median of the published images' sky noise against what the depths give, mag: most
# frames have more exposures than the depth is quoted for, and coadding smooths them.
DEEPER = (0.35, 0.65, 0.85)
ELECTRONS_A_NANOMAGGY = 12000.0
PARTS = ("bulge", "disc", "arms", "clumps", "bar", "ring", "tidal", "companion")
FEATURES = ("galaxy", *PARTS, "neighbour", "artefact")
MOST_PIXELS = 512  # the survey's cutout service resamples larger frames
_MARGIN = 20
MASK_FLUX = 0.93


@dataclass(frozen=True)
class Scene:
    """A picture and its causes, all of `size` x `size` pixels.

    rgb: (H, W, 3), 8 bit. features: name -> r-band flux (H, W) after seeing, without
    noise, nanomaggies a native pixel; `galaxy` is all but the companion. masks: name -> (H, W) bool, only of features
    that are there. noise: standard deviation of the r-band sky, same unit. seeing:
    r-band FWHM, arcsec. pixel: side of an output pixel, arcsec.
    """

    rgb: npt.NDArray[np.uint8]
    features: dict[str, Floats]
    masks: dict[str, npt.NDArray[np.bool_]]
    noise: float
    seeing: float
    pixel: float


def render(rng: Generator, galaxy: Galaxy, size: int) -> Scene:
    """Draw a galaxy, its neighbours and its artefacts at `size` x `size` pixels."""
    extent = FRAME_PIXELS * galaxy.frame_scale
    native = min(int(np.ceil(extent / NATIVE_SCALE_ARCSEC)), MOST_PIXELS)
    scale = NATIVE_SCALE_ARCSEC if native < MOST_PIXELS else extent / MOST_PIXELS
    canvas = grid(_even_fast(native + 2 * _MARGIN), scale)
    seeing = np.array(SEEING_ARCSEC) * np.exp(rng.normal(0, 0.08, 3))
    deeper = np.array(DEEPER) + rng.normal(0, 0.2) + rng.normal(0, 0.1, 3)
    sky = (sky_noise(seeing, scale) * 10 ** (-0.4 * deeper)).astype(np.float32)
    window = _window(canvas.side, native)

    light, fluxes = components(rng, canvas, galaxy)
    field = neighbours(rng, canvas, float(np.exp(rng.normal(0, 0.7))))
    fault = artefact(rng, canvas, galaxy)
    blur = [canvas.seeing(float(fwhm)) for fwhm in seeing]
    frame = np.empty((3, native, native), dtype=np.float32)
    for band in range(3):
        waves = canvas.transform(field[band])
        for name, shape in light.items():
            waves += fluxes[name][band] * shape
        frame[band] = canvas.image(waves * blur[band])[window]
    features = {
        name: canvas.image(shape * (blur[1] * fluxes[name][1]))[window]
        for name, shape in light.items()
    }
    features["galaxy"] = sum(image for name, image in features.items() if name != "companion")
    features = {name: image for name, image in features.items() if name in FEATURES}
    features["neighbour"] = canvas.image(canvas.transform(field[1]) * blur[1])[window]
    if fault is not None:
        features["artefact"] = fault.max(axis=0)[window]
        frame += fault[:, window[0], window[1]]
    resized = {name: _resize(image, size) for name, image in features.items()}
    # the survey's larger frames hold means over native pixels, not sums
    seen = _noisy(rng, frame, sky) * np.float32((NATIVE_SCALE_ARCSEC / scale) ** 2)
    rgb = Image.fromarray(decals_rgb(seen))
    return Scene(
        np.asarray(rgb.resize((size, size), Image.Resampling.LANCZOS)),
        resized,
        {name: _mask(name, image, float(sky[1])) for name, image in resized.items()},
        float(sky[1]),
        float(seeing[1]),
        extent / size,
    )


def components(
    rng: Generator, canvas: Grid, galaxy: Galaxy
) -> tuple[dict[str, Waves], dict[str, Floats]]:
    """Transforms of flux 1, and fluxes in g, r, z, of the galaxy's parts and companion.

    Old stars in bulge and bar, bluer discs, blue arms and knots. The names are PARTS and
    `spheroid`, all of a smooth galaxy, and `dust`, which is negative.
    """
    whole = nanomaggies(galaxy.magnitude, galaxy.g_r, galaxy.r_z)
    light: dict[str, Waves] = {}
    fluxes: dict[str, Floats] = {}

    def add(name: str, shape: Waves, share: float, redder: float = 0.0) -> None:
        """redder: mag in g - r against the whole; r - z follows at 0.7 of it."""
        light[name] = shape
        tint = 10 ** (0.4 * np.array([-redder, 0, 0.7 * redder]))
        fluxes[name] = (whole * share * tint).astype(np.float32)

    remaining = 1 - galaxy.tidal_fraction
    if galaxy.tidal_fraction:
        debris = canvas.transform(sky_discs.debris(rng, canvas, galaxy))
        add("tidal", debris, galaxy.tidal_fraction, -0.08)
    if galaxy.companion_flux:
        at = (galaxy.companion_x, galaxy.companion_y)
        shape = canvas.sersic(
            float(rng.uniform(0.8, 3)),
            galaxy.companion_radius,
            float(rng.uniform(0.35, 1)),
            float(rng.uniform(0, np.pi)),
            at,
        )
        add("companion", shape, galaxy.companion_flux, float(rng.normal(0, 0.1)))
    if galaxy.family == "smooth":
        radius = galaxy.radius * petrosian_loss(galaxy.sersic_index)
        shape = canvas.sersic(
            galaxy.sersic_index, radius, galaxy.axis_ratio, galaxy.position_angle
        )
        add("spheroid", shape, remaining)
        return light, fluxes
    _bulge(canvas, galaxy, add, remaining)
    remaining *= 1 - galaxy.bulge_fraction
    if galaxy.family == "edge-on":
        _edge_on(rng, canvas, galaxy, add, remaining)
    else:
        _face_on(rng, canvas, galaxy, add, remaining)
    return light, fluxes


def _bulge(canvas: Grid, galaxy: Galaxy, add, remaining: float) -> None:  # type: ignore[no-untyped-def]
    if not galaxy.bulge_fraction:
        return
    if galaxy.edge_on_bulge == "boxy":
        shape = canvas.transform(sky_discs.boxy_bulge(canvas, galaxy))
    else:
        index = 1.0 + 4 * galaxy.bulge_fraction
        flat = 0.75 if galaxy.family == "edge-on" else 0.7 + 0.3 * galaxy.axis_ratio
        shape = canvas.sersic(index, galaxy.bulge_radius, flat, galaxy.position_angle)
    add("bulge", shape, remaining * galaxy.bulge_fraction, 0.05 if galaxy.red else 0.2)


def _edge_on(rng: Generator, canvas: Grid, galaxy: Galaxy, add, share: float) -> None:  # type: ignore[no-untyped-def]
    disc = sky_discs.edge_on_disc(canvas, galaxy)
    knots = galaxy.clump_fraction
    add("disc", canvas.transform(disc), share * (1 - knots), -0.02)
    if knots:
        add("clumps", canvas.transform(sky_discs.clumps(rng, canvas, disc, 60)), share * knots, -0.2)
    if galaxy.dust:
        lane = sky_discs.dust_lane(canvas, galaxy, disc)
        add("dust", canvas.transform(lane), -share * (1 - knots), -0.12)


def _face_on(rng: Generator, canvas: Grid, galaxy: Galaxy, add, share: float) -> None:  # type: ignore[no-untyped-def]
    disturbed = galaxy.disturbance != "none"
    lopsided = 0.25 * rng.random() if disturbed else 0.05 * rng.random()
    disc = sky_discs.plane(canvas, galaxy, lopsided, float(rng.uniform(0, 2 * np.pi)))
    smooth = sky_discs.exponential(disc, galaxy)
    used = galaxy.bar_fraction + galaxy.ring_fraction + galaxy.clump_fraction
    if galaxy.bar_fraction:
        shape = canvas.transform(sky_discs.bar(disc, galaxy))
        add("bar", shape, share * galaxy.bar_fraction, 0.04 if galaxy.red else 0.14)
    if galaxy.ring_fraction:
        add("ring", canvas.transform(sky_discs.ring(disc, galaxy)), share * galaxy.ring_fraction, -0.12)
    where = smooth
    if galaxy.arm_count:
        where = sky_discs.arms(rng, disc, galaxy)
        bright = share * (1 - used) * galaxy.arm_fraction
        add("arms", canvas.transform(where), bright, -0.06 if galaxy.red else -0.13)
    if galaxy.clump_fraction:
        knots = sky_discs.clumps(rng, canvas, where, 40 if galaxy.arm_count else 25)
        add("clumps", canvas.transform(knots), share * galaxy.clump_fraction, -0.22)
    add("disc", canvas.transform(smooth), share * (1 - used) * (1 - galaxy.arm_fraction), 0.0)


def petrosian_loss(index: float) -> float:
    """Half-light radius of a Sérsic profile in units of its Petrosian one.

    Graham et al. 2005: about 1.0 at n = 1, 1.4 at n = 4.
    """
    return 1 + 0.13 * max(index - 1, 0)


def sky_noise(seeing: npt.NDArray[np.float64], scale: float) -> Floats:
    """Standard deviation of a pixel's sky in g, r, z, nanomaggies.

    From the depth: 5 sigma in the noise-equivalent area of a Gaussian of the seeing.
    """
    area = 4 * np.pi * (seeing / 2.355) ** 2 / scale**2
    five_sigma = 10 ** (0.4 * (22.5 - np.array(POINT_SOURCE_DEPTH)))
    return (five_sigma / 5 / np.sqrt(area)).astype(np.float32)


def _noisy(rng: Generator, frame: Floats, sky: Floats) -> Floats:
    variance = np.maximum(frame, 0) * np.float32(1 / ELECTRONS_A_NANOMAGGY)
    variance += (sky.astype(np.float32) ** 2)[:, None, None]
    noise = rng.standard_normal(frame.shape, dtype=np.float32)
    # the pipeline's sky is a little too bright: published images have it below zero
    residual = (rng.normal(-0.08, 0.06) * sky).astype(np.float32)
    return frame + residual[:, None, None] + np.sqrt(variance) * noise


def _mask(name: str, image: Floats, noise: float) -> npt.NDArray[np.bool_]:
    """Pixels that a feature makes.

    A neighbour or an artefact: where it is above the sky's noise. A part of the galaxy:
    the brightest pixels that together hold 93 % of its flux.
    """
    if name in ("neighbour", "artefact"):
        return image > noise
    order = np.sort(image, axis=None)[::-1]
    held = np.cumsum(np.maximum(order, 0), dtype=np.float64)
    return image >= order[np.searchsorted(held, MASK_FLUX * held[-1])]


def _resize(image: Floats, size: int) -> Floats:
    shrunk = Image.fromarray(np.ascontiguousarray(image)).resize(
        (size, size), Image.Resampling.BILINEAR
    )
    return np.asarray(shrunk)


def _window(side: int, native: int) -> tuple[slice, slice]:
    start = side // 2 - native // 2
    return slice(start, start + native), slice(start, start + native)


def _even_fast(side: int) -> int:
    half: int = fft.next_fast_len((side + 1) // 2, real=True)
    return 2 * half
