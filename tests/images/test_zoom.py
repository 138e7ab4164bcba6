"""The zoom is torchvision's, and so Pillow's, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms.functional import InterpolationMode, affine

from zoolens.catalog.images.zoom import zoomed


def slowly(image: Image.Image, scale: float) -> Image.Image:
    """As torchvision's `RandomAffine` does it where it neither turns, moves nor shears."""
    return affine(image, 0, [0, 0], scale, [0.0, 0.0], InterpolationMode.BILINEAR)


@settings(max_examples=60)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.sampled_from(["RGB", "L"]),
    st.floats(1, 5),
    st.sampled_from([4, 256]),
)
def test_it_is_pillows(height: int, width: int, mode: str, scale: float, levels: int) -> None:
    random = np.random.default_rng(height * 1000 + width)
    # few levels fall on whole numbers often, where the last bit of a float decides
    shape = (height, width, 3) if mode == "RGB" else (height, width)
    image = Image.fromarray(random.integers(0, levels, shape, np.uint8))
    assert image.mode == mode
    found = zoomed(image, scale)
    assert (found.mode, found.size) == (mode, image.size)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(slowly(image, scale)))


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_by_hand(scale: float) -> None:
    image = Image.fromarray(np.array([[0, 100], [200, 40]], np.uint8))
    # twice as large, a pixel lies a quarter of the way to the other one: 0.75 and 0.25
    expected = {1.0: [[0, 100], [200, 40]], 2.0: [[58, 76], [126, 78]]}[scale]
    assert np.asarray(zoomed(image, scale)).tolist() == expected
