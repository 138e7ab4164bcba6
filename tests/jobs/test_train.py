"""Trainings of a small encoder on a catalogue of small images."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import csv

from tests.made.catalogues import random_counts
from tests.made.images import folder, picture
from zoolens.catalog.decision_tree import get_tree
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import load_model
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.training.dataset import read_training_set

pytestmark = pytest.mark.slow

GALAXIES = 24
SETTINGS: dict[str, Any] = {
    "architecture": "resnet10t",
    "view": View("minimal", 32),
    "epochs": 2,
    "batch_size": 8,
    "held_out": 0.4,
    "workers": 0,
}


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """Galaxies J00 to J23 with an image each, except J03; the bytes of J05's are bad."""
    from zoolens.jobs.ingest import ingest

    tree = get_tree("gzd5")
    counts = random_counts(GALAXIES, tree).astype(int)
    names = [f"J{n:02d}" for n in range(GALAXIES)]
    table = pa.table({"iauname": names, **dict(zip(tree.labels, counts.T, strict=True))})
    csv.write_csv(table, tmp_path / "votes.csv")
    contents = {f"{n}.png": picture(i, side=40) for i, n in enumerate(names) if n != "J03"}
    images = folder(tmp_path / "images", contents)
    path = tmp_path / "gz.duckdb"
    ingest(path, tmp_path / "votes.csv", images=images, tree="gzd5")
    (images / "J05.png").write_bytes(picture(99, side=40))
    return path


def _train(catalog: Path, out: str = "out", **settings: Any) -> Any:
    from zoolens.jobs.train import train

    return train(catalog, catalog.parent / out, **{**SETTINGS, **settings})


def _rows(catalog: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(catalog) as store:
        rows: list[dict[str, Any]] = store.arrow(sql).to_pylist()
        return rows


def test_a_training_leaves_a_model_and_records_its_split(catalog: Path) -> None:
    report = _train(catalog)
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

    (run,) = _rows(catalog, "SELECT * FROM runs WHERE job = 'train'")
    assert (run["status"], run["model_sha256"]) == ("complete", report.sha256)
    (reject,) = _rows(catalog, f"SELECT * FROM rejects WHERE run_id = {report.run_id}")
    assert reject["key"] == "J05"
    assert "changed image" in reject["reason"]
    left = sorted(path.name for path in (catalog.parent / "out").iterdir())
    assert left == ["best.ckpt", "last.ckpt", "model.safetensors", "training.json"]


def test_losses_can_be_told_by_split(catalog: Path) -> None:
    from zoolens.jobs.predict import predict
    from zoolens.jobs.score import score
    from zoolens.jobs.settings import Inference

    report = _train(catalog)
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
    catalog: Path,
) -> None:
    first = _train(catalog)
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


def test_a_lost_model_is_made_again(catalog: Path) -> None:
    first = _train(catalog)
    first.model.unlink()
    again = _train(catalog)
    assert again.changed
    assert again.sha256 == first.sha256, "from the checkpoints, which are still there"


def test_training_needs_predictions_to_doubt_votes_by(catalog: Path) -> None:
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference

    with pytest.raises(CatalogError, match="zoolens predict"):
        _train(catalog, down_weight_noisy=True)
    first = _train(catalog)
    predict(catalog, str(first.model), Inference(samples=2, view=SETTINGS["view"]))
    second = _train(catalog, "second", down_weight_noisy=True, error_rate=0.2)
    assert 0.3 < second.worth < 0.99
    assert second.run_id != first.run_id
    assert (second.train, second.validation) == (first.train, first.validation)


def test_training_begins_with_a_model(catalog: Path) -> None:
    first = _train(catalog)
    second = _train(
        catalog, "second", encoder=str(first.model), architecture=None, learning_rate=1e-9, epochs=1
    )
    start, end = load_model(str(first.model)), load_model(str(second.model))
    assert torch.allclose(start.weight, end.weight, atol=1e-6)
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


def test_a_killed_training_goes_on(catalog: Path) -> None:
    whole = _train(catalog, "whole", epochs=3)
    out = catalog.parent / "killed"
    script = (
        "from pathlib import Path\nfrom zoolens.catalog.images.view import View\n"
        "from zoolens.jobs.train import train\n"
        f"train(Path({str(catalog)!r}), Path({str(out)!r}), "
        f"**{ {**SETTINGS, 'epochs': 3}!r})"
    )
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.Popen([sys.executable, "-c", script], cwd=root)
    end = time.monotonic() + 120
    while not (out / "last.ckpt").exists() and time.monotonic() < end:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (out / "model.safetensors").exists()
    again = _train(catalog, "killed", epochs=3)
    assert (again.epochs, again.best_epoch) == (whole.epochs, whole.best_epoch)
    assert again.validation_loss == pytest.approx(whole.validation_loss, abs=1e-4)
    assert again.run_id == whole.run_id, "the folder does not tell trainings apart"
    uncut, resumed = (load_model(str(report.model)).weight for report in (whole, again))
    assert torch.allclose(uncut, resumed, atol=1e-6)


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


def test_questions_asked_with_other_answers_are_left_out(tmp_path: Path) -> None:
    from tests.made.catalogues import TOY, add_votes, question_totals
    from zoolens.catalog.training.dataset import read_training_set

    counts = random_counts(4, TOY) + 1
    totals = question_totals(counts, TOY)
    totals[1, 3] += 5
    with Store.open(tmp_path / "gz.duckdb", create=True) as store:
        store.set_tree(TOY)
        ids = add_votes(store, counts, totals=totals)
        run = store.begin("ingest", {"images": 1})
        image = {
            "galaxy_id": pa.array(ids, pa.int64()),
            "source": ["a.png"] * 4,
            "member": pa.nulls(4, pa.string()),
            "format": ["PNG"] * 4,
            "height": pa.array([30, 40, 50, 20], pa.int32()),
            "width": pa.array([30] * 4, pa.int32()),
            "sha256": ["ff"] * 4,
        }
        store.commit(run, "images", {"image": pa.table(image)})
        store.finish(run)
        data = read_training_set(store, 0, 0.5, None)
    expected = counts.copy()
    expected[1, TOY.slices[3]] = 0
    assert np.array_equal(data.counts, expected)
    assert data.largest == 30
    assert [galaxy.galaxy_id for galaxy in data.galaxies] == ids


def test_shuffled_votes_are_those_of_other_galaxies(catalog: Path) -> None:
    with Store.open(catalog, read_only=True) as store:
        plain = read_training_set(store, 3, 0.4, None)
        shuffled = read_training_set(store, 3, 0.4, None, shuffled=True)
        again = read_training_set(store, 3, 0.4, None, shuffled=True)
    assert not np.array_equal(plain.counts, shuffled.counts)
    assert sorted(plain.counts.tolist()) == sorted(shuffled.counts.tolist())
    assert np.array_equal(shuffled.counts, again.counts)
    assert (plain.galaxies, plain.split.tolist()) == (shuffled.galaxies, shuffled.split.tolist())
