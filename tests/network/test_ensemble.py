"""Ensembles: which models go together, what each is shown, and how they are identified."""

import hashlib
from pathlib import Path

import pytest
import torch

from tests.made.checkpoints import save, zoobot_tree
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import (
    load_ensemble,
    origin_of,
    settings_of,
    sha256_of_models,
)
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import dropout_masks, load_model
from zoolens.catalog.trees.published import get_tree

TREE = get_tree("gzd5")
SMALL = View(size=64)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two small models of GZD-5, in colour and in grey, the second with a view of its own."""
    folder = tmp_path_factory.mktemp("models")
    colour = save(zoobot_tree("test_resnet", seed=1), folder / "colour.ckpt")
    save(zoobot_tree("test_resnet", seed=2, channels=1, dropout_rate=0.4), folder / "grey.ckpt")
    own = View("fast", 48, greyscale=True)
    write_model(load_model(str(folder / "grey.ckpt")), own, folder / "grey.safetensors")
    return [str(colour), str(folder / "grey.safetensors")]


def test_each_model_has_its_own_view_and_its_own_masks(sources: list[str]) -> None:
    colour, grey = load_ensemble(sources, TREE)
    assert (colour.view, grey.view) == (View(), View("fast", 48, greyscale=True))
    for member in (colour, grey):
        width, rate = member.model.weight.shape[1], member.model.dropout_rate
        assert torch.equal(member.masks(5, 3), dropout_masks(5, width, rate, 3))
    both = load_ensemble(sources, TREE, SMALL)
    assert [member.view for member in both] == [SMALL, View(size=64, greyscale=True)]


def test_one_model_is_identified_as_ever_and_several_by_all_of_them(sources: list[str]) -> None:
    colour, grey = members = load_ensemble(sources, TREE)
    first, second = colour.model.sha256, grey.model.sha256
    assert sha256_of_models([colour]) == first
    assert settings_of([colour]) == {"view": View().config()}
    assert origin_of([colour]) == {"model": sources[0], "architecture": "test_resnet"}
    text = f"{first}\n{second}\n".encode()
    assert sha256_of_models(members) == hashlib.sha256(text).hexdigest()
    assert settings_of(members)["models"] == [
        {"sha256": first, "view": colour.view.config()},
        {"sha256": second, "view": grey.view.config()},
    ]
    assert origin_of(members)["models"] == sources


def test_a_model_named_twice_is_refused(sources: list[str], tmp_path: Path) -> None:
    copy = tmp_path / "copy.ckpt"
    copy.write_bytes(Path(sources[0]).read_bytes())
    with pytest.raises(ModelRefused, match=r"colour\.ckpt and .*copy\.ckpt are the same model"):
        load_ensemble([sources[0], sources[1], str(copy)], TREE)


@pytest.mark.slow
def test_models_of_other_questions_are_refused_with_the_question(
    sources: list[str], tmp_path: Path
) -> None:
    """GZ Evo's columns of DR5 lack one question of the tree."""
    evo = load_model(sources[0])
    short = [i for i, label in enumerate(evo.labels) if not label.startswith("bar-dr5")]
    lacking = zoobot_tree("test_resnet", seed=3)
    pairs = {q: a for q, a in lacking.hparams["question_answer_pairs"].items() if q != "bar-dr5"}
    lacking.hparams["question_answer_pairs"] = pairs
    lacking.schema.label_cols = [evo.labels[i] for i in short]
    for name in ("weight", "bias"):
        values = getattr(lacking.head[1][0], name).data
        getattr(lacking.head[1][0], name).data = values[short].clone()
    file = str(save(lacking, tmp_path / "lacking.ckpt"))
    for order in ([sources[0], file], [file, sources[0]]):
        with pytest.raises(
            ModelRefused, match=r"lacking\.ckpt does not answer bar, which .*colour"
        ):
            load_ensemble(order, TREE)


def test_a_greyscale_view_of_a_colour_model_is_refused(sources: list[str]) -> None:
    with pytest.raises(CatalogError, match="takes colour images"):
        load_ensemble(sources, TREE, View(size=64, greyscale=True))
