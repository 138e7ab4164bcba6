"""From grz fluxes to the colours that Galaxy Zoo DECaLS shows.

Walmsley et al. 2022, section 2.3: bands z, r, g are red, green, blue after factors;
pixels of low flux lose saturation, so that noise is not coloured; each channel is
compressed by arcsinh, rescaled linearly and clipped.
"""

import numpy as np
import numpy.typing as npt

from catalog.arrays import AnyFloats

FACTORS = (125.0, 71.43, 52.63)  # g, r, z; per nanomaggy
RANGE = (-0.5, 300.0)  # of factor times flux; black and white
EXPOSURE_S = 90.0
WAVELENGTH_NM = 600.0
# Photons that a nanomaggy stands for, per second of exposure and nanometre^-1 of
# wavelength: the paper gives no unit. Set so that the sky's three channels correlate
# as in the published images (0.73).
PHOTONS = 4e6


def decals_rgb(grz: AnyFloats) -> npt.NDArray[np.uint8]:
    """The colour image of g, r and z fluxes.

    grz: (3, H, W), nanomaggies a pixel. Returns (H, W, 3), 8 bit.
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
