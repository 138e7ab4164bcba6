from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from zoolens.catalog.evaluation.causes import cases, typical_answers, viewed_mask
from zoolens.catalog.evaluation.truth import Truth, read_truth
from zoolens.catalog.images.view import View
from zoolens.catalog.sky.truth import encode_mask
from zoolens.catalog.trees.published import get_tree

TREE = get_tree("gzd5")
VIEW = View("minimal", 40)
SIDE = 48  # of which the view shows the middle 40


def _mask(*where: slice) -> bytes:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[where] = True
    return encode_mask(mask)


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    """Galaxies 0, 1: strong bars, of 1 outside the view; 2: a bar few would look for."""
    middle = _mask(slice(20, 30), slice(10, 38))
    columns: dict[str, object] = {"iauname": ["A", "B", "C"], "size": [SIDE] * 3}
    for label in TREE.labels:
        columns[f"{label}_probability"] = [0.0] * 3
        columns[f"{label}_errors"] = [0] * 3
    for label in ("smooth-or-featured_featured-or-disk", "disk-edge-on_no"):
        columns[f"{label}_probability"] = [0.9, 0.9, 0.6]
    columns["bar_strong_probability"] = [0.8, 0.8, 0.8]
    columns["mask_bar"] = [middle, _mask(slice(0, 3), slice(0, 3)), middle]
    file = tmp_path / "truth.parquet"
    for feature in ("arms", "ring", "clumps", "galaxy", "artefact", "disc", "bulge"):
        columns[f"mask_{feature}"] = pa.nulls(3, pa.binary())
    for feature in ("tidal", "companion"):
        columns[f"mask_{feature}"] = pa.nulls(3, pa.binary())
    parquet.write_table(pa.table(columns), file)
    masks = [name.removeprefix("mask_") for name in columns if name.startswith("mask_")]
    return read_truth(file, ["A", "B", "C"], TREE, masks)


def test_true_answers_whose_cause_is_in_view(truth: Truth) -> None:
    """Half of the volunteers must be asked: 0.9 x 0.9 are, 0.6 x 0.6 are not."""
    found = cases(truth, TREE, VIEW, [0, 1, 2], 10)
    of_bar = [case for case in found if TREE.labels[case.answer] == "bar_strong"]
    assert [case.number for case in of_bar] == [0]
    assert of_bar[0].mask.shape == (40, 40)
    expected = np.zeros((40, 40), bool)
    expected[16:26, 6:34] = True
    assert np.array_equal(of_bar[0].mask, expected)


def test_no_more_than_asked_for_and_only_with_an_image(truth: Truth) -> None:
    assert {case.number for case in cases(truth, TREE, VIEW, [1, 2], 10)} == {2}
    assert cases(truth, TREE, VIEW, [0], 0) == []
    assert cases(truth, TREE, VIEW, [], 5) == []


def test_a_mask_is_resized_with_the_view() -> None:
    mask = np.zeros((96, 96), bool)
    mask[:48] = True
    assert viewed_mask(mask, View("minimal", 40)).mean() == pytest.approx(0.5, abs=0.03)


def test_questions_take_turns_among_those_that_are_reached() -> None:
    predicted = np.full((4, len(TREE.labels)), 0.05)
    predicted[:, TREE.answer_id("smooth-or-featured_smooth")] = 0.9
    predicted[:, TREE.answer_id("how-rounded_cigar-shaped")] = 0.8
    predicted[:, TREE.answer_id("merging_none")] = 0.7
    reach = TREE.reach(predicted)[:, TREE.question_of]
    labels = [TREE.labels[answer] for answer in typical_answers(predicted, reach, TREE)]
    assert labels == [
        "smooth-or-featured_smooth",
        "how-rounded_cigar-shaped",
        "merging_none",
        "smooth-or-featured_smooth",
    ]


def test_whether_a_question_is_reached_is_what_was_predicted_and_no_product() -> None:
    # dropout samples agree in the mean, 0.5 featured and 0.5 not edge-on, but vary together
    predicted = np.full((8, len(TREE.labels)), 0.5)
    reach = TREE.reach(predicted)[:, TREE.question_of]
    bars = TREE.slices[TREE.question_id("bar")]
    reach[:, bars] = 0.5
    found = typical_answers(predicted, reach, TREE)
    assert bars.start in found
    assert (reach[range(8), found] >= 0.5).all()


def test_a_question_that_the_model_lacks_is_not_judged_by() -> None:
    predicted = np.full((2, len(TREE.labels)), np.nan)
    predicted[:, TREE.slices[3]] = [0.2, 0.5, 0.3]
    reach = TREE.reach(predicted)[:, TREE.question_of]
    assert typical_answers(predicted, reach, TREE).tolist() == [TREE.slices[3].start + 1] * 2
