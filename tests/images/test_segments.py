"""Segments of painted galaxies, whose true extent is known, and of all real ones."""

import io
import itertools
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from zoolens.catalog.images.segments import _filled, central_segment, coverage, segments

SIZE = 224
NOISE = 4.0


def painted(
    *spots: tuple[float, float, float, float], size: int = SIZE, noise: float = NOISE, seed: int = 0
) -> npt.NDArray[np.uint8]:
    """Gaussian spots (x, y, sd, height) on a noisy sky of level 15."""
    y, x = np.mgrid[:size, :size]
    light = np.zeros((size, size))
    for x0, y0, sd, height in spots:
        light += height * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sd**2))
    return exposed(light, noise=noise, seed=seed)


def exposed(
    light: npt.NDArray[np.floating], sky: float = 15, noise: float = NOISE, seed: int = 0
) -> npt.NDArray[np.uint8]:
    """A picture of light (H, W) on a noisy sky."""
    grain = noise * np.random.default_rng(seed).standard_normal((*light.shape, 3))
    return np.clip((light + sky)[..., None] + grain, 0, 255).round().astype(np.uint8)


def threshold(size: int = SIZE) -> float:
    """Light at a galaxy's edge: 6 times what smoothing leaves of NOISE.

    That is of the middle of three channels, 0.67 of one's; a third of a level is the least.
    """
    smoothing = 1.5 * size / SIZE
    return float(6 * max(0.67 * NOISE / (2 * np.sqrt(np.pi) * smoothing), 1 / 3))


def jpeg(pixels: npt.NDArray[np.uint8], quality: int = 85) -> npt.NDArray[np.uint8]:
    """What is left of a picture after JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def spiral(size: int = SIZE, arms: float = 0.5) -> npt.NDArray[np.floating]:
    """An exponential disc of 200 with two arms, `arms` brighter and fainter than it."""
    y, x = np.mgrid[:size, :size] - size // 2
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    wave = 1 + arms * np.cos(2 * (angle - 2.5 * np.log(radius + 4)))
    light: npt.NDArray[np.floating] = 200 * np.exp(-radius / 14) * wave
    return light


def disc(x0: float, y0: float, radius: float, size: int = SIZE) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:size, :size]
    within: npt.NDArray[np.bool_] = np.hypot(x - x0, y - y0) < radius
    return within


def radius_at(height: float, sd: float, threshold: float) -> float:
    return float(sd * np.sqrt(2 * np.log(height / threshold)))


def overlap(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_painted_galaxy_has_the_extent_of_its_isophote() -> None:
    segment = central_segment(painted((112, 112, 20, 180)))
    assert segment is not None
    assert segment.dtype == bool
    expected = disc(112, 112, radius_at(180, 20, threshold()))
    assert overlap(segment, expected) > 0.93


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.8))
def test_holes_are_filled_as_scipy_fills_them(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((9, 13)) < share
    np.testing.assert_array_equal(_filled(mask), ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize("size", [96, 424])
def test_lengths_scale_with_the_image(size: int) -> None:
    scale = size / SIZE
    centre = size / 2
    segment = central_segment(painted((centre, centre, 20 * scale, 180), size=size))
    assert segment is not None
    expected = disc(centre, centre, scale * radius_at(180, 20, threshold(size)), size)
    assert overlap(segment, expected) > 0.93


def test_neighbours_are_parted_from_the_galaxy() -> None:
    apart = segments(painted((112, 112, 15, 180), (30, 40, 12, 200)))
    assert apart.galaxy is not None
    assert apart.galaxy[112, 112]
    assert overlap(apart.neighbours, disc(30, 40, radius_at(200, 12, threshold()))) > 0.93
    alone = segments(painted((112, 112, 15, 180)))
    assert alone.galaxy is not None
    assert not alone.neighbours.any()
    assert overlap(apart.galaxy, alone.galaxy) > 0.97


@pytest.mark.parametrize(
    ("star", "radius"), [((165, 112, 10, 200), 15), ((150, 112, 5, 200), 8), ((154, 130, 4, 30), 4)]
)
def test_a_touching_star_is_no_part_of_it(
    star: tuple[float, float, float, float], radius: float
) -> None:
    alone = central_segment(painted((112, 112, 15, 180)))
    touching = segments(painted((112, 112, 15, 180), star))
    assert alone is not None
    assert touching.galaxy is not None
    place = disc(*star[:2], radius)
    assert touching.galaxy[112, 112]
    assert not (touching.galaxy & place).any()
    assert touching.neighbours[place].all()
    assert overlap(touching.galaxy, alone & ~place) > 0.8


def test_a_star_on_the_disc_takes_no_more_than_its_place() -> None:
    light = (112, 112, 25, 150)
    alone = central_segment(painted(light))
    found = segments(painted(light, (135, 120, 3, 250)))
    assert alone is not None
    assert found.galaxy is not None
    assert found.neighbours[120, 135]
    assert found.galaxy[120, 150]  # behind it
    assert found.neighbours.sum() < 4 * disc(135, 120, 6).sum()
    assert overlap(found.galaxy | found.neighbours, alone) > 0.97


@pytest.mark.parametrize("sky", [15, -4])
def test_arms_are_not_torn_off(sky: float) -> None:
    light = spiral()
    found = segments(exposed(light, sky))
    expected = ndimage.gaussian_filter(light + min(sky, 0), 1.5) > threshold()
    assert found.galaxy is not None
    assert overlap(found.galaxy, expected) > 0.85
    assert found.neighbours.mean() < 0.002


@pytest.mark.parametrize("seed", range(3))
def test_noise_of_a_clipped_jpeg_sky_is_neither_galaxy_nor_neighbour(seed: int) -> None:
    """As SDSS shows near galaxies: enlarged, the sky at or below black, compressed."""
    small = Image.fromarray(exposed(spiral()[::2, ::2], sky=-3, noise=5, seed=seed))
    pixels = jpeg(np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC)))
    assert np.median(np.asarray(small)[:30, :30]) == 0  # as its median deviation is
    found = segments(pixels)
    light = ndimage.gaussian_filter(spiral(), 1.5)
    assert found.galaxy is not None
    assert found.galaxy[light > 30].all()
    assert not found.galaxy[light < 3].any()
    assert found.neighbours.mean() < 0.003


def test_a_sloping_sky_is_no_light() -> None:
    y, x = np.mgrid[:SIZE, :SIZE] - 112
    light = 180 * np.exp(-(x**2 + y**2) / (2 * 18**2))
    found = segments(exposed(light + 0.15 * x - 0.1 * y, sky=40))
    assert found.galaxy is not None
    assert overlap(found.galaxy, disc(112, 112, radius_at(180, 18, threshold()))) > 0.93
    assert not found.neighbours.any()


def test_a_satellite_in_one_band_is_no_source() -> None:
    pixels = painted((112, 112, 15, 180))
    clean = segments(pixels)
    pixels[100:106, :, 1] = 230
    assert clean.galaxy is not None
    found = segments(pixels)
    assert found.galaxy is not None
    assert overlap(found.galaxy, clean.galaxy) > 0.97
    assert not found.neighbours.any()


def test_a_trail_in_all_bands_is_cut_off() -> None:
    pixels = painted((112, 112, 18, 180))
    alone = central_segment(pixels)
    pixels[90:94] = np.maximum(pixels[90:94], 120)
    found = segments(pixels)
    assert alone is not None
    assert found.galaxy is not None
    assert overlap(found.galaxy, alone) > 0.85
    assert not found.galaxy[:, [0, -1]].any()
    assert found.neighbours[91, [10, 210]].all()


def test_a_saturated_core_is_one_galaxy() -> None:
    found = segments(painted((112, 112, 20, 2000), noise=2))
    assert found.galaxy is not None
    assert found.galaxy[disc(112, 112, 45)].all()
    assert not found.neighbours.any()


def test_a_galaxy_that_fills_the_image_does_not_raise_its_own_sky() -> None:
    segment = central_segment(painted((112, 112, 50, 200)))
    assert segment is not None
    assert segment.mean() > 0.45


def test_nothing_at_the_centre_is_no_segment() -> None:
    assert central_segment(painted()) is None
    aside = segments(painted((30, 30, 10, 200)))
    assert aside.galaxy is None
    assert aside.neighbours[30, 30]
    for level in (0, 128, 255):
        nothing = segments(np.full((SIZE, SIZE, 3), level, np.uint8))
        assert nothing.galaxy is None
        assert not nothing.neighbours.any()


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1), st.booleans())
def test_any_image_has_segments_that_do_not_overlap(
    height: int, width: int, seed: int, bright: bool
) -> None:
    random = np.random.default_rng(seed)
    light = (
        150 * (random.random((height, width)) < 0.02)
        + 200
        * bright
        * disc(width / 2, height / 2, height / 5, max(height, width))[:height, :width]
    )
    found = segments(exposed(ndimage.gaussian_filter(light.astype(float), 1), seed=seed))
    assert found.neighbours.shape == (height, width)
    if found.galaxy is not None:
        assert found.galaxy.any()
        assert not (found.galaxy & found.neighbours).any()
        assert ndimage.label(found.galaxy)[1] == 1


@given(
    st.integers(1, 40).flatmap(
        lambda cells: st.tuples(st.just(cells), st.integers(cells, 60), st.integers(0, 2**32 - 1))
    )
)
def test_coverage_is_the_mean_over_each_cell(drawn: tuple[int, int, int]) -> None:
    cells, pixels, seed = drawn
    segment = np.random.default_rng(seed).random((pixels, pixels)) < 0.4
    # slow and obvious: cut every pixel in as many parts as there are cells
    fine = segment.repeat(cells, axis=0).repeat(cells, axis=1)
    expected = fine.reshape(cells, pixels, cells, pixels).mean(axis=(1, 3))
    share = coverage(segment, cells, cells)
    np.testing.assert_allclose(share, expected, atol=1e-12)
    assert share.mean() == pytest.approx(segment.mean())


@pytest.mark.slow
def test_every_real_galaxy_has_a_sensible_segment(data: Path) -> None:
    from zoolens.catalog.images.view import View

    view = View()
    for path in sorted((data / "images").glob("*.png")):
        with Image.open(path) as image:
            segment = central_segment(view.display(image.convert("RGB")))
        assert segment is not None, path.name
        # from the smallest to the one that fills the image, as the eye measures them
        assert 0.02 < segment.mean() < 0.6, path.name
        assert segment[106:119, 106:119].mean() > 0.5, path.name


@pytest.mark.slow
def test_stars_that_touch_real_galaxies_are_left_out(data: Path) -> None:
    from zoolens.catalog.images.view import View

    # x, y of a star or neighbour in the view, found by eye
    beside = {
        "J011703.59+000027.4": (146, 205),
        "J020551.72-003229.0": (78, 137),
        "J143655.66-002734.4": (168, 48),
        "J144021.05+055849.1": (184, 153),
        "J145242.38+181154.6": (169, 80),
    }
    for name, (x, y) in beside.items():
        with Image.open(data / "images" / f"{name}.png") as image:
            segment = central_segment(View().display(image.convert("RGB")))
        assert segment is not None
        assert not segment[y, x], name


@pytest.mark.slow
def test_sdss_galaxies_end_where_sep_says(data: Path) -> None:
    """No outline wanders through the noise of a clipped sky, and few reach the frame's edge."""
    pytest.importorskip("sep")
    pytest.importorskip("photutils")
    from benchmarks.segments import of_sep, shown

    images = []
    with tarfile.open(data / "sdss" / "images-03.tar") as tar:
        for member in itertools.islice(tar, 100):
            file = tar.extractfile(member)
            assert file is not None
            images.append(shown(io.BytesIO(file.read())))
    found = [segments(image) for image in images]
    galaxies = [each.galaxy for each in found if each.galaxy is not None]
    assert len(galaxies) == 100
    edge = [np.concatenate([g[[0, -1]].ravel(), g[:, [0, -1]].ravel()]) for g in galaxies]
    assert max(each.mean() for each in edge) < 0.05
    assert sum(each.any() for each in edge) <= 2
    areas = np.array([galaxy.sum() for galaxy in galaxies])
    peers = np.array([0 if s.galaxy is None else s.galaxy.sum() for s in map(of_sep, images)])
    ratio = areas[peers > 0] / peers[peers > 0]
    assert 0.9 < np.median(ratio) < 1.2
    assert (ratio > 2).sum() <= 5
    assert (ratio < 0.5).sum() <= 2
    assert np.mean([s.neighbours.mean() for s in found]) < 0.05
