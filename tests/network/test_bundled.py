"""Which model a name means, wherever it is said, and which one `bundled` is for a tree."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from zoolens.catalog import paths
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.network.bundled import (
    BUNDLED,
    bundled_model,
    bundled_models,
    located,
    name_of,
    settled,
    settled_encoder,
)
from zoolens.catalog.network.model import path_of
from zoolens.catalog.trees.published import get_tree, own_suffix


def bundle(folder: Path, **models: tuple[str, str, str]) -> Path:
    """A folder of models without weights; each is of a tree, of real or simulated galaxies, with
    limits."""
    folder.mkdir(exist_ok=True)
    listed = ""
    for name, (tree, galaxies, limits) in models.items():
        own = get_tree(tree)
        pairs = {
            f"{question.name}{own_suffix(own)}": [f"_{answer}" for answer in question.answers]
            for question in own.questions
        }
        arguments = {
            "question_answer_pairs": pairs,
            "architecture_name": "tf_efficientnet_lite0",
            "view": {"name": "minimal", "size": 128, "greyscale": False, "zoom": 1.5},
        }
        weights = {"weight": np.zeros(1, np.float32)}
        save_file(weights, folder / f"{name}.safetensors", {"zoobot": json.dumps(arguments)})
        (folder / f"{name}.md").write_text(f"# {name}\n")
        said = {"tree": tree, "galaxies": galaxies, "survey": "SDSS", "limits": limits}
        said |= dict.fromkeys(("about", "credit", "licence", "sha256"), "")
        listed += f"[{name}]\n" + "".join(f'{key} = "{value}"\n' for key, value in said.items())
    (folder / "models.toml").write_text(listed)
    return folder


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three bundled models, two of them for one tree; the working folder is another, empty."""
    folder = bundle(
        tmp_path / "models",
        first=("gz2", "real", ""),
        second=("gzd5", "real", ""),
        third=("gzd5", "simulated", "it is weak"),
    )
    monkeypatch.setattr(paths, "BUNDLED_MODELS", folder)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


@pytest.mark.parametrize("typed", ["third", "third.safetensors"])
def test_a_name_means_its_model_from_any_folder(shelf: Path, typed: str) -> None:
    assert located(typed) == shelf / "third.safetensors"
    assert name_of(typed) == path_of(typed) == "third", "which the ledger keeps"
    assert settled([typed], get_tree("gz2")) == ((typed,), ("third: it is weak",))
    assert settled_encoder(typed) == (typed, ())


def test_a_path_and_a_hub_name_are_what_they_are(shelf: Path) -> None:
    file = shelf / "third.safetensors"
    for source in (str(file), "../models/third.safetensors"):
        assert located(source) == Path(source)
        assert (name_of(source), path_of(source)) == (None, str(file))
        assert settled([source], None) == ((source,), ())
    assert path_of("hf_hub:third/third") == "hf_hub:third/third"


def test_a_file_here_of_that_very_name_goes_before_and_is_told(shelf: Path) -> None:
    here = Path("third.safetensors")
    here.touch()
    assert located("third.safetensors") == here
    assert path_of("third.safetensors") == str(here.resolve())
    said = "third.safetensors is the file in this folder; the bundled model is third"
    assert settled(["third.safetensors"], None) == (("third.safetensors",), (said,))
    assert located("third") == shelf / "third.safetensors"


def test_in_the_folder_of_the_models_there_is_nothing_to_tell(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shelf)
    assert settled(["second.safetensors"], None)[1] == ()


def test_a_name_goes_before_a_file_without_a_suffix_and_that_is_told(shelf: Path) -> None:
    Path("second").touch()
    assert located("second") == shelf / "second.safetensors"
    (said,) = settled(["second"], None)[1]
    assert said == "second is the bundled model; the file of that name here is ./second"
    assert located("./second") == Path("second")
    Path("third").mkdir()
    assert settled(["third"], None)[1] == ("third: it is weak",), "no folder is a model"


@pytest.mark.parametrize("typed", ["thrid", "thrid.safetensors", "Bundled"])
def test_a_misspelt_name_gets_the_nearest(shelf: Path, typed: str) -> None:
    nearest = "bundled" if typed == "Bundled" else "third"
    with pytest.raises(ModelRefused, match=rf"^no model at {typed}, and none .*: {nearest}"):
        located(typed)
    with pytest.raises(ModelRefused, match="nearest: third"):
        bundled_model("thrid")


@pytest.mark.parametrize("typed", ["thrid.ckpt", "./thrid", "models/third"])
def test_what_can_only_be_a_path_gets_no_names(shelf: Path, typed: str) -> None:
    with pytest.raises(ModelRefused) as caught:
        located(typed)
    assert str(caught.value) == f"no model at {Path(typed)}"


@pytest.mark.parametrize(
    ("tree", "name", "why"),
    [
        ("gz2", "first", "the only one of tree gz2, trained on real galaxies (SDSS)"),
        ("gz2_ortho", "first", "the only one of tree gz2_ortho, trained on real galaxies (SDSS)"),
        ("gzd5", "second", "before third of tree gzd5, trained on real galaxies (SDSS)"),
        ("gzd8", "second", "before third of tree gzd8, trained on real galaxies (SDSS)"),
        (None, "first", "of tree gz2, trained on real galaxies (SDSS); the first of "
         "first (gz2), second (gzd5), third (gzd5)"),
    ],
)  # fmt: skip
def test_bundled_is_the_first_for_the_tree(
    shelf: Path, tree: str | None, name: str, why: str
) -> None:
    chosen, said = settled([BUNDLED, "third"], None if tree is None else get_tree(tree))
    assert chosen == (name, "third")
    assert said == (f"bundled: {name}, {why}", "third: it is weak")


def test_bundled_says_the_limits_of_what_it_took(shelf: Path) -> None:
    bundle(shelf, third=("gzd5", "simulated", "it is weak"))
    assert settled([BUNDLED], get_tree("gzd5"))[1][1:] == ("third: it is weak",)


@pytest.mark.parametrize("tree", ["gzd12", "euclid", "rings", "gz_evo_v1"])
def test_a_tree_that_none_answers_is_one_line_that_names_what_there_is(
    shelf: Path, tree: str
) -> None:
    with pytest.raises(ModelRefused, match=r"^no bundled model answers tree \w+; there are ") as e:
        settled([BUNDLED], get_tree(tree))
    assert "first (gz2), second (gzd5), third (gzd5)" in str(e.value)
    assert "zoolens train" in str(e.value)
    assert "\n" not in str(e.value)


def test_a_model_of_the_tree_may_lack_one_of_its_questions(shelf: Path) -> None:
    """Zoobot's columns of GZ2 lack `odd-feature`."""
    file = shelf / "first.safetensors"
    bundle(shelf, first=("gz2_ortho", "real", ""))
    listed = (shelf / "models.toml").read_text().replace("gz2_ortho", "gz2")
    (shelf / "models.toml").write_text(listed)
    assert b"odd-feature" not in file.read_bytes()
    assert settled([BUNDLED], get_tree("gz2"))[0] == ("first",)


def test_an_encoder_is_the_first_whatever_the_tree(shelf: Path) -> None:
    chosen, (said,) = settled_encoder(BUNDLED)
    assert chosen == "first"
    assert said.startswith("bundled: first, of tree gz2")


def test_bundled_alone_is_no_file(shelf: Path) -> None:
    with pytest.raises(ModelRefused, match="means a model of a known tree: name one"):
        located(BUNDLED)


def test_a_damaged_file_is_one_line(shelf: Path) -> None:
    whole = (shelf / "first.safetensors").read_bytes()
    (shelf / "first.safetensors").write_bytes(whole[:40])
    with pytest.raises(ModelRefused, match=r"first\.safetensors is damaged .*install Zoolens"):
        settled([BUNDLED], get_tree("gz_evo_v1"))


def test_those_that_have_seen_real_galaxies_stand_first() -> None:
    order = [model.galaxies for model in bundled_models()]
    assert order == sorted(order), "real before simulated"
    assert set(order) <= {"real", "simulated"}
    assert BUNDLED not in {model.name for model in bundled_models()}
