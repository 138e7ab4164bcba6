"""The folder of a training: whose it is, and whether it is finished."""

from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.files import sha256_of
from zoolens.catalog.training.folder import Outcome, TrainingFolder

CONFIG = {"plan": {"epochs": 3}, "sides": (1, 2)}
OUTCOME = Outcome(epochs=3, best_epoch=2, validation_loss=4.25)


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "deep" / "out")


def conclude(folder: TrainingFolder) -> None:
    folder.model.write_bytes(b"a model")
    folder.canvases.write_bytes(b"pixels")
    folder.conclude(CONFIG, OUTCOME)


def test_an_outcome_is_that_of_a_finished_training(folder: TrainingFolder) -> None:
    assert folder.claim(CONFIG) is None
    assert folder.claim(CONFIG) is None, "begun is not finished"
    conclude(folder)
    assert folder.claim(CONFIG) == OUTCOME
    left = sorted(path.name for path in folder.path.iterdir())
    assert left == ["model.safetensors", "training.json"]
    assert folder.model_sha256() == sha256_of(folder.model)


@pytest.mark.parametrize("lost", [True, False])
def test_without_its_model_it_is_not_finished(folder: TrainingFolder, lost: bool) -> None:
    folder.claim(CONFIG)
    conclude(folder)
    if lost:
        folder.model.unlink()
    else:
        folder.model.write_bytes(b"another model")
    assert folder.claim(CONFIG) is None


def test_another_training_is_refused_by_what_differs(folder: TrainingFolder) -> None:
    folder.claim(CONFIG)
    before = folder.path.joinpath("training.json").read_bytes()
    with pytest.raises(CatalogError, match=r"another plan: {'epochs': 3} and not {'epochs': 4}"):
        folder.claim({**CONFIG, "plan": {"epochs": 4}})
    with pytest.raises(CatalogError, match="another seed: None and not 1"):
        folder.claim({**CONFIG, "seed": 1})
    assert folder.path.joinpath("training.json").read_bytes() == before


@pytest.mark.parametrize("content", ["{", "[]", '{"config": {}}', '{"config": {}, "result": {}}'])
def test_damage_is_told(folder: TrainingFolder, content: str) -> None:
    folder.claim(CONFIG)
    folder.path.joinpath("training.json").write_text(content)
    with pytest.raises(CatalogError, match=r"training\.json is damaged"):
        folder.claim(CONFIG)


def test_what_holds_something_else_is_left_alone(folder: TrainingFolder) -> None:
    folder.path.mkdir(parents=True)
    assert folder.claim(CONFIG) is None, "an empty folder is taken"
    other = TrainingFolder(folder.path.parent)
    with pytest.raises(CatalogError, match="holds something else"):
        other.claim(CONFIG)
    assert [path.name for path in other.path.iterdir()] == ["out"]
    file = TrainingFolder(folder.path / "training.json")
    with pytest.raises(CatalogError, match="holds something else"):
        file.claim(CONFIG)
