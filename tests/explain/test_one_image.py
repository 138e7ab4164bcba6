"""What is told of one image: which questions come first, which answers are drawn, the table."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.made.catalogues import TOY
from tests.made.checkpoints import save, zoobot_tree
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.explain.members import explainer_of
from zoolens.catalog.explain.one_image import ImageExplained, explain_image
from zoolens.catalog.network.ensemble import load_ensemble
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.trees.published import get_tree


def explained(tree: DecisionTree, alpha: list[float], models: int = 1) -> ImageExplained:
    """With these mean concentrations (A,), and a map of its own for each answer."""
    samples = np.array([[alpha] * 2 * models], np.float64)
    samples[:, -1] *= 1.01
    maps = np.arange(len(alpha) * 6, dtype=np.float32).reshape(-1, 2, 3)
    pixels = np.zeros((12, 12, 3), np.uint8)
    return ImageExplained(
        tree, summarise(samples, tree, models), pixels, maps, None, "concentration"
    )


WIDE = DecisionTree("wide", tuple(Question(f"q{n}", ("yes", "no")) for n in range(6)))


def test_questions_that_most_are_asked_come_first() -> None:
    tree = DecisionTree(
        "two ways",
        (
            Question("first", ("left", "right")),
            Question("of-left", ("a", "b"), ("first_left",)),
            Question("of-right", ("c", "d"), ("first_right",)),
            Question("also-right", ("e", "f"), ("first_right",)),
        ),
    )
    found = explained(tree, [2, 8, 5, 5, 9, 1, 3, 7])
    assert found.order == [0, 2, 3, 1]
    assert found.telling == [1, 4, 7], "the likeliest of each that half of all are asked"
    table = found.table().to_pydict()
    assert table["question"][:4] == ["first", "first", "of-right", "of-right"]
    assert table["answer"][:4] == ["left", "right", "c", "d"]
    np.testing.assert_allclose(table["reach"][:4], [1, 1, 0.8, 0.8], atol=1e-3)
    assert "model_sd" not in table


def test_of_many_questions_the_most_decided_are_drawn_in_the_trees_order() -> None:
    found = explained(WIDE, [5, 5, 9, 1, 6, 4, 1, 30, 8, 2, 5, 6])
    assert found.telling == [2, 4, 7, 8]


def test_questions_that_a_model_lacks_come_last_and_are_not_drawn() -> None:
    found = explained(WIDE, [np.nan, np.nan, *[9.0, 1.0] * 5])
    assert 0 not in found.telling
    table = found.table().to_pydict()
    assert table["fraction"][:2] == [None, None]
    assert table["reach"][:2] == [1, 1], "its question is asked all the same"


def test_several_models_tell_how_they_differ() -> None:
    found = explained(WIDE, [9.0, 1.0] * 6, models=2)
    spread = found.table()["model_sd"].to_pylist()
    assert spread == np.round(found.summary.model_sd[0], 4).tolist()


@pytest.mark.slow
def test_predictions_and_maps_are_those_of_the_model(tmp_path: Path) -> None:
    tree = get_tree("rings")
    source = str(save(zoobot_tree("test_resnet", "rings", awake=True), tmp_path / "rings.ckpt"))
    members = load_ensemble([source], tree)
    view, explainer = explainer_of(members, tree.slices, 3, 5)
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (80, 80, 3), np.uint8))
    seen = members[0].view.prepare(image)[None]
    found, of_fraction = (
        explain_image(image, members, tree, view, explainer, samples=3, seed=5, of=of)
        for of in ("concentration", "fraction")
    )
    np.testing.assert_array_equal(found.maps, explainer(seen).mean[0])
    np.testing.assert_array_equal(of_fraction.maps, explainer.fractions(seen, tree.slices).mean[0])
    assert of_fraction.sd is None
    fractions = explainer.fractions(seen, tree.slices).expected[0]
    np.testing.assert_allclose(found.summary.fraction[0], fractions, atol=1e-6)
    np.testing.assert_array_equal(found.pixels, view.display(image))
    picture = found.picture(1)
    np.testing.assert_array_equal(picture.mean, found.maps[1])
    with torch.no_grad():
        next(members[0].model.encoder.parameters()).fill_(float("inf"))
    with pytest.raises(ImageRefused, match="is no number"):
        explain_image(image, members, tree, view, explainer, samples=3, seed=5)


def test_the_toy_tree_has_a_telling_answer() -> None:
    alpha = np.linspace(2, 20, len(TOY.labels)).tolist()
    assert explained(TOY, alpha).telling
