import dataclasses
from functools import lru_cache

import numpy as np
import pytest

from zoolens.catalog.sky.answers import answer_chances, apparent_ratio, visibilities
from zoolens.catalog.sky.galaxy import Galaxy, draw_galaxy
from zoolens.catalog.sky.light import PARTS
from zoolens.catalog.sky.render import render
from zoolens.catalog.sky.volunteers import as_vector
from zoolens.catalog.trees.published import get_tree

SEEN = dict.fromkeys(PARTS, 0.9)
UNSEEN = dict.fromkeys(PARTS, 0.0)


@lru_cache(maxsize=1)
def _galaxies() -> list[Galaxy]:
    return [draw_galaxy(np.random.default_rng([3, number])) for number in range(400)]


@pytest.fixture(scope="module")
def spiral() -> Galaxy:
    for galaxy in _galaxies():
        if galaxy.family == "disc" and galaxy.axis_ratio > 0.6 and galaxy.bulge_fraction > 0.1:
            return dataclasses.replace(
                galaxy, arm_count=2, pitch_angle=20.0, bar="strong", artefact="none"
            )
    raise AssertionError("no such disc")


def test_chances_are_probabilities_whatever_the_galaxy() -> None:
    tree = get_tree("gzd5")
    for galaxy in _galaxies():
        for seen in (SEEN, UNSEEN):
            vector = as_vector(tree, answer_chances(galaxy, seen, 1.2))
            assert (vector > 0).all()
            assert np.isfinite(vector).all()


def test_features_that_cannot_be_seen_leave_a_smooth_galaxy(spiral: Galaxy) -> None:
    clear = answer_chances(spiral, SEEN, 1.2)
    hidden = answer_chances(spiral, UNSEEN, 1.2)
    assert clear["smooth-or-featured"]["featured-or-disk"] > 0.7
    assert hidden["smooth-or-featured"]["smooth"] > 0.6
    assert hidden["bar"]["no"] > 0.7 > 0.3 > clear["bar"]["no"]
    assert hidden["spiral-arm-count"]["cant-tell"] > clear["spiral-arm-count"]["cant-tell"]


@pytest.mark.parametrize(
    ("change", "question", "answer"),
    [
        ({"bar": "weak"}, "bar", "weak"),
        ({"bar": "no"}, "bar", "no"),
        ({"arm_count": 1}, "spiral-arm-count", "1"),
        ({"arm_count": 3}, "spiral-arm-count", "3"),
        ({"arm_count": 7}, "spiral-arm-count", "more-than-4"),
        ({"pitch_angle": 10.0}, "spiral-winding", "tight"),
        ({"pitch_angle": 25.0}, "spiral-winding", "medium"),
        ({"pitch_angle": 40.0}, "spiral-winding", "loose"),
        ({"bulge_fraction": 0.04}, "bulge-size", "small"),
        ({"bulge_fraction": 0.25}, "bulge-size", "moderate"),
        ({"bulge_fraction": 0.9}, "bulge-size", "dominant"),
        ({"axis_ratio": 1.0}, "how-rounded", "round"),
        ({"axis_ratio": 0.2, "radius": 10.0}, "how-rounded", "cigar-shaped"),
        ({"axis_ratio": 0.1, "radius": 10.0, "family": "edge-on"}, "disk-edge-on", "yes"),
        ({"disturbance": "merger", "companion_flux": 0.8}, "merging", "merger"),
        ({"disturbance": "major"}, "merging", "major-disturbance"),
        ({"disturbance": "minor"}, "merging", "minor-disturbance"),
        ({"disturbance": "none"}, "merging", "none"),
        ({"artefact": "star"}, "smooth-or-featured", "artifact"),
    ],
)
def test_what_is_plain_to_see_is_the_likeliest_answer(
    spiral: Galaxy, change: dict[str, object], question: str, answer: str
) -> None:
    galaxy = dataclasses.replace(spiral, **{"disturbance": "none", **change})  # type: ignore[arg-type]
    chances = answer_chances(galaxy, SEEN, 1.2)[question]
    assert max(chances, key=lambda key: chances[key]) == answer


def test_seeing_rounds_small_galaxies(spiral: Galaxy) -> None:
    thin = dataclasses.replace(spiral, axis_ratio=0.2)
    ratios = [
        apparent_ratio(dataclasses.replace(thin, radius=radius), 1.2)
        for radius in (1.0, 2.0, 4.0, 100.0)
    ]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] == pytest.approx(0.2, abs=0.01)


def test_the_same_bar_in_a_smaller_galaxy_is_seen_less(spiral: Galaxy) -> None:
    # bright, so that only size over seeing differs
    near = dataclasses.replace(
        spiral,
        magnitude=14.0,
        radius=8.0,
        frame_scale=0.32,
        scale_length=5.0,
        bulge_radius=1.0,
        bar_length=6.0,
        bar_fraction=0.2,
        disturbance="none",
        tidal_fraction=0.0,
        companion_flux=0.0,
    )
    seen = []
    for shrink in (1.0, 0.5, 0.25):
        names = ("radius", "frame_scale", "scale_length", "bulge_radius", "bar_length")
        small = {name: getattr(near, name) * shrink for name in names}
        galaxy = dataclasses.replace(near, **small)
        scene = render(np.random.default_rng(1), galaxy, 96)
        seen.append(visibilities(galaxy, scene)["bar"])
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > seen[2] + 0.2
