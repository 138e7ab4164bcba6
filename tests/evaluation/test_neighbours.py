"""Where maps lie by segments, held against a truth that is made."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.evaluation.causes import viewed_mask
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.neighbours import LOOKED, TOPIC, NeighbourTrial, others_alone
from zoolens.catalog.evaluation.truth import Truth
from zoolens.catalog.images.segments import Segments
from zoolens.catalog.images.view import View
from zoolens.catalog.sky.truth import encode_mask

N, A, SIDE, PIXELS = 40, len(TOY.labels), 4, 16
LEFT = np.zeros((PIXELS, PIXELS), np.bool_)
LEFT[:, :4] = True  # the neighbour: the first column of cells
MIDDLE = np.zeros_like(LEFT)
MIDDLE[4:12, 4:12] = True
PREDICTED = np.full((N, A), 0.1)
FIRST = [where.start for where in TOY.slices]
PREDICTED[:, FIRST] = 0.9  # the answers that a user would take


def trial(*, seen: bool, missing: int | None = None) -> NeighbourTrial:
    """Every second galaxy's maps look at the neighbour; seen: segments have it too."""
    maps = np.random.default_rng(0).normal(0, 0.01, (N, A, SIDE, SIDE))
    maps[::2, :, :, 0] += 1
    maps[1::2, :, 1:3, 1:3] -= 1
    if missing is not None:
        maps[:, missing] = np.nan
    segments = Segments(MIDDLE, LEFT if seen else np.zeros_like(LEFT))
    made = NeighbourTrial()
    for half in (range(N // 2), range(N // 2, N)):  # two batches
        made.add(half, maps[list(half)], [segments] * len(half), dict.fromkeys(half, LEFT))
    return made


def find(measures: list[Measure], method: str, name: str) -> Measure:
    (found,) = [m for m in measures if (m.method, m.measure) == (method, name)]
    assert (found.topic, found.level) == (TOPIC, LOOKED)
    return found


def test_segments_that_are_right_tell_all() -> None:
    measures = trial(seen=True).measures(range(N), PREDICTED, TOY)
    for name in ("ROC AUC", "precision", "recall"):
        found = find(measures, "on_neighbours", name)
        assert (found.value, found.lo, found.hi) == (1, 1, 1), name
        # a query can only be precise about galaxies that it finds
        assert found.galaxies == (N if name == "ROC AUC" else N // 2)
    assert find(measures, "on_neighbours", "ROC AUC").chance == 0.5
    assert find(measures, "on_neighbours", "precision").chance == 0.5
    # the neighbour is as large in all pictures, so that its area tells nothing
    assert find(measures, "on_neighbours, area alone", "ROC AUC").value == 0.5


def test_segments_without_the_neighbour_tell_nothing() -> None:
    measures = trial(seen=False).measures(range(N), PREDICTED, TOY)
    assert find(measures, "on_neighbours", "ROC AUC").value == 0.5
    assert find(measures, "on_neighbours", "recall").value == 0
    assert not [m for m in measures if m.measure == "precision"], "no map is found"


def test_galaxies_without_true_neighbours_do_not_count() -> None:
    made = NeighbourTrial()
    maps = np.ones((2, A, SIDE, SIDE))
    made.add([4, 7], maps, [Segments(MIDDLE, LEFT)] * 2, {4: None, 7: None})
    assert made.measures([4, 7], PREDICTED, TOY) == []


def test_pixels_that_are_the_galaxys_too_are_not_others_alone(tmp_path: Path) -> None:
    def truth(galaxy: np.ndarray | None) -> Truth:
        masks = {"neighbour": LEFT, "companion": MIDDLE, "galaxy": galaxy}
        held = {name: [None if m is None else encode_mask(m)] for name, m in masks.items()}
        return Truth(tmp_path, ["G0"], np.zeros((1, A)), np.zeros((1, A), np.int64), PIXELS, held)

    view = View("minimal", PIXELS)
    both = others_alone(truth(None), 0, view)
    np.testing.assert_array_equal(both, viewed_mask(LEFT | MIDDLE, view))
    left = viewed_mask(LEFT, view) & ~viewed_mask(MIDDLE, view)
    np.testing.assert_array_equal(others_alone(truth(MIDDLE), 0, view), left)
    assert others_alone(truth(LEFT | MIDDLE), 0, view) is None


def test_each_sign_is_held_against_its_own_truth() -> None:
    made = trial(seen=True)
    for number in range(N):
        # all that raised lies on the neighbour in the even ones; of what lowered a little does
        assert (made.true[number]["increase_on_neighbours"] > LOOKED).all() == (number % 2 == 0)
    np.testing.assert_allclose(
        made.found[0]["decrease_on_neighbours"], made.true[0]["decrease_on_neighbours"]
    )


def test_only_answers_that_are_taken_and_mapped_count() -> None:
    measures = trial(seen=True, missing=FIRST[0]).measures(range(N), PREDICTED, TOY)
    assert find(measures, "on_neighbours", "ROC AUC").galaxies == N
    none = trial(seen=True).measures(range(N), np.full((N, A), 0.1), TOY)
    assert none == []
    some = trial(seen=True).measures(range(0, N, 2), PREDICTED, TOY)
    assert not [m for m in some if m.measure == "ROC AUC"], "all of them look at it"
    assert find(some, "on_neighbours", "recall").value == pytest.approx(1)
