"""Trainings of a small encoder on a catalogue of small images."""

import multiprocessing
import random
import shutil
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from pyarrow import csv

from tests.made.catalogues import random_counts
from tests.made.images import folder, picture
from tests.made.processes import killed, started
from tests.made.processes import whole as ended_whole
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import load_model
from zoolens.catalog.runtime.files import stamp
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow

GALAXIES = 24
SETTINGS: dict[str, Any] = {
    "architecture": "resnet10t",
    "view": View("minimal", 32),
    "epochs": 2,
    "batch_size": 8,
    "held_out": 0.4,
}


@pytest.fixture(scope="module")
def votes_and_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galaxies J00 to J23 with an image each, except J03; the bytes of J05's are bad."""
    from zoolens.jobs.ingest import ingest

    tree = get_tree("gzd5")
    counts = random_counts(GALAXIES, tree).astype(int)
    names = [f"J{n:02d}" for n in range(GALAXIES)]
    table = pa.table({"iauname": names, **dict(zip(tree.labels, counts.T, strict=True))})
    made = tmp_path_factory.mktemp("train")
    csv.write_csv(table, made / "votes.csv")
    contents = {f"{n}.png": picture(i, side=40) for i, n in enumerate(names) if n != "J03"}
    images = folder(made / "images", contents)
    path = made / "gz.duckdb"
    ingest(path, made / "votes.csv", images=images, tree="gzd5")
    (images / "J05.png").write_bytes(picture(99, side=40))
    return path


@pytest.fixture
def catalog(votes_and_images: Path, tmp_path: Path) -> Path:
    """A catalogue of its own for one test."""
    return Path(shutil.copy(votes_and_images, tmp_path))


@pytest.fixture(scope="module")
def training(votes_and_images: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A catalogue with a training in the folder `out` beside it, and its report."""
    path = Path(shutil.copy(votes_and_images, tmp_path_factory.mktemp("trained")))
    return path, _train(path)


@pytest.fixture
def trained(training: tuple[Path, Any], tmp_path: Path) -> tuple[Path, Any]:
    """A copy of them for one test."""
    path, report = training
    shutil.copytree(path.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / path.name, replace(report, model=tmp_path / "out" / report.model.name)


def _train(catalog: Path, out: str = "out", **settings: Any) -> Any:
    from zoolens.jobs.train import train

    return train(catalog, catalog.parent / out, **{**SETTINGS, **settings})


def _rows(catalog: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(catalog) as store:
        rows: list[dict[str, Any]] = store.arrow(sql).to_pylist()
        return rows


def test_a_training_leaves_a_model_and_records_its_split(trained: tuple[Path, Any]) -> None:
    catalog, report = trained
    assert (report.rejects, report.epochs, report.worth) == (1, 2, 1)
    model = load_model(str(report.model))
    assert model.for_tree(get_tree("gzd5")).bias.isfinite().all()
    assert model.labels[0] == "smooth-or-featured-dr5_smooth"
    assert model.sha256 == report.sha256

    names = [f"J{n:02d}" for n in range(GALAXIES)]
    split = dict(zip(names, split_galaxies(names, 0, 0.4).tolist(), strict=True))
    split |= {"J03": None, "J05": None}
    rows = _rows(catalog, "SELECT iauname, split FROM galaxies ORDER BY iauname")
    assert {row["iauname"]: row["split"] for row in rows} == split
    counted = [list(split.values()).count(name) for name in ("train", "validation", "test")]
    assert [report.train, report.validation, report.test] == counted
    train, validation, test = counted
    assert report.summary.startswith(
        f"{train} galaxies, held out {22 - train} of 22 "
        f"({validation} to validate, {test} to test), 2 epochs, the best {report.best_epoch}"
    )

    (run,) = _rows(catalog, "SELECT * FROM runs WHERE job = 'train'")
    assert (run["status"], run["model_sha256"]) == ("complete", report.sha256)
    (reject,) = _rows(catalog, f"SELECT * FROM rejects WHERE run_id = {report.run_id}")
    assert reject["key"] == "J05"
    assert "changed image" in reject["reason"]
    out = catalog.parent / "out"
    losses = ["losses.csv", "losses.pdf", "losses.png"]
    left = sorted(path.name for path in out.iterdir())
    assert left == ["best.ckpt", "last.ckpt", *losses, "model.safetensors", "training.json"]
    made = Path(catalog.parent / "plain")
    made.touch()
    modes = {path.name for path in out.iterdir() if path.stat().st_mode != made.stat().st_mode}
    assert not modes, "as readable by others as any file"
    assert str(out / "losses.csv") in report.notes[0] or report.notes[0].startswith("losses")
    assert len((out / "losses.csv").read_text().splitlines()) == 3


def test_losses_can_be_told_by_split(trained: tuple[Path, Any]) -> None:
    from zoolens.jobs.predict import predict
    from zoolens.jobs.score import score
    from zoolens.jobs.settings import Inference

    catalog, report = trained
    predict(catalog, str(report.model), Inference(samples=2, view=SETTINGS["view"]))
    score(catalog)
    rows = _rows(
        catalog,
        "SELECT split, avg(nll) AS nll FROM question_losses JOIN galaxies USING (galaxy_id) "
        "GROUP BY split ORDER BY split",
    )
    assert [row["split"] for row in rows] == ["test", "train", "validation"]
    assert all(row["nll"] > 0 for row in rows)


def test_the_same_again_changes_nothing_and_other_settings_want_another_folder(
    trained: tuple[Path, Any],
) -> None:
    catalog, first = trained
    second = _train(catalog)
    assert not second.changed
    assert (second.run_id, second.sha256, second.validation_loss, second.train) == (
        first.run_id,
        first.sha256,
        first.validation_loss,
        first.train,
    )
    with pytest.raises(CatalogError, match="a training with another plan"):
        _train(catalog, epochs=3)
    assert _rows(catalog, "SELECT count(*) AS n FROM runs WHERE job = 'train'") == [{"n": 1}]


def test_a_lost_model_is_made_again(trained: tuple[Path, Any]) -> None:
    catalog, first = trained
    first.model.unlink()
    again = _train(catalog)
    assert again.changed
    assert again.sha256 == first.sha256, "from the checkpoints, which are still there"


def test_training_needs_predictions_to_doubt_votes_by(trained: tuple[Path, Any]) -> None:
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference

    catalog, first = trained
    with pytest.raises(CatalogError, match="zoolens predict"):
        _train(catalog, "second", down_weight_noisy=True)
    predict(catalog, str(first.model), Inference(samples=2, view=SETTINGS["view"]))
    second = _train(catalog, "second", down_weight_noisy=True, error_rate=0.2)
    assert 0.3 < second.worth < 0.99
    assert second.run_id != first.run_id
    assert (second.train, second.validation) == (first.train, first.validation)


def test_training_begins_with_a_model(trained: tuple[Path, Any]) -> None:
    catalog, first = trained
    second = _train(
        catalog,
        "second",
        encoder=str(first.model),
        view=None,
        architecture=None,
        learning_rate=1e-9,
        epochs=1,
    )
    start, end = load_model(str(first.model)), load_model(str(second.model))
    assert torch.allclose(start.weight, end.weight, atol=1e-6)
    assert start.view is not None
    assert end.view == start.view == SETTINGS["view"]
    assert not any("had learnt to see" in note for note in second.notes)
    other = _train(catalog, "other", encoder=str(first.model), view=View(size=48), epochs=1)
    assert (
        f"what was taken over had learnt to see {start.view.told}, and is shown "
        "minimal of 48 pixels, zoom 1.2"
    ) in other.notes
    with pytest.raises(CatalogError, match="encoder is a resnet10t, not resnet18"):
        _train(catalog, "third", encoder=str(first.model), architecture="resnet18")
    with pytest.raises(CatalogError, match="takes 3 channel"):
        _train(catalog, "third", encoder=str(first.model), view=View("minimal", 32, True))
    with pytest.raises(ModelRefused, match="no model at"):
        _train(catalog, "third", encoder="nowhere.ckpt")


@pytest.mark.parametrize("view", [View("minimal", 32, greyscale=True), View("fast", 32)])
def test_other_views(catalog: Path, view: View) -> None:
    report = _train(catalog, view=view, epochs=1)
    assert load_model(str(report.model)).channels == (1 if view.greyscale else 3)


@pytest.mark.timeout(240)
def test_a_killed_training_comes_to_the_same_weights(catalog: Path) -> None:
    """Killed in the first epoch, within a later one, and once the model is written."""
    whole = _train(catalog, "whole", epochs=4)
    assert ended_whole(started(_killed_thrice, catalog))
    again = _train(catalog, "killed", epochs=4)
    assert (again.epochs, again.best_epoch) == (whole.epochs, whole.best_epoch)
    assert again.validation_loss == whole.validation_loss
    assert again.sha256 == whole.sha256
    assert again.run_id == whole.run_id, "the folder does not tell trainings apart"
    uncut, resumed = (
        torch.load(catalog.parent / name / "last.ckpt", weights_only=True)["state_dict"]
        for name in ("whole", "killed")
    )
    assert [name for name in uncut if not torch.equal(uncut[name], resumed[name])] == []


def _killed_thrice(catalog: Path) -> None:
    """Trainings forked from this process, which imports what they need once for all."""
    import zoolens.jobs.train  # noqa: F401

    epochs = random.Random(20261128)
    for written, wait in (
        ("views.npy", epochs.uniform(0, 0.3)),
        ("last.ckpt", epochs.uniform(0, 0.3)),
        ("model.safetensors", 0),
    ):
        job = multiprocessing.get_context("fork").Process(
            target=partial(_train, epochs=4), args=(catalog, "killed")
        )
        job.start()
        _await_change(catalog.parent / "killed" / written)
        time.sleep(wait)
        assert killed(job), written


def _await_change(file: Path) -> None:
    before = stamp(file)
    end = time.monotonic() + 60
    while stamp(file) == before and time.monotonic() < end:
        time.sleep(0.002)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 1}, "batch size is 1"),
        ({"learning_rate": float("nan")}, "learning rate is nan"),
        ({"held_out": 0.0}, "held-out share is 0"),
        ({"held_out": 1e-6}, "no validation galaxy among 23"),
        ({"error_rate": 1.0}, "error rate is 1"),
        ({"seed": -1}, "seed is -1"),
        ({"architecture": "resnet9000"}, "no architecture 'resnet9000'"),
    ],
)
def test_settings_out_of_range_are_told(
    catalog: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        _train(catalog, **settings)
    assert not (catalog.parent / "out").exists(), "else the folder would be another training's"


def test_a_folder_that_holds_something_else_is_left_alone(catalog: Path) -> None:
    (catalog.parent / "out").mkdir()
    (catalog.parent / "out" / "thesis.tex").write_text("dear diary")
    with pytest.raises(CatalogError, match="holds something else"):
        _train(catalog)
    assert [path.name for path in (catalog.parent / "out").iterdir()] == ["thesis.tex"]
    (catalog.parent / "out" / "training.json").write_text("{")
    with pytest.raises(CatalogError, match=r"training\.json is damaged"):
        _train(catalog)


def test_votes_without_images_cannot_be_trained_on(tmp_path: Path) -> None:
    from tests.made.catalogues import TOY, catalogue

    path = catalogue(tmp_path / "gz.duckdb", random_counts(5, TOY), tree=TOY)
    with pytest.raises(CatalogError, match="both an image and votes"):
        _train(path)
