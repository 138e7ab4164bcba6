import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from zoolens.catalog.evaluation.localisation import CAUSES, localisation, pointing
from zoolens.catalog.sky.truth import truth_schema
from zoolens.catalog.trees.published import get_tree

SIDE = 12
MASK = np.zeros((SIDE, SIDE), bool)
MASK[3:6, 4:9] = True


def test_a_map_of_the_cause_alone() -> None:
    held = pointing(MASK.astype(float), MASK)
    assert held.hit
    assert held.inside == 1
    assert held.area == 15 / 144


def test_what_lowers_the_answer_does_not_count() -> None:
    saliency = np.where(MASK, 1.0, -5.0)
    assert pointing(saliency, MASK).inside == 1
    assert np.isnan(pointing(-MASK.astype(float), MASK).inside)


def test_the_middle_of_equal_largest_values_points() -> None:
    ring = np.zeros((5, 5))
    ring[1:4, 1:4] = 1
    middle = np.zeros((5, 5), bool)
    middle[2, 2] = True
    assert pointing(ring, middle).hit


@given(
    saliency=hnp.arrays(np.float32, (6, 7), elements=st.floats(-1e3, 1e3, width=32)),
    mask=hnp.arrays(np.bool_, (6, 7)).filter(np.any),
)
def test_against_a_loop_over_pixels(saliency: np.ndarray, mask: np.ndarray) -> None:
    held = pointing(saliency, mask)
    inside = everywhere = 0.0
    for y in range(6):
        for x in range(7):
            positive = max(float(saliency[y, x]), 0.0)
            everywhere += positive
            inside += positive * mask[y, x]
    if everywhere:
        assert held.inside == pytest.approx(inside / everywhere)
    else:
        assert np.isnan(held.inside)
    assert held.area == mask.sum() / 42
    if mask.all():
        assert held.hit


def test_a_map_without_knowledge_gets_what_chance_gives() -> None:
    rng = np.random.default_rng(3)
    found = [pointing(rng.random((SIDE, SIDE)), MASK) for _ in range(400)]
    game, share = localisation("bar_strong", "random", found)
    # three standard errors of 400 draws
    assert game.value == pytest.approx(game.chance, abs=3 * np.sqrt(0.104 * 0.896 / 400))
    assert share.chance == 1
    assert share.lo is not None
    assert share.hi is not None
    assert share.lo < 1 < share.hi
    assert game.galaxies == share.galaxies == 400


def test_maps_that_point_nowhere_count_as_nothing_inside() -> None:
    found = [pointing(np.zeros((SIDE, SIDE)), MASK), pointing(MASK.astype(float), MASK)]
    _, share = localisation("bar_strong", "hirescam", found)
    assert share.value == pytest.approx(0.5 / (15 / 144))
    assert (share.lo, share.hi) == (None, None)  # two galaxies


def test_no_galaxy_no_measure() -> None:
    assert localisation("bar_strong", "hirescam", []) == []


def test_causes_are_answers_and_features_that_there_are() -> None:
    tree = get_tree("gzd5")
    masks = {name for name in truth_schema(tree).names if name.startswith("mask_")}
    assert set(CAUSES) <= set(tree.labels)
    assert {f"mask_{name}" for features in CAUSES.values() for name in features} <= masks
