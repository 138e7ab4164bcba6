"""Segments of painted galaxies, whose true extent is known, and of all real ones."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from zoolens.catalog.images import segments
from zoolens.catalog.images.segments import central_segment, coverage

SIZE = 224


def painted(
    *spots: tuple[float, float, float, float], size: int = SIZE, noise: float = 4, seed: int = 0
) -> npt.NDArray[np.uint8]:
    """Gaussian spots (x, y, sd, height) on a noisy sky of level 15."""
    y, x = np.mgrid[:size, :size]
    sky = 15 + noise * np.random.default_rng(seed).standard_normal((size, size, 3))
    for x0, y0, sd, height in spots:
        sky += height * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sd**2))[..., None]
    return np.clip(sky.round(), 0, 255).astype(np.uint8)


def disc(x0: float, y0: float, radius: float, size: int = SIZE) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:size, :size]
    within: npt.NDArray[np.bool_] = np.hypot(x - x0, y - y0) < radius
    return within


def radius_at(height: float, sd: float, threshold: float) -> float:
    return float(sd * np.sqrt(2 * np.log(height / threshold)))


def overlap(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_painted_galaxy_has_the_extent_of_its_isophote() -> None:
    # the mean of three channels: a noise of 4 / sqrt(3), of which the threshold is 4
    segment = central_segment(painted((112, 112, 20, 180)))
    assert segment is not None
    assert segment.dtype == bool
    expected = disc(112, 112, radius_at(180, 20, 4 * 4 / np.sqrt(3)))
    assert overlap(segment, expected) > 0.93


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.8))
def test_holes_are_filled_as_scipy_fills_them(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((9, 13)) < share
    np.testing.assert_array_equal(segments._filled(mask), ndimage.binary_fill_holes(mask))


def test_looking_only_where_there_is_light_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbours of all sizes, fainter and brighter than the galaxy, touching it or not."""
    random = np.random.default_rng(0)
    pictures = []
    for seed in range(12):
        near = [(*random.uniform(60, 164, 2), *random.uniform((4, 30), (12, 200))) for _ in "123"]
        pictures.append(painted((112, 112, 18, 120), *near, seed=seed))
    quick = [central_segment(picture) for picture in pictures]
    monkeypatch.setattr(segments, "_box", lambda mask: tuple(slice(0, n) for n in mask.shape))
    for one, picture in zip(quick, pictures, strict=True):
        np.testing.assert_array_equal(one, central_segment(picture))


@pytest.mark.parametrize("size", [96, 424])
def test_lengths_scale_with_the_image(size: int) -> None:
    scale = size / SIZE
    centre = size / 2
    segment = central_segment(painted((centre, centre, 20 * scale, 180), size=size))
    assert segment is not None
    expected = disc(centre, centre, scale * radius_at(180, 20, 4 * 4 / np.sqrt(3)), size)
    assert overlap(segment, expected) > 0.8  # at 96 pixels a sixth of it is its edge


def test_neighbours_are_parted_from_the_galaxy() -> None:
    apart = central_segment(painted((112, 112, 15, 180), (30, 40, 12, 200)))
    assert apart is not None
    assert apart[112, 112]
    assert not apart[40, 30]
    touching = central_segment(painted((112, 112, 15, 180), (165, 112, 10, 200)))
    assert touching is not None
    assert touching[112, 112]
    assert not touching[112, 165]
    alone = central_segment(painted((112, 112, 15, 180)))
    assert alone is not None
    assert overlap(touching, alone & ~disc(165, 112, 15)) > 0.85


def test_a_galaxy_that_fills_the_image_does_not_raise_its_own_sky() -> None:
    segment = central_segment(painted((112, 112, 50, 200)))
    assert segment is not None
    assert segment.mean() > 0.45


def test_nothing_at_the_centre_is_no_segment() -> None:
    assert central_segment(painted()) is None
    assert central_segment(painted((30, 30, 10, 200))) is None
    for level in (0, 128, 255):
        assert central_segment(np.full((SIZE, SIZE, 3), level, np.uint8)) is None


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
