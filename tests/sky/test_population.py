import numpy as np
import pytest

from zoolens.catalog.sky.galaxy import Galaxy, draw_galaxy
from zoolens.catalog.sky.population import (
    FAINTEST_SURFACE,
    MAGNITUDE_LIMIT,
    REDSHIFT_LIMIT,
    draw_member,
    frame_scale,
    half_light_radius,
    red_fraction,
)


@pytest.fixture(scope="module")
def sample() -> list[Galaxy]:
    return [draw_galaxy(np.random.default_rng([5, number])) for number in range(2000)]


@pytest.mark.parametrize("limit", [MAGNITUDE_LIMIT, 15.0])
def test_the_sample_keeps_its_limits(limit: float) -> None:
    for number in range(500):
        member = draw_member(np.random.default_rng(number), limit)
        surface = member.magnitude + 2.5 * np.log10(2 * np.pi * member.radius**2)
        # the luminosity table is stepped: a hundredth of a magnitude of slack
        assert member.magnitude < limit + 0.02
        assert 0 < member.redshift <= REDSHIFT_LIMIT
        assert member.radius > 1.5
        assert surface < FAINTEST_SURFACE


@pytest.mark.parametrize(
    ("radius", "concentration", "scale"),
    [(5.0, 2.4, 0.2), (5.0, 1.5, 0.15), (1.5, 2.4, 0.1), (2.5, 3.0, 0.1)],
)
def test_the_frame_follows_the_petrosian_radii(
    radius: float, concentration: float, scale: float
) -> None:
    assert frame_scale(radius, concentration) == pytest.approx(scale)


def test_brighter_galaxies_are_nearer_and_larger() -> None:
    near, all_ = (
        [draw_member(np.random.default_rng(number), limit) for number in range(300)]
        for limit in (15.0, MAGNITUDE_LIMIT)
    )
    for quantity in ("radius", "redshift"):
        medians = [np.median([getattr(m, quantity) for m in some]) for some in (near, all_)]
        # distances go as 10^(0.2 x 2.8) = 3.6; what is small in angle is cut from `all_`
        ratio = medians[0] / medians[1]
        assert ratio > 1.5 if quantity == "radius" else ratio < 0.5


def test_sizes_have_the_published_median() -> None:
    # Shen et al. 2003 at M = -20.52: late types 10^(1.7237 + 0.0963 - 1.31) = 3.236 kpc;
    # at z = 0.05 the angular distance is 201.7 Mpc
    drawn = [
        half_light_radius(np.random.default_rng(number), -20.52, 0.05, False)
        for number in range(2000)
    ]
    kpc = np.median(drawn) / 206265 * 201.7e3
    # 2000 draws of 0.37 in the logarithm: the median to 1 %, three times
    assert kpc == pytest.approx(3.236, rel=0.03)


def test_luminous_galaxies_are_red_more_often() -> None:
    shares = [red_fraction(absolute) for absolute in (-17, -19, -21, -23)]
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] > 0.8


def test_parts_take_no_more_light_than_there_is(sample: list[Galaxy]) -> None:
    for galaxy in sample:
        assert 0 <= galaxy.tidal_fraction < 1
        assert 0 <= galaxy.bulge_fraction < 1
        assert galaxy.bar_fraction + galaxy.ring_fraction + galaxy.clump_fraction < 0.95
        assert 0 <= galaxy.arm_fraction < 0.97


def test_only_discs_that_are_seen_have_what_only_they_have(sample: list[Galaxy]) -> None:
    for galaxy in sample:
        if galaxy.family != "disc":
            assert galaxy.bar == "no"
            assert galaxy.arm_count == 0
            assert galaxy.ring_fraction == 0
        assert (galaxy.edge_on_bulge == "absent") == (galaxy.family != "edge-on")
        assert (galaxy.companion_flux > 0) == (galaxy.disturbance == "merger")
        assert (galaxy.bar_fraction > 0) == (galaxy.bar != "no")


def test_every_kind_of_galaxy_occurs(sample: list[Galaxy]) -> None:
    for name, kinds in {
        "family": {"smooth", "disc", "edge-on"},
        "bar": {"strong", "weak", "no"},
        "edge_on_bulge": {"boxy", "rounded", "none", "absent"},
        "disturbance": {"none", "minor", "major", "merger"},
        "artefact": {"none", "star", "trail", "band"},
        "arm_count": set(range(8)),
    }.items():
        assert {getattr(galaxy, name) for galaxy in sample} == kinds


def test_shares_are_those_of_the_literature(sample: list[Galaxy]) -> None:
    discs = [galaxy for galaxy in sample if galaxy.family == "disc"]
    barred = np.mean([galaxy.bar != "no" for galaxy in discs])
    # Masters et al. 2011 and Géron et al. 2021, 0.3 to 0.45; 1100 discs, +- 0.015
    assert 0.3 < barred < 0.48
    pitch = np.median([galaxy.pitch_angle for galaxy in discs if galaxy.arm_count])
    assert 17 < pitch < 21  # Hart et al. 2017
    assert 0.02 < np.mean([galaxy.disturbance == "merger" for galaxy in sample]) < 0.05
