"""Basins against a walk uphill, against labels, and of spots whose saddle is known."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from zoolens.catalog.images.basins import NOWHERE, Basins, basins

CORNERS = np.ones((3, 3), np.bool_)


def flooded(light: npt.NDArray[np.float32], threshold: float, **criteria: float) -> Basins:
    chosen = {"contrast": 0.01, "ratio": 1.5, "clear": 0.1, "pixels": 4} | criteria
    return basins(light, ndimage.label(light > threshold, CORNERS)[0], **chosen)


def uphill(light: npt.NDArray[np.float32], y: int, x: int) -> tuple[int, int]:
    """The peak that is reached from a pixel by always going to the brightest around it."""
    while True:
        near = [
            (light[v, u], (v, u))
            for v in range(max(y - 1, 0), min(y + 2, light.shape[0]))
            for u in range(max(x - 1, 0), min(x + 2, light.shape[1]))
        ]
        best = max(near)[1]
        if best == (y, x):
            return best
        y, x = best


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
def test_if_every_peak_counts_each_pixel_goes_to_the_peak_uphill(
    seed: int, height: int, width: int
) -> None:
    values = np.random.default_rng(seed).permutation(height * width)
    light = values.reshape(height, width).astype(np.float32)
    found = flooded(light, height * width / 4, contrast=-1)
    for y, x in np.ndindex(light.shape):
        if light[y, x] > height * width / 4:
            assert found.of[y, x] == found.of[uphill(light, y, x)]
        else:
            assert found.of[y, x] == NOWHERE
    peaks = {uphill(light, y, x) for y, x in np.argwhere(found.of >= 0).tolist()}
    assert len({found.of[peak] for peak in peaks}) == len(peaks)
    np.testing.assert_array_equal(
        found.pixels, np.bincount(found.of[found.of >= 0], minlength=len(found.pixels))
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_if_no_peak_counts_what_is_connected_is_one(seed: int, threshold: float) -> None:
    light = np.random.default_rng(seed).random((11, 14)).astype(np.float32)
    found = flooded(light, threshold, contrast=9, ratio=1e9)
    labels, count = ndimage.label(light > threshold, CORNERS)
    assert len(np.unique(found.of[found.of >= 0])) == count
    pairs = set(zip(labels.ravel().tolist(), found.of.ravel().tolist(), strict=True))
    assert len(pairs) == len(np.unique(labels))
    assert not found.saddle.any()
    assert not found.bright.any()


def spots(height: float) -> npt.NDArray[np.float32]:
    """A spot of 100 at (20, 20), one of `height` at (20, 40), and their saddle between."""
    y, x = np.mgrid[:41, :61]
    each = [
        peak * np.exp(-((x - x0) ** 2 + (y - 20) ** 2) / (2 * 5.0**2))
        for x0, peak in ((20, 100), (40, height))
    ]
    return np.add(*each).astype(np.float32)


@pytest.mark.parametrize(
    ("height", "criteria", "parted", "bright"),
    [
        (60, {"contrast": 0.05, "ratio": 1e9}, True, True),
        (60, {"contrast": 0.5, "ratio": 1e9}, False, False),
        (60, {"contrast": 0.5}, True, False),
        (60, {"contrast": 0.5, "clear": 59}, False, False),
        (60, {"contrast": 0.5, "pixels": 10000}, False, False),
        (30, {"contrast": 0.5, "ratio": 2.5}, False, False),
    ],
)
def test_what_makes_a_source_of_its_own(
    height: float, criteria: dict[str, float], parted: bool, bright: bool
) -> None:
    light = spots(height)
    found = flooded(light, 1, **criteria)
    weak, strong = found.of[20, 40], found.of[20, 20]
    assert (weak != strong) == parted
    assert found.bright[weak] == bright
    if parted:
        assert found.saddle[weak] == light[20, 20:41].min()
        assert found.saddle[strong] == 0
        assert not found.bright[strong]
