"""Statistics of maps small enough to work out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from catalog.map_statistics import map_statistics

MAP = np.array([[[0.0, 3.0], [-2.0, 1.0]]], np.float32)


def test_by_hand() -> None:
    on_galaxy = np.array([[1.0, 0.5], [1.0, 0.0]])
    found = map_statistics(MAP, on_galaxy)
    assert found["increase"] == [4.0]
    assert found["decrease"] == [-2.0]
    assert found["on_target"] == pytest.approx([1.5 / 4])
    assert (found["peak_x"], found["peak_y"]) == ([1], [0])
    # all positive saliency is in the right column, centred half a width from the middle;
    # its rows' mean is (3 * -0.5 + 1 * 0.5) / 4 half widths
    assert found["centroid_offset"] == pytest.approx([np.hypot(0.5, -0.25)])
    p = np.array([3, 2, 1]) / 6
    assert found["entropy"] == pytest.approx([-(p * np.log(p)).sum() / np.log(4)])


def test_extremes() -> None:
    one, even = np.zeros((2, 4, 4), np.float32)
    one[0, 0] = 5
    even[:] = -0.1
    found = map_statistics(np.stack([one, even]), np.ones((4, 4)))
    np.testing.assert_allclose(found["entropy"], [0, 1], atol=1e-12)
    assert found["centroid_offset"][0] == pytest.approx(np.hypot(0.75, 0.75))
    # nothing positive: nothing to be on the target, and no centroid
    assert np.isnan(found["on_target"][1])
    assert np.isnan(found["centroid_offset"][1])
    assert found["on_target"][0] == 1


def test_without_segment_or_saliency() -> None:
    nothing = np.zeros((1, 3, 3), np.float32)
    for name in ("on_target", "centroid_offset", "entropy"):
        assert np.isnan(map_statistics(nothing, np.ones((3, 3)))[name])
    assert np.isnan(map_statistics(MAP, None)["on_target"])
    assert map_statistics(nothing, None)["increase"] == [0]
    # one cell is neither concentrated nor spread
    assert np.isnan(map_statistics(np.ones((1, 1, 1), np.float32), None)["entropy"])
    assert map_statistics(np.empty((0, 7, 7), np.float32), None)["increase"].shape == (0,)


@given(
    arrays(np.float32, (3, 5, 5), elements=st.floats(-1e4, 1e4, width=32)),
    arrays(np.float64, (5, 5), elements=st.floats(0, 1)),
)
def test_ranges_and_sums(maps: np.ndarray, coverage: np.ndarray) -> None:
    found = map_statistics(maps, coverage)
    for name in ("on_target", "entropy"):
        values = found[name][~np.isnan(found[name])]
        assert ((values >= 0) & (values <= 1 + 1e-9)).all()
    total = maps.astype(np.float64).sum((1, 2))
    np.testing.assert_allclose(found["increase"] + found["decrease"], total, atol=1e-6)
    assert (found["decrease"] <= 0).all()
    peaks = maps[np.arange(3), found["peak_y"], found["peak_x"]]
    assert (peaks == maps.max((1, 2))).all()
