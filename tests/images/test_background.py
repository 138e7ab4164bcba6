"""Skies and noise that are known: white, resized, clipped, sloping, behind large galaxies."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from zoolens.catalog.images.background import BACKGROUND, above_sky

SIZE = 224


def noisy(alike: float, sd: float = 1, size: int = SIZE, seed: int = 0) -> npt.NDArray[np.float32]:
    """Noise of standard deviation `sd`, its pixels alike over so many."""
    noise = np.random.default_rng(seed).standard_normal((size, size))
    noise = ndimage.gaussian_filter(noise, alike) if alike else noise
    return (sd * noise / noise.std()).astype(np.float32)


@pytest.mark.parametrize("alike", [0, 1.5, 3])
def test_noise_is_that_of_the_image_however_alike_its_pixels(alike: float) -> None:
    light, noise = above_sky(20 + noisy(alike, 2))
    assert noise == pytest.approx(2, rel=0.15)  # at 3 they are a little alike 8 apart
    assert abs(light.mean()) < 0.3
    assert light.dtype == np.float32


def test_a_slope_is_no_noise_and_no_light() -> None:
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) / SIZE
    light, noise = above_sky(30 + 25 * x - 10 * y + noisy(1.5))
    assert noise == pytest.approx(1, rel=0.1)
    for corner in (light[:40, :40], light[:40, -40:], light[-40:, :40], light[-40:, -40:]):
        assert abs(corner.mean()) < 0.5


@pytest.mark.parametrize("clipped", [0.3, 0.6])
def test_a_sky_clipped_to_black_has_noise(clipped: float) -> None:
    """Where most pixels are 0 their median deviation is 0, and what is left is still noise."""
    noise = noisy(1.5, 3)
    sky = np.maximum(noise - np.quantile(noise, clipped), 0)
    assert np.median(sky) == 0 or clipped < 0.5
    found = above_sky(sky)[1]
    assert 0.6 * sky.std() < found < 1.7 * sky.std()


def test_a_galaxy_of_most_of_the_image_raises_neither() -> None:
    y, x = np.mgrid[:SIZE, :SIZE]
    disc = 200 * np.exp(-np.hypot(x - 112, y - 112) / 25).astype(np.float32)
    light, noise = above_sky(15 + disc + noisy(1.5, 1.5))
    assert noise == pytest.approx(1.5, rel=0.15)
    assert abs((light - disc).mean()) < 2 * noise  # its wings are within the clip


@pytest.mark.parametrize("level", [0, 255])
def test_an_empty_image_has_the_noise_of_rounding(level: int) -> None:
    light, noise = above_sky(np.full((SIZE, SIZE), level, np.float32))
    assert noise == BACKGROUND["rounding"]
    np.testing.assert_allclose(light, 0, atol=1e-3)


@pytest.mark.parametrize("shape", [(16, 16), (16, 90), (90, 17), (424, 300)])
def test_any_shape(shape: tuple[int, int]) -> None:
    image = 9 + noisy(0, 1, max(shape))[: shape[0], : shape[1]]
    light, noise = above_sky(image)
    assert light.shape == shape
    assert 0.5 < noise < 1.6
