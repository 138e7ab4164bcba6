"""Where the colours of maps end."""

import numpy as np
import pytest

from zoolens.catalog.explain.scale import largest_sum, scale_end

HIGH = np.array([[0.1, 0.2], [-0.3, 0.0]])


def test_the_largest_cell_of_all_maps_ends_the_scale() -> None:
    assert scale_end([HIGH, HIGH / 10], 0.05) == pytest.approx(0.3)
    assert largest_sum([HIGH]) == pytest.approx(0.3)
    assert largest_sum([-HIGH / 2, HIGH / 4]) == pytest.approx(0.15)


@pytest.mark.parametrize("cells", [2, 5, 20])
def test_below_the_floor_strength_goes_with_the_sum_whatever_the_cells(cells: int) -> None:
    for total, strength in ((0.005, 0.1), (0.025, 0.5), (0.05, 1), (3, 1)):
        spread = np.full((cells, cells), total / cells**2)
        assert spread.max() / scale_end([spread, 0 * spread], 0.05) == pytest.approx(strength)


def test_of_nothing_there_is_still_a_scale() -> None:
    assert scale_end([np.zeros((3, 3))], 0.05) == 1
    assert scale_end([], 0.05) == 1
    assert scale_end([HIGH / 1000], 0) == pytest.approx(0.0003), "no floor"
