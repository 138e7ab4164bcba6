"""Turned and mirrored images against NumPy's, and against the group that they form."""

import itertools

import numpy as np
import pytest
import torch

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.network.orientations import (
    ORIENTATIONS,
    check_orientations,
    check_upright,
    even,
    turned,
    turned_back,
)

IMAGES = torch.arange(2 * 3 * 5 * 5, dtype=torch.float32).reshape(2, 3, 5, 5)
# Slowly: what is at (y, x) of a square of side 5, of each orientation.
SEEN = [
    lambda y, x: (y, x),
    lambda y, x: (4 - y, 4 - x),  # upside down
    lambda y, x: (x, 4 - y),  # a quarter counter-clockwise: what was at the right is on top
    lambda y, x: (4 - x, y),
    lambda y, x: (y, 4 - x),  # the mirror image
    lambda y, x: (4 - y, x),
    lambda y, x: (x, y),
    lambda y, x: (4 - x, 4 - y),
]


@pytest.mark.parametrize("orientation", range(8))
def test_pixels_are_moved_and_moved_back(orientation: int) -> None:
    found, pixels = turned(IMAGES, orientation).numpy(), IMAGES.numpy()
    for y, x in itertools.product(range(5), repeat=2):
        there = SEEN[orientation](y, x)
        np.testing.assert_array_equal(found[..., y, x], pixels[..., there[0], there[1]])
    assert torch.equal(turned_back(torch.from_numpy(found), orientation), IMAGES)


@pytest.mark.parametrize("orientations", ORIENTATIONS)
def test_orientations_are_a_group(orientations: int) -> None:
    """So that those of a turned image are those of the image, in another order."""

    def all_of(images: torch.Tensor) -> set[bytes]:
        return {turned(images, o).numpy().tobytes() for o in range(orientations)}

    assert len(all_of(IMAGES)) == orientations
    for orientation in range(orientations):
        assert all_of(turned(IMAGES, orientation)) == all_of(IMAGES)


def test_what_cannot_be_is_said_in_one_line() -> None:
    for orientations, samples in ((1, 30), (2, 30), (4, 32), (8, 32), (8, 0)):
        check_orientations(orientations, samples)
    for wrong in (0, 3, 16, -1):
        with pytest.raises(UnknownName, match=f"no {wrong} orientations.* choose one of 1, 2, 4"):
            check_orientations(wrong, 30)
    with pytest.raises(CatalogError, match=r"30 dropout .* 8 orientations; choose 24 or 32$"):
        check_orientations(8, 30)
    with pytest.raises(CatalogError, match=r"choose 8$"):
        check_orientations(8, 5)
    check_upright(1)
    with pytest.raises(CatalogError, match="leave out --orientations"):
        check_upright(2)


def test_as_few_samples_as_share_out_evenly() -> None:
    assert [even(30, o) for o in ORIENTATIONS] == [30, 30, 32, 32]
    assert even(0, 8) == 0
