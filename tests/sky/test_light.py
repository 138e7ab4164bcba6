"""Parts of a galaxy's light add up to its flux."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from zoolens.catalog.sky.field import nanomaggies
from zoolens.catalog.sky.galaxy import Galaxy, draw_galaxy
from zoolens.catalog.sky.grid import Grid
from zoolens.catalog.sky.light import PARTS, Light, draw_light, petrosian_loss

GRID = Grid(128, 0.5)


def first(family: str) -> Galaxy:
    drawn = (draw_galaxy(np.random.default_rng([9, number])) for number in range(1000))
    return next(galaxy for galaxy in drawn if galaxy.family == family)


def test_petrosian_radii_by_hand() -> None:
    assert petrosian_loss(0.5) == petrosian_loss(1) == 1
    assert petrosian_loss(4) == pytest.approx(1.39)


def test_a_redder_part_has_less_blue_light_and_its_share_of_red() -> None:
    light = Light(np.array([1.0, 2.0, 3.0], np.float32))
    shape = GRID.transform(np.zeros((128, 128), np.float32))
    light.add("bar", shape, 0.5, 2.5)
    np.testing.assert_allclose(light.fluxes["bar"], [0.05, 1.0, 1.5 * 10**0.7], rtol=1e-6)
    light.add("disc", shape, 0.25)
    np.testing.assert_allclose(light.fluxes["disc"], [0.25, 0.5, 0.75], rtol=1e-6)
    assert set(light.shapes) == {"bar", "disc"}


@pytest.mark.parametrize("family", ["smooth", "disc", "edge-on"])
@pytest.mark.parametrize("disturbance", ["none", "merger"])
def test_parts_add_up_to_the_galaxy(family: str, disturbance: str) -> None:
    torn: dict[str, Any] = {"tidal_fraction": 0.1, "companion_flux": 0.4, "companion_radius": 2.0}
    galaxy = dataclasses.replace(
        first(family),
        disturbance=disturbance,
        dust=0.0,
        **(torn if disturbance == "merger" else dict.fromkeys(torn, 0.0)),
    )
    light = draw_light(np.random.default_rng(0), GRID, galaxy)
    whole = nanomaggies(galaxy.magnitude, galaxy.g_r, galaxy.r_z)
    red = {name: flux[1] / whole[1] for name, flux in light.fluxes.items()}  # in r
    assert red.pop("companion", 0) == pytest.approx(galaxy.companion_flux, rel=1e-5)
    assert sum(red.values()) == pytest.approx(1, abs=1e-4)
    assert set(red) <= {*PARTS, "spheroid"}
    assert ("spheroid" in red) == (family == "smooth")
    assert ("tidal" in red) == (disturbance == "merger")
    for name, shape in light.shapes.items():
        assert shape[0, 0].real == pytest.approx(1, abs=1e-3), name  # flux 1


def test_dust_only_takes() -> None:
    galaxy = dataclasses.replace(first("edge-on"), dust=1.5)
    light = draw_light(np.random.default_rng(0), GRID, galaxy)
    assert (light.fluxes["dust"] < 0).all()
    assert -light.shapes["dust"][0, 0].real * light.fluxes["dust"][1] < light.fluxes["disc"][1]
