"""Light of discs and their parts: flux, symmetry, and shapes that are known."""

import dataclasses

import numpy as np
import pytest

from zoolens.catalog.sky.discs import (
    Plane,
    arms,
    bar,
    boxy_bulge,
    clumps,
    debris,
    dust_lane,
    edge_on_disc,
    exponential,
    plane,
    ring,
    rotated,
    unit,
)
from zoolens.catalog.sky.galaxy import Galaxy, draw_galaxy
from zoolens.catalog.sky.grid import Grid

GRID = Grid(128, 0.5)
MIDDLE = GRID.side // 2


@pytest.fixture(scope="module")
def round_disc() -> Galaxy:
    """A face-on disc without any part or break."""
    return dataclasses.replace(
        draw_galaxy(np.random.default_rng(0)),
        family="disc",
        radius=6.0,
        position_angle=0.0,
        axis_ratio=1.0,
        scale_length=4.0,
        break_radius=10.0,
        break_factor=1.0,
        bar="no",
        bar_length=0.0,
        bar_angle=0.0,
        ring_fraction=0.0,
        ring_radius=10.0,
        arm_count=2,
        pitch_angle=20.0,
        arm_sense=1,
        bulge_radius=5.0,
        companion_flux=0.0,
        dust=1.0,
    )


def disc_of(galaxy: Galaxy) -> Plane:
    return plane(GRID, galaxy)


def mirrored(image: np.ndarray) -> np.ndarray:
    """The image turned by half a turn about its centre, without the edge that has no partner."""
    return image[1:, 1:][::-1, ::-1]


def test_coordinates_are_turned_by_hand() -> None:
    along, across = rotated(GRID, np.pi / 2, (1.0, 2.0))
    np.testing.assert_allclose(along, np.broadcast_to(GRID.y - 2, along.shape), atol=1e-5)
    np.testing.assert_allclose(across, np.broadcast_to(1 - GRID.x, across.shape), atol=1e-5)


def test_flux_of_one_and_nothing_stays_nothing() -> None:
    image = np.random.default_rng(0).random((9, 9)).astype(np.float32)
    np.testing.assert_allclose(unit(image), image / image.sum(dtype=np.float64), rtol=1e-6)
    np.testing.assert_array_equal(unit(np.zeros((3, 3), np.float32)), np.zeros((3, 3)))


def test_a_plane_is_stretched_across(round_disc: Galaxy) -> None:
    inclined = plane(GRID, dataclasses.replace(round_disc, axis_ratio=0.5))
    along, across = 3.0, 4.0  # arcsec
    row, column = MIDDLE - int(across / 0.5), MIDDLE + int(along / 0.5)
    assert inclined.radius[row, column] == pytest.approx(np.hypot(3, 8))
    assert inclined.angle[row, column] == pytest.approx(np.arctan2(8, 3))
    lopsided = plane(GRID, round_disc, 0.2, 0.0)
    assert lopsided.radius[MIDDLE, MIDDLE + 10] == pytest.approx(5 * 1.2)
    assert lopsided.radius[MIDDLE, MIDDLE - 10] == pytest.approx(5 * 0.8)


def test_an_exponential_falls_by_e_a_scale_length_and_steeper_beyond_a_break(
    round_disc: Galaxy,
) -> None:
    light = exponential(disc_of(round_disc), round_disc)
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    profile = light[MIDDLE, MIDDLE:]  # every half arcsec
    np.testing.assert_allclose(profile[:40] / profile[8:48], np.e, rtol=1e-4)
    broken = dataclasses.replace(round_disc, break_factor=2.0)
    profile = exponential(disc_of(broken), broken)[MIDDLE, MIDDLE:]
    np.testing.assert_allclose(profile[:12] / profile[8:20], np.e, rtol=1e-4)
    np.testing.assert_allclose(profile[20:40] / profile[28:48], np.e**2, rtol=1e-4)


def test_a_strong_bar_has_swept_a_gap(round_disc: Galaxy) -> None:
    barred = dataclasses.replace(round_disc, bar="strong", bar_length=10.0)
    plain = exponential(disc_of(round_disc), round_disc)[MIDDLE, MIDDLE:]
    swept = exponential(disc_of(barred), barred)[MIDDLE, MIDDLE:]
    ratio = swept / plain
    assert np.argmin(ratio) == 14  # 7 arcsec: 0.7 of the bar
    assert ratio.min() / ratio[60] == pytest.approx(0.45, abs=0.01)


def test_a_bar_lies_along_its_angle_and_is_even(round_disc: Galaxy) -> None:
    barred = dataclasses.replace(round_disc, bar="strong", bar_length=8.0, bar_angle=np.pi / 2)
    light = bar(disc_of(barred), barred)
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(light[1:, 1:], mirrored(light), rtol=1e-3, atol=1e-9)
    spread = [float((light * axis**2).sum()) for axis in (GRID.x, GRID.y)]
    assert spread[1] > 8 * spread[0]
    weak = dataclasses.replace(barred, bar="weak")
    wide = bar(disc_of(weak), weak)
    assert (wide * GRID.x**2).sum() > 1.5 * spread[0]


def test_a_ring_is_brightest_at_its_radius_and_gone_at_the_centre(round_disc: Galaxy) -> None:
    light = ring(disc_of(round_disc), round_disc)
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    profile = light[MIDDLE, MIDDLE:]
    assert np.argmax(profile) == 20  # 10 arcsec
    assert profile[0] < 1e-10
    np.testing.assert_allclose(light, light.T, rtol=1e-3, atol=1e-12)
    np.testing.assert_allclose(light[1:, 1:], mirrored(light), rtol=1e-3, atol=1e-12)
    assert profile[20 + 3] == pytest.approx(profile[20] * np.exp(-((1.5 / 1.7) ** 2)), rel=1e-3)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_arms_are_as_many_as_said(round_disc: Galaxy, count: int) -> None:
    spiral = dataclasses.replace(round_disc, arm_count=count)
    disc = disc_of(spiral)
    light = arms(np.random.default_rng(2), disc, spiral)
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    assert light.min() >= 0
    here = np.abs(disc.radius - 6) < 0.4
    waves = [
        abs((light[here] * np.exp(1j * m * disc.angle[here])).sum()) / light[here].sum()
        for m in range(1, 5)
    ]
    assert np.argmax(waves) + 1 == count


def test_clumps_lie_where_there_is_light() -> None:
    where = np.zeros((GRID.side, GRID.side), np.float32)
    where[20:30, 90:100] = 1
    light = clumps(np.random.default_rng(1), GRID, where, 50)
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    assert light[12:38, 82:108].sum(dtype=float) > 0.999


def test_an_edge_on_disc_is_flat_and_even(round_disc: Galaxy) -> None:
    flat = dataclasses.replace(round_disc, axis_ratio=0.2)
    light = edge_on_disc(GRID, flat)
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(light[1:, 1:], mirrored(light), rtol=1e-4, atol=1e-10)
    height = light[MIDDLE + 4, MIDDLE] / light[MIDDLE, MIDDLE]  # sech^2 of 2 arcsec
    assert height == pytest.approx(np.cosh(2 / (0.2 * 1.1 * 4)) ** -2, rel=1e-4)


def test_dust_takes_light_from_the_mid_plane_and_never_more_than_there_is(
    round_disc: Galaxy,
) -> None:
    flat = dataclasses.replace(round_disc, axis_ratio=0.2)
    disc = edge_on_disc(GRID, flat)
    taken = dust_lane(GRID, flat, disc)
    assert (taken >= 0).all()
    assert (taken <= disc).all()
    share = (taken / disc)[:, MIDDLE]
    assert np.argmax(share) == MIDDLE
    assert share[MIDDLE] == pytest.approx(1 - np.exp(-1), rel=1e-5)
    assert not dust_lane(GRID, dataclasses.replace(flat, dust=0.0), disc).any()


def test_a_boxy_bulge_is_even_and_longer_than_high(round_disc: Galaxy) -> None:
    light = boxy_bulge(GRID, round_disc)
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(light[1:, 1:], mirrored(light), rtol=1e-4, atol=1e-10)
    spread = [float((light * axis**2).sum()) for axis in (GRID.x, GRID.y)]
    assert spread[0] > 1.5 * spread[1]


@pytest.mark.parametrize("family", ["smooth", "disc"])
@pytest.mark.parametrize("seed", range(3))
def test_debris_is_light_of_flux_one(round_disc: Galaxy, family: str, seed: int) -> None:
    torn = dataclasses.replace(round_disc, family=family, disturbance="major")
    light = debris(np.random.default_rng(seed), GRID, torn)
    assert np.isfinite(light).all()
    assert light.min() >= 0
    assert light.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    same = debris(np.random.default_rng(seed), GRID, torn)
    np.testing.assert_array_equal(light, same)
