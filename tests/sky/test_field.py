"""Stars, neighbours and faults: how many, how bright, and in which bands."""

import dataclasses

import numpy as np
import pytest

from zoolens.catalog.sky.field import (
    _magnitude,
    artefact,
    nanomaggies,
    neighbours,
)
from zoolens.catalog.sky.galaxy import draw_galaxy
from zoolens.catalog.sky.grid import Grid

GRID = Grid(128, 0.5)
GALAXY = draw_galaxy(np.random.default_rng(3))


def test_fluxes_by_hand() -> None:
    np.testing.assert_allclose(nanomaggies(22.5, 0.0, 0.0), [1, 1, 1])
    np.testing.assert_allclose(nanomaggies(20.0, 2.5, 2.5), [1, 10, 100], rtol=1e-6)


def test_counts_rise_with_magnitude_as_said() -> None:
    random = np.random.default_rng(0)
    drawn = np.array([_magnitude(random, 18.0, 24.0, 0.33) for _ in range(20_000)])
    assert 18 <= drawn.min() < drawn.max() <= 24
    for limit in (21.0, 22.0, 23.0):
        share = (10 ** (0.33 * limit) - 10 ** (0.33 * 18)) / (10 ** (0.33 * 24) - 10 ** (0.33 * 18))
        assert (drawn < limit).mean() == pytest.approx(share, abs=0.012)


def test_a_larger_field_has_as_many_more_neighbours() -> None:
    def drawn(side: int) -> float:
        fields = [neighbours(np.random.default_rng(n), Grid(side, 0.5)) for n in range(40)]
        return float(np.median([(field[1] > 0).mean() for field in fields]))

    image = neighbours(np.random.default_rng(1), GRID)
    assert image.shape == (3, 128, 128)
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert 0.5 < drawn(128) / drawn(64) < 2  # the same share of the sky


def test_without_a_fault_there_is_none() -> None:
    plain = dataclasses.replace(GALAXY, artefact="none")
    assert artefact(np.random.default_rng(0), GRID, plain) is None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("kind", "bands"), [("star", 3), ("trail", 1), ("band", 1)])
def test_faults_are_in_the_bands_that_they_are_of(kind: str, bands: int, seed: int) -> None:
    faulty = dataclasses.replace(GALAXY, artefact=kind, radius=3.0)
    image = artefact(np.random.default_rng(seed), GRID, faulty)
    assert image is not None
    assert image.shape == (3, 128, 128)
    assert image.min() >= 0
    lit = image.reshape(3, -1).max(axis=1) > 0
    assert lit.sum() == bands
    if kind == "band":  # whole rows, or whole columns, of one height
        (band,) = image[lit]
        assert np.unique(band[band > 0]).size == 1
        assert any(not np.ptp(band, axis=axis).any() for axis in (0, 1))
    if kind == "star":
        peaks = [np.unravel_index(band.argmax(), band.shape) for band in image]
        assert len(set(peaks)) == 1
