"""From a galaxy's parameters to its picture, and which pixels each part of it makes.

Everything is drawn on DECaLS's native pixels, with its seeing and sky noise, coloured
there, and only then resized, as Galaxy Zoo DECaLS made its images.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft

from zoolens.catalog.arrays import AnyFloats, Floats32
from zoolens.catalog.sky.field import artefact, neighbours
from zoolens.catalog.sky.galaxy import Galaxy
from zoolens.catalog.sky.grid import Grid, Waves, grid
from zoolens.catalog.sky.light import PARTS, Light, draw_light
from zoolens.catalog.sky.population import FRAME_PIXELS, Generator

NATIVE_SCALE_ARCSEC = 0.262
SEEING_ARCSEC = (1.29, 1.18, 1.11)
POINT_SOURCE_DEPTH = (24.65, 23.61, 22.84)
# Median of the published images' sky noise against what the depths give, mag: most
# frames have more exposures than the depth is quoted for, and coadding smooths them.
DEEPER = (0.2, 0.5, 0.7)
ELECTRONS_A_NANOMAGGY = 12000.0
MOST_PIXELS = 512  # the survey's cutout service resamples larger frames
FEATURES = ("galaxy", *PARTS, "neighbour", "artefact")
MASK_FLUX = 0.93  # share of a part's flux that its mask holds
_MARGIN = 20  # native pixels around the frame

# Of the colours, as in Walmsley et al. 2022, section 2.3.
FACTORS = (125.0, 71.43, 52.63)  # g, r, z; per nanomaggy
RANGE = (-0.5, 300.0)  # of factor times flux; black and white
EXPOSURE_S = 90.0
WAVELENGTH_NM = 600.0
# Photons that a nanomaggy stands for, per second of exposure and nanometre^-1 of
# wavelength: the paper gives no unit. Set so that the sky's three channels correlate
# as in the published images (0.73).
PHOTONS = 4e6


@dataclass(frozen=True)
class Scene:
    """A picture and its causes, all of `size` x `size` pixels.

    rgb: (H, W, 3), 8 bit. features: name -> r-band flux (H, W) after seeing, without
    noise, nanomaggies a native pixel, only of those that are there; `galaxy` is all but
    the companion, neighbours and artefacts. masks: name -> (H, W) bool. noise: standard
    deviation of the r-band sky, same unit. seeing: r-band FWHM, arcsec. pixel: side of
    a pixel, arcsec; native_pixel: of those that it was drawn on.
    """

    rgb: npt.NDArray[np.uint8]
    features: dict[str, Floats32]
    masks: dict[str, npt.NDArray[np.bool_]]
    noise: float
    seeing: float
    pixel: float
    native_pixel: float


def render(rng: Generator, galaxy: Galaxy, size: int) -> Scene:
    """Draw a galaxy, its neighbours and its artefacts at `size` x `size` pixels."""
    native, scale = native_frame(galaxy.frame_scale)
    canvas = grid(_fast_side(native + 2 * _MARGIN), scale)
    seeing = np.array(SEEING_ARCSEC) * np.exp(rng.normal(0, 0.08, 3))
    deeper = np.array(DEEPER) + rng.normal(0, 0.3) + rng.normal(0, 0.1, 3)
    sky = (sky_noise(seeing, scale) * 10 ** (-0.4 * deeper)).astype(np.float32)
    window = _window(canvas.side, native)
    blur = [canvas.seeing(float(fwhm)) for fwhm in seeing]

    light = draw_light(rng, canvas, galaxy)
    field = [canvas.transform(band) for band in neighbours(rng, canvas)]
    fault = artefact(rng, canvas, galaxy)
    frame = np.empty((3, native, native), dtype=np.float32)
    for band in range(3):
        waves = field[band].copy()
        for name, shape in light.shapes.items():
            waves += light.fluxes[name][band] * shape
        frame[band] = canvas.image(waves * blur[band])[window]
    features = _features(canvas, light, field[1], blur[1], native, size)
    if fault is not None:
        frame += fault[:, window[0], window[1]]
        features["artefact"] = _shrink(fault.max(axis=0), size, (window[0].start, window[0].stop))
    # the survey's larger frames hold means over native pixels, not sums
    seen = _noisy(rng, frame, sky) * np.float32((NATIVE_SCALE_ARCSEC / scale) ** 2)
    rgb = Image.fromarray(decals_rgb(seen)).resize((size, size), Image.Resampling.LANCZOS)
    return Scene(
        rgb=np.asarray(rgb),
        features=features,
        masks={name: feature_mask(name, image, sky[1]) for name, image in features.items()},
        noise=float(sky[1]),
        seeing=float(seeing[1]),
        pixel=FRAME_PIXELS * galaxy.frame_scale / size,
        native_pixel=scale,
    )


def native_frame(frame_scale: float) -> tuple[int, float]:
    """Pixels along a side of the frame as the survey gives it, and their size in arcsec."""
    extent = FRAME_PIXELS * frame_scale
    native = int(np.ceil(extent / NATIVE_SCALE_ARCSEC))
    if native <= MOST_PIXELS:
        return native, NATIVE_SCALE_ARCSEC
    return MOST_PIXELS, extent / MOST_PIXELS


def sky_noise(seeing: npt.NDArray[np.float64], scale: float) -> Floats32:
    """Standard deviation of a pixel's sky in g, r, z, nanomaggies.

    From the depth: 5 sigma in the noise-equivalent area of a Gaussian of the seeing.
    """
    area = 4 * np.pi * (seeing / 2.355) ** 2 / scale**2
    five_sigma = 10 ** (0.4 * (22.5 - np.array(POINT_SOURCE_DEPTH)))
    return (five_sigma / 5 / np.sqrt(area)).astype(np.float32)


def feature_mask(name: str, image: Floats32, noise: float) -> npt.NDArray[np.bool_]:
    """Pixels that a feature makes.

    A neighbour or an artefact: where it is above the sky's noise. A part of the galaxy:
    the brightest pixels that together hold 93 % of its flux.
    """
    if name in ("neighbour", "artefact"):
        return image > noise
    order = np.sort(image, axis=None)[::-1]
    held = np.cumsum(np.maximum(order, 0), dtype=np.float64)
    return image >= order[np.searchsorted(held, MASK_FLUX * held[-1])]


def decals_rgb(grz: AnyFloats) -> npt.NDArray[np.uint8]:
    """The colour image of g, r and z fluxes, as Galaxy Zoo DECaLS shows them.

    Walmsley et al. 2022, section 2.3: bands z, r, g are red, green, blue after factors;
    pixels of low flux lose saturation, so that noise is not coloured; each channel is
    compressed by arcsinh, rescaled linearly and clipped. grz: (3, H, W), nanomaggies a
    pixel. Returns (H, W, 3), 8 bit.
    """
    mean = grz.mean(axis=0)
    photons = np.maximum(mean, 0) * (PHOTONS * EXPOSURE_S / WAVELENGTH_NM)
    saturation = np.minimum(0.01 * np.sqrt(photons), 1)
    channels = np.stack([band * factor for band, factor in zip(grz, FACTORS, strict=True)][::-1])
    grey = channels.mean(axis=0)
    compressed = np.arcsinh(grey + saturation * (channels - grey))
    low, high = np.arcsinh(RANGE)
    scaled = (compressed - low) * (255 / (high - low))
    return np.ascontiguousarray(np.clip(scaled, 0, 255).astype(np.uint8).transpose(1, 2, 0))


def _features(
    canvas: Grid, light: Light, field: Waves, blur: Floats32, native: int, size: int
) -> dict[str, Floats32]:
    """What each feature adds to the r band, (size, size), nanomaggies a native pixel."""
    waves = {name: shape * (blur * light.fluxes[name][1]) for name, shape in light.shapes.items()}
    own = [wave for name, wave in waves.items() if name != "companion"]
    chosen = {name: wave for name, wave in waves.items() if name in PARTS}
    chosen |= {"galaxy": np.sum(own, axis=0), "neighbour": field * blur}
    # pixel edges of the frame on the grid of half the resolution, whose middle pixel
    # has the same middle
    start = canvas.side // 2 - native // 2
    edges = [
        (edge - canvas.side / 2 - 0.5) / 2 + canvas.side / 4 + 0.5
        for edge in (start, start + native)
    ]
    return {name: _shrink(canvas.halved(wave), size, edges) for name, wave in chosen.items()}


def _noisy(rng: Generator, frame: Floats32, sky: Floats32) -> Floats32:
    """The frame with the noise of its sky and of its own light."""
    variance = np.maximum(frame, 0) * np.float32(1 / ELECTRONS_A_NANOMAGGY)
    variance += (sky * sky)[:, None, None]
    noise = rng.standard_normal(frame.shape, dtype=np.float32)
    # the pipeline's sky is a little too bright: published images have it below zero
    residual = (rng.normal(-0.08, 0.06) * sky).astype(np.float32)
    noise *= np.sqrt(variance)
    return noise + (frame + residual[:, None, None])


def _shrink(image: Floats32, size: int, edges: Sequence[float]) -> Floats32:
    """The square of an image between two pixel edges, along both axes, at another size."""
    box = (edges[0], edges[0], edges[1], edges[1])
    shrunk = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR, box=box)
    return np.asarray(shrunk)


def _window(side: int, native: int) -> tuple[slice, slice]:
    start = side // 2 - native // 2
    return slice(start, start + native), slice(start, start + native)


def _fast_side(side: int) -> int:
    """A multiple of 4, no smaller, that transforms fast."""
    quarter: int = fft.next_fast_len(-(-side // 4), real=True)
    return 4 * quarter
