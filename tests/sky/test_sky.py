import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zoolens.catalog.sky.sky import Sky, iau_name, image_path, observe
from zoolens.catalog.sky.truth import decode_mask, truth_schema, votes_schema
from zoolens.catalog.sky.volunteers import Crowd
from zoolens.catalog.trees.published import get_tree

TREE = get_tree("gzd5")


def test_positions_give_iau_names() -> None:
    # 187.70593 deg = 12h 30m 49.4232s; 12.39112 deg = 12d 23m 28.03s
    assert iau_name(187.70593, 12.39112) == "J123049.42+122328.0"
    # 10.5 deg = 0h 42m; -0.5 deg = -0d 30m
    assert iau_name(10.5, -0.5) == "J004200.00-003000.0"
    assert iau_name(0, 0) == "J000000.00+000000.0"


@given(st.floats(0, 359.9999), st.floats(-89, 89))
def test_names_are_positions_to_their_last_digit(ra: float, dec: float) -> None:
    name = iau_name(ra, dec)
    hours = int(name[1:3]) + int(name[3:5]) / 60 + float(name[5:10]) / 3600
    degrees = int(name[11:13]) + int(name[13:15]) / 60 + float(name[15:19]) / 3600
    assert len(name) == 19
    assert hours * 15 == pytest.approx(ra, abs=0.01 * 15 / 3600 + 1e-9)
    assert degrees * (-1 if name[10] == "-" else 1) == pytest.approx(dec, abs=0.1 / 3600 + 1e-9)


def test_images_lie_in_folders_as_galaxy_zoo_decals_has_them() -> None:
    assert image_path("J123049.42+122328.0") == "images/J123/J123049.42+122328.0.png"


def test_a_galaxy_is_the_same_each_time_and_for_other_volunteers() -> None:
    one = observe(TREE, Sky(1, 64), 7)
    again = observe(TREE, Sky(1, 64), 7)
    assert one == again
    others = observe(TREE, Sky(1, 64, crowd=Crowd(many=80, few=80, error_rate=0.5)), 7)
    assert others.png == one.png
    assert others.votes != one.votes
    assert observe(TREE, Sky(1, 64), 8).name != one.name
    assert observe(TREE, Sky(2, 64), 7).name != one.name


def test_an_observation_fills_its_tables() -> None:
    for number in range(12):
        seen = observe(TREE, Sky(4, 48), number)
        assert set(seen.truth) == set(truth_schema(TREE).names)
        assert set(seen.votes) == set(votes_schema(TREE).names)
        assert seen.votes["iauname"] == seen.truth["iauname"] == seen.name
        assert seen.truth["volunteers"] == seen.votes["smooth-or-featured_total-votes"]
        image = Image.open(io.BytesIO(seen.png))
        assert (image.mode, image.size) == ("RGB", (48, 48))
        mask = decode_mask(seen.truth["mask_galaxy"], 48)  # type: ignore[arg-type]
        assert mask[24, 24]  # the galaxy is in the middle
        assert np.mean(mask) < 0.6
