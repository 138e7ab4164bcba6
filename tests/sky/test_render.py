import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.sky.galaxy import Galaxy, draw_galaxy
from zoolens.catalog.sky.grid import Grid
from zoolens.catalog.sky.light import PARTS, draw_light
from zoolens.catalog.sky.population import FRAME_PIXELS, SMALLEST_SCALE_ARCSEC
from zoolens.catalog.sky.render import (
    FEATURES,
    PHOTONS,
    Scene,
    decals_rgb,
    feature_mask,
    native_frame,
    render,
    sky_noise,
)


def _pixel(g: float, r: float, z: float) -> list[int]:
    rgb = decals_rgb(np.array([g, r, z], dtype=np.float32).reshape(3, 1, 1))
    return [int(value) for value in rgb[0, 0]]


def test_a_bright_pixel_by_hand() -> None:
    # saturation is 1; blue 125 x 0.8 = 100, green 71.43 x 1.4 = 100.0, red 52.63 x 1.9 = 100.0
    # arcsinh(100) = 5.2983, black arcsinh(-0.5) = -0.4812, white arcsinh(300) = 6.3969
    # (5.2983 + 0.4812) / (6.3969 + 0.4812) x 255 = 214.27
    assert _pixel(0.8, 1.4, 1.9) == [214, 214, 214]


def test_a_coloured_pixel_by_hand() -> None:
    # red 52.63 x 3.8 = 199.99: arcsinh 5.9915 -> 239.97; green 99.99 -> 214.27;
    # blue 125 x 0.4 = 50: arcsinh 4.6053 -> 188.58
    assert _pixel(0.4, 1.4, 3.8) == [239, 214, 188]


def test_a_faint_pixel_loses_saturation_by_hand() -> None:
    # mean flux 0.002 / 3 -> photons 400 for PHOTONS = 4e6: saturation 0.2
    assert PHOTONS == 4e6
    # channels red 0, green 0.14286, blue 0 -> grey 0.047620
    # green 0.047620 + 0.2 x 0.09524 = 0.066668, others 0.047620 - 0.2 x 0.04762 = 0.038096
    # green (0.066619 + 0.481212) / 6.878163 x 255 = 20.31, others 19.25
    assert _pixel(0.0, 0.002, 0.0) == [19, 20, 19]


def test_empty_sky_is_dark_grey_and_what_is_far_below_it_black() -> None:
    assert _pixel(0, 0, 0) == [17, 17, 17]
    assert _pixel(-1, -1, -1) == [0, 0, 0]


def test_a_saturated_pixel_is_white() -> None:
    assert _pixel(1e4, 1e4, 1e4) == [255, 255, 255]


@given(st.floats(0, 100), st.floats(1.0, 10.0))
def test_more_of_the_same_light_is_never_darker(flux: float, factor: float) -> None:
    less, more = _pixel(flux, flux, flux), _pixel(factor * flux, factor * flux, factor * flux)
    assert all(a <= b for a, b in zip(less, more, strict=True))


@pytest.mark.parametrize("shape", [(3, 4, 7), (3, 1, 1)])
def test_rows_and_columns_keep_their_places(shape: tuple[int, int, int]) -> None:
    grz = np.random.default_rng(0).gamma(1, 1, shape).astype(np.float32)
    rgb = decals_rgb(grz)
    assert rgb.shape == (*shape[1:], 3)
    last = decals_rgb(grz[:, -1:, -1:])
    assert np.array_equal(rgb[-1, -1], last[0, 0])


SEED = 8


def _find(number_of_family: str, **wanted: object) -> Galaxy:
    """The first galaxy drawn that is of a family and has these parameters."""
    for number in range(5000):
        galaxy = draw_galaxy(np.random.default_rng([SEED, number]))
        values = dataclasses.asdict(galaxy)
        if galaxy.family == number_of_family and all(values[k] == v for k, v in wanted.items()):
            return galaxy
    raise AssertionError(f"no {number_of_family} galaxy with {wanted}")


def _draw(galaxy: Galaxy, size: int = 96) -> Scene:
    return render(np.random.default_rng(SEED), galaxy, size)


@pytest.fixture(scope="module")
def barred() -> Galaxy:
    return dataclasses.replace(
        _find("disc", bar="strong", arm_count=2, disturbance="merger"),
        artefact="trail",
        clump_fraction=0.1,
        ring_fraction=0.1,
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_mask_covers_what_a_picture_without_the_part_lacks(part: str, barred: Galaxy) -> None:
    native, scale = native_frame(barred.frame_scale)
    scene = _draw(barred, native)  # no resizing
    canvas = Grid(native + native % 2 + 40, scale)
    light = draw_light(np.random.default_rng(3), canvas, barred)
    blur = canvas.seeing(1.2)

    def picture(names: set[str]) -> np.ndarray:
        waves = sum(light.shapes[name] * light.fluxes[name][1] for name in names)
        return canvas.image(waves * blur)

    difference = np.abs(picture(set(light.shapes)) - picture(set(light.shapes) - {part}))
    mask = feature_mask(part, difference, scene.noise)
    assert difference[mask].sum() >= 0.9 * difference.sum()
    # and the scene's own mask holds as much of the scene's own feature
    own = scene.features[part]
    assert own[scene.masks[part]].sum() >= 0.9 * own.sum()
    assert scene.masks[part].mean() < 0.6


def test_the_bar_mask_lies_along_the_bar(barred: Galaxy) -> None:
    galaxy = dataclasses.replace(
        barred, axis_ratio=1.0, position_angle=0.0, bar_angle=0.0, bar_length=2 * barred.radius
    )
    rows, columns = np.nonzero(_draw(galaxy, 128).masks["bar"])
    assert columns.std() > 1.8 * rows.std()
    assert abs(columns.mean() - 63.5) < 2
    assert abs(rows.mean() - 63.5) < 2


def test_the_companion_is_where_the_truth_says(barred: Galaxy) -> None:
    galaxy = dataclasses.replace(barred, companion_x=4.0, companion_y=6.0)
    scene = _draw(galaxy, 128)
    image = scene.features["companion"]
    row, column = np.unravel_index(image.argmax(), image.shape)
    # x to the right, y up; to a pixel
    assert (column - 63.5) * scene.pixel == pytest.approx(4.0, abs=1.5 * scene.pixel)
    assert (63.5 - row) * scene.pixel == pytest.approx(6.0, abs=1.5 * scene.pixel)


def test_features_are_those_that_the_galaxy_has(barred: Galaxy) -> None:
    assert set(_draw(barred).masks) == set(FEATURES)
    plain = dataclasses.replace(_find("smooth", disturbance="none"), artefact="none")
    assert set(_draw(plain).masks) == {"galaxy", "neighbour"}


@pytest.mark.parametrize("artefact", ["star", "trail", "band"])
def test_artefacts_change_the_picture_inside_their_mask(artefact: str) -> None:
    plain = dataclasses.replace(_find("smooth", disturbance="none"), artefact="none")
    spoilt = _draw(dataclasses.replace(plain, artefact=artefact), 128)
    mask = spoilt.masks["artefact"]
    assert 0 < mask.mean() < 1
    bright = spoilt.rgb.max(axis=2)
    assert bright[mask].mean() > bright[~mask].mean() + 10


@pytest.mark.parametrize("family", ["smooth", "disc", "edge-on"])
def test_the_galaxy_has_its_flux(family: str) -> None:
    galaxy = dataclasses.replace(_find(family, disturbance="none"), artefact="none")
    scene = _draw(galaxy, 128)
    native, _ = native_frame(galaxy.frame_scale)
    flux = float(scene.features["galaxy"].sum()) * (native / 128) ** 2
    # the frame ends at 8.5 half-light radii, and dust takes some
    lost = 0.5 if galaxy.dust else 0.08
    assert (1 - lost) < flux / 10 ** (0.4 * (22.5 - galaxy.magnitude)) < 1.02


def test_one_stream_one_picture(barred: Galaxy) -> None:
    assert np.array_equal(_draw(barred).rgb, _draw(barred).rgb)
    assert not np.array_equal(
        _draw(barred).rgb, render(np.random.default_rng(SEED + 1), barred, 96).rgb
    )


@pytest.mark.parametrize("radius", [1.5, 6.0, 40.0])
@pytest.mark.slow
def test_any_size_of_galaxy_can_be_drawn(radius: float, barred: Galaxy) -> None:
    growth = radius / barred.radius
    lengths: tuple[str, ...] = (
        "radius",
        "frame_scale",
        "scale_length",
        "bulge_radius",
        "bar_length",
    )
    lengths += ("ring_radius", "break_radius", "companion_radius", "companion_x", "companion_y")
    larger = {name: getattr(barred, name) * growth for name in lengths}
    scene = _draw(dataclasses.replace(barred, **larger), 64)
    assert scene.rgb.shape == (64, 64, 3)
    assert 8 < np.median(scene.rgb) < 40  # sky, neither black nor washed out


def test_sky_noise_gives_the_depth_back() -> None:
    noise = sky_noise(np.array([1.29, 1.18, 1.11]), 0.262)
    # five sigma in g: 10^(0.4 (22.5 - 24.65)) = 0.13804; the area of a Gaussian of
    # 1.29 arcsec is 4 pi 0.54777^2 = 3.7706 arcsec^2 = 54.93 pixels
    assert noise[0] == pytest.approx(0.13804 / 5 / np.sqrt(54.93), rel=1e-3)


@pytest.mark.slow
def test_the_frame_follows_the_light_that_is_seen() -> None:
    """Frames are 17 Petrosian half-light radii wide, measured in circles on the picture."""
    ratios = []
    for number in range(160):
        galaxy = draw_galaxy(np.random.default_rng([SEED, number]))
        if galaxy.frame_scale > 1.05 * SMALLEST_SCALE_ARCSEC:
            radius = _petrosian_half_light(_draw(galaxy).features["galaxy"])
            ratios.append(radius * FRAME_PIXELS * 0.04)
    assert len(ratios) > 50
    # seeing, debris and shapes that are no circles: a tenth on average, a quarter each
    assert 0.9 < np.median(ratios) < 1.1
    assert np.std(np.log(ratios)) < 0.25


def _petrosian_half_light(light: np.ndarray) -> float:
    """Radius of the circle that holds half of the Petrosian flux, as a share of the side."""
    size = len(light)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    order = np.argsort(np.hypot(x, y), axis=None)
    radius = np.hypot(x, y).ravel()[order]
    flux = np.cumsum(light.ravel()[order], dtype=np.float64)
    rings = np.arange(2, size // 2)
    within = np.interp(rings, radius, flux)
    local = np.diff(within) / np.diff(np.pi * rings**2)
    mean = (within / (np.pi * rings**2))[1:]
    edge = rings[1:][np.argmax(local < 0.2 * mean)]
    total = np.interp(2 * edge, radius, flux)
    return float(np.interp(total / 2, flux, radius) / size)
