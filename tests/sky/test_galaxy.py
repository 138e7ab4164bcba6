"""True parameters of galaxies: in range, and of one kind with each other."""

import numpy as np
import pytest

from zoolens.catalog.sky.galaxy import BREAKS, EDGE_ON, HALF_LIGHT, Galaxy, draw_galaxy


@pytest.fixture(scope="module")
def galaxies() -> list[Galaxy]:
    return [draw_galaxy(np.random.default_rng([5, n])) for n in range(600)]


def test_the_same_seed_is_the_same_galaxy() -> None:
    one, same, other = (draw_galaxy(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_families_agree_with_their_inclination(galaxies: list[Galaxy]) -> None:
    assert {galaxy.family for galaxy in galaxies} == {"smooth", "disc", "edge-on"}
    for galaxy in galaxies:
        inclined = np.cos(galaxy.inclination) < EDGE_ON
        if galaxy.family != "smooth":
            assert (galaxy.family == "edge-on") == inclined
            assert galaxy.sersic_index == 1
        assert 0.08 <= galaxy.axis_ratio <= 1


def test_only_edge_on_galaxies_have_their_kind_of_bulge_and_dust(galaxies: list[Galaxy]) -> None:
    for galaxy in galaxies:
        assert (galaxy.edge_on_bulge == "absent") == (galaxy.family != "edge-on")
        if galaxy.edge_on_bulge == "none":
            assert galaxy.bulge_fraction == 0
        if galaxy.edge_on_bulge in ("rounded", "boxy"):
            assert galaxy.bulge_fraction >= 0.12
        assert (galaxy.dust > 0) == (galaxy.family == "edge-on" and not galaxy.red)


def test_breaks_are_the_published_ones(galaxies: list[Galaxy]) -> None:
    for red, shares in BREAKS.items():
        drawn = [galaxy.break_factor for galaxy in galaxies if galaxy.red == red]
        for factor, share in zip(HALF_LIGHT, shares, strict=True):
            assert np.mean(np.array(drawn) == factor) == pytest.approx(share, abs=0.1)
    for galaxy in galaxies:
        assert 1.8 <= galaxy.break_radius / galaxy.scale_length <= 3.2


def test_what_is_not_there_has_no_light(galaxies: list[Galaxy]) -> None:
    for galaxy in galaxies:
        assert (galaxy.bar == "no") == (galaxy.bar_fraction == 0) == (galaxy.bar_length == 0)
        assert (galaxy.arm_count == 0) == (galaxy.arm_fraction == 0)
        assert (galaxy.disturbance == "none") == (galaxy.tidal_fraction == 0)
        merges = galaxy.disturbance == "merger"
        assert merges == (galaxy.companion_flux > 0) == (galaxy.companion_radius > 0)
        away = np.hypot(galaxy.companion_x, galaxy.companion_y) / galaxy.radius
        assert 0.9 <= away <= 2.6 if merges else away == 0
