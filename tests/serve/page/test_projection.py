"""The projections of the sky map beside matplotlib's, and there and back."""

import numpy as np
import pytest
from matplotlib.projections.geo import LambertAxes, MollweideAxes

from tests.made.browsers import NEEDS_CHROMIUM
from tests.serve.page.conftest import Opener

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]

_PLACES = [(0.0, 0.0), (180.0, 0.0), (359.0, -85.0), (200.0, 60.0), (90.5, 89.9), (10.0, -30.0)]
_CENTRE = {"ra": 150.0, "dec": 20.0}


def test_projections_are_those_of_the_books(opened: Opener) -> None:
    page = opened()
    places = np.radians(_PLACES)
    whole = MollweideAxes.MollweideTransform(60).transform(
        np.column_stack([-(places[:, 0] - np.pi), places[:, 1]])
    )
    found = page.evaluate("places => places.map((one) => MOLLWEIDE.forward(...one))", _PLACES)
    np.testing.assert_allclose(found, whole / (2 * np.sqrt(2)), atol=1e-4)
    back = page.evaluate("places => places.map((one) => MOLLWEIDE.inverse(...one))", found)
    np.testing.assert_allclose(back, _PLACES, atol=1e-2)
    near = np.radians([(150.0, 20.0), (170.0, 50.0), (100.0, -20.0), (149.0, 80.0)])
    part = LambertAxes.LambertTransform(0.0, np.radians(20.0), 60).transform(
        np.column_stack([near[:, 0] - np.radians(150.0), near[:, 1]])
    )
    script = """([centre, radius, places]) => {
        const map = lambert(centre, radius);
        return places.map((one) => [map.forward(...one), map.inverse(...map.forward(...one))]);
    }"""
    there, again = zip(
        *page.evaluate(script, [_CENTRE, 60, np.degrees(near).tolist()]), strict=True
    )
    height = 4 * np.sin(np.radians(30))
    np.testing.assert_allclose(there, part * [-1, 1] / height, atol=1e-9)
    np.testing.assert_allclose(again, np.degrees(near), atol=1e-9)


def test_a_circle_is_as_far_away_all_round(opened: Opener) -> None:
    page = opened()
    for centre, radius in (((150.0, 20.0), 3.0), ((1.0, 89.0), 40.0), ((0.0, -90.0), 100.0)):
        circle = {"ra": centre[0], "dec": centre[1], "radius": radius}
        away = page.evaluate(
            "([circle, at]) => around(circle).map((one) => separation(at, one))", [circle, centre]
        )
        assert away == pytest.approx([radius] * 97, abs=1e-6)
