import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.sky_colour import PHOTONS, decals_rgb


def _pixel(g: float, r: float, z: float) -> list[int]:
    rgb = decals_rgb(np.array([g, r, z], dtype=np.float32).reshape(3, 1, 1))
    return [int(value) for value in rgb[0, 0]]


def test_a_bright_pixel_by_hand() -> None:
    # saturation is 1; blue 125 x 0.8 = 100, green 71.43 x 1.4 = 100.0, red 52.63 x 1.9 = 100.0
    # arcsinh(100) = 5.2983, black arcsinh(-0.5) = -0.4812, white arcsinh(300) = 6.3969
    # (5.2983 + 0.4812) / (6.3969 + 0.4812) x 255 = 214.27
    assert _pixel(0.8, 1.4, 1.9) == [214, 214, 214]


def test_a_coloured_pixel_by_hand() -> None:
    # red 52.63 x 3.8 = 199.99: arcsinh 5.9915 -> 239.97; green 99.99 -> 214.27;
    # blue 125 x 0.4 = 50: arcsinh 4.6053 -> 188.58
    assert _pixel(0.4, 1.4, 3.8) == [239, 214, 188]


def test_a_faint_pixel_loses_saturation_by_hand() -> None:
    # mean flux 0.002 / 3 -> photons 400 for PHOTONS = 4e6: saturation 0.2
    assert PHOTONS == 4e6
    # channels red 0, green 0.14286, blue 0 -> grey 0.047620
    # green 0.047620 + 0.2 x 0.09524 = 0.066668, others 0.047620 - 0.2 x 0.04762 = 0.038096
    # green (0.066619 + 0.481212) / 6.878163 x 255 = 20.31, others 19.25
    assert _pixel(0.0, 0.002, 0.0) == [19, 20, 19]


def test_empty_sky_is_dark_grey_and_what_is_far_below_it_black() -> None:
    assert _pixel(0, 0, 0) == [17, 17, 17]
    assert _pixel(-1, -1, -1) == [0, 0, 0]


def test_a_saturated_pixel_is_white() -> None:
    assert _pixel(1e4, 1e4, 1e4) == [255, 255, 255]


@given(st.floats(0, 100), st.floats(1.0, 10.0))
def test_more_of_the_same_light_is_never_darker(flux: float, factor: float) -> None:
    less, more = _pixel(flux, flux, flux), _pixel(factor * flux, factor * flux, factor * flux)
    assert all(a <= b for a, b in zip(less, more, strict=True))


@pytest.mark.parametrize("shape", [(3, 4, 7), (3, 1, 1)])
def test_rows_and_columns_keep_their_places(shape: tuple[int, int, int]) -> None:
    grz = np.random.default_rng(0).gamma(1, 1, shape).astype(np.float32)
    rgb = decals_rgb(grz)
    assert rgb.shape == (*shape[1:], 3)
    last = decals_rgb(grz[:, -1:, -1:])
    assert np.array_equal(rgb[-1, -1], last[0, 0])
