"""Predictions in the store against Zoobot's own, whatever interrupts them."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from tests.made.catalogues import TOY, add_images, add_votes, catalogue, random_counts
from tests.made.checkpoints import save, zoobot_tree
from tests.made.processes import started
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogBusy, CatalogError, ModelRefused, UnknownName
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.engines import make_encode
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import dropout_masks, load_model
from zoolens.catalog.predictions import from_images
from zoolens.catalog.predictions.posterior import REACH, summarise
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference

pytestmark = pytest.mark.slow

SMALL = View(size=64)
A, Q, T = 34, 10, 5


@pytest.fixture(scope="module")
def zoobot() -> Any:
    """A small ZoobotTree of GZD-5."""
    return zoobot_tree("test_resnet", awake=True, dropout_rate=0.3)


@pytest.fixture(scope="module")
def model(zoobot: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save(zoobot, tmp_path_factory.mktemp("small") / "small.ckpt"))


def paint(path: Path, folder: Path, galaxies: list[int], grey: str | None = None) -> None:
    """An image for each galaxy: a bright blob on noise, told apart by the number.

    grey: the mode, L or RGB, of images without colour.
    """
    folder.mkdir(exist_ok=True)
    rows = []
    with ImageReader() as reader:
        for number in galaxies:
            random = np.random.default_rng(number)
            y, x = np.mgrid[:80, :80] - random.uniform(30, 50, (2, 1, 1))
            blob = 200 * np.exp(-(x**2 + y**2) / random.uniform(20, 300))
            noise = random.uniform(0, 50, (80, 80, 3))
            file = folder / f"G{number:04d}.png"
            image = Image.fromarray((blob[..., None] + noise).astype(np.uint8))
            (image if grey is None else image.convert("L").convert(grey)).save(file)
            rows.append(
                {"galaxy_id": number, "source": str(file), **vars(reader.inspect(str(file)))}
            )
    with Store.open(path) as store:
        add_images(store, rows)


def imaged(
    path: Path,
    count: int,
    *,
    without: int = 0,
    tree: DecisionTree | None = None,
    grey: str | None = None,
) -> Path:
    """A catalogue of `count` galaxies with images and `without` galaxies without."""
    tree = tree or get_tree("gzd5")
    catalogue(path, random_counts(count + without, tree), tree=tree)
    paint(path, path.with_suffix(""), list(range(count)), grey)
    return path


def posteriors(path: Path, run_id: int) -> np.ndarray:
    with Store.open(path, read_only=True) as store:
        rows = store.arrow(
            "SELECT * FROM posterior WHERE run_id = ? ORDER BY galaxy_id", [run_id]
        ).to_pylist()
    return np.stack(
        [
            np.frombuffer(row["concentrations"], "<f4").reshape(row["samples"], row["answers"])
            for row in rows
        ]
    )


def table(path: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(path, read_only=True) as store:
        return store.arrow(sql).to_pylist()


def column(path: Path, name: str, run_id: int, source: str = "prediction") -> np.ndarray:
    key = "answer_id" if source == "prediction" else "question_id"
    with Store.open(path, read_only=True) as store:
        values = store.arrow(
            f"SELECT {name} FROM {source} WHERE run_id = {run_id} ORDER BY galaxy_id, {key}"
        )[name]
    return values.to_numpy().reshape(-1, A if source == "prediction" else Q)


def seen_by(zoobot: Any, folder: Path, masks: torch.Tensor) -> np.ndarray:
    """Concentrations (N, T, A) by Zoobot's own modules, an image at a time."""
    files = sorted(folder.glob("*.png"))
    with torch.inference_mode():
        features = torch.cat(
            [zoobot.encoder(SMALL.prepare(Image.open(file))[None]) for file in files]
        )
        return torch.stack([zoobot.head[1](features * mask) for mask in masks], dim=1).numpy()


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_posteriors_are_those_of_zoobots_modules(
    tmp_path: Path, model: str, zoobot: Any, engine: str
) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    path = imaged(tmp_path / "gz.duckdb", 7, without=2)
    report = predict(
        path, model, Inference(samples=T, seed=4, view=SMALL, engine=engine), batch_size=3
    )
    assert (report.galaxies, report.total, report.rejects, report.samples) == (7, 7, 0, T)
    assert report.changed
    assert report.missing_questions == ()
    with Store.open(path, read_only=True) as store:
        assert store.run(report.run_id).config["origin"]["engine"] == engine
    found = posteriors(path, report.run_id)
    masks = dropout_masks(T, zoobot.encoder_dim, 0.3, seed=4)
    expected = seen_by(zoobot, tmp_path / "gz", masks)
    assert found.std(axis=0).mean() > 0.2, "galaxies are told apart"
    assert found.std(axis=1).mean() > 0.2, "samples are told apart"
    # 100 sigmoid(z) magnifies float32 rounding of z a hundredfold; 1e-4 is promised
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)


def test_another_precision_is_another_run(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 5)
    exact = predict(path, model, Inference(samples=T, view=SMALL))
    rough = predict(path, model, Inference(samples=T, view=SMALL, precision="bfloat16"))
    again = predict(path, model, Inference(samples=T, view=SMALL, precision="bfloat16"))
    assert exact.run_id != rough.run_id == again.run_id
    assert not again.changed
    difference = np.abs(posteriors(path, exact.run_id) - posteriors(path, rough.run_id))
    assert 0 < difference.max() < 5  # of concentrations up to 101
    with pytest.raises(UnknownName, match="no precision 'float8'"):
        predict(path, model, Inference(precision="float8"))


def test_tables_summarise_the_posteriors(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 5)
    run_id = predict(path, model, Inference(samples=T, view=SMALL)).run_id
    tree = get_tree("gzd5")
    expected = summarise(posteriors(path, run_id), tree)
    np.testing.assert_allclose(column(path, "fraction", run_id), expected.fraction, rtol=1e-12)
    for name, values in {
        "concentration": expected.concentration,
        "fraction_sd": expected.sd,
        "fraction_lo": expected.lo,
        "fraction_hi": expected.hi,
        "reach": expected.reach,
    }.items():  # float32 in the table
        np.testing.assert_allclose(column(path, name, run_id), values, rtol=1e-6)
    information = column(path, "mutual_information", run_id, "question_prediction")
    np.testing.assert_allclose(information, expected.information, atol=1e-15)
    shown = table(path, "SELECT label, fraction FROM predictions WHERE galaxy_id = 3")
    assert {row["label"]: row["fraction"] for row in shown} == dict(
        zip(tree.labels, expected.fraction[3], strict=True)
    )


def test_a_run_says_how_its_reach_was_computed(tmp_path: Path, model: str) -> None:
    """So that predictions with another reach, of an older Zoolens, are another run."""
    path = imaged(tmp_path / "gz.duckdb", 1)
    run_id = predict(path, model, Inference(samples=T, view=SMALL)).run_id
    with Store.open(path) as store:
        older = dict(store.run(run_id).config)
        assert older.pop("reach") == REACH
        origin, sha256 = older.pop("origin"), store.run(run_id).model_sha256
        assert store.begin("predict", older, model_sha256=sha256, origin=origin).run_id != run_id


def test_without_dropout_there_is_one_sample_and_no_seed(
    tmp_path: Path, model: str, zoobot: Any
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 3)
    report = predict(path, model, Inference(samples=0, seed=1, view=SMALL))
    found = posteriors(path, report.run_id)
    expected = seen_by(zoobot, tmp_path / "gz", torch.ones(1, zoobot.encoder_dim))
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
    assert (column(path, "mutual_information", report.run_id, "question_prediction") == 0).all()
    again = predict(path, model, Inference(samples=0, seed=2, view=SMALL))
    assert (again.run_id, again.changed) == (report.run_id, False)


def test_the_same_again_changes_nothing_and_news_are_added(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 4, without=3)
    first = predict(path, model, Inference(samples=T, view=SMALL))
    before = posteriors(path, first.run_id)
    assert not predict(path, model, Inference(samples=T, view=SMALL)).changed
    paint(path, tmp_path / "more", [5, 6])
    news = predict(path, model, Inference(samples=T, view=SMALL))
    assert (news.run_id, news.galaxies, news.total) == (first.run_id, 2, 6)
    np.testing.assert_array_equal(posteriors(path, first.run_id)[:4], before)
    other = predict(path, model, Inference(samples=T, seed=9, view=SMALL))
    assert (other.run_id, other.galaxies) == (first.run_id + 2, 6)
    assert len(table(path, "SELECT DISTINCT run_id FROM history.predictions")) == 2
    assert table(path, "SELECT DISTINCT run_id AS r FROM predictions") == [{"r": other.run_id}]


def test_to_complete_a_run_is_a_change(tmp_path: Path, model: str) -> None:
    """It was killed between its last shard and its end: now it shows."""
    path = imaged(tmp_path / "gz.duckdb", 2)
    run = predict(path, model, Inference(samples=T, view=SMALL)).run_id
    with Store.open(path) as store:
        store.execute(
            "UPDATE run SET status = 'running', finished_at = NULL WHERE run_id = ?", [run]
        )
    again = predict(path, model, Inference(samples=T, view=SMALL))
    assert (again.run_id, again.galaxies, again.changed) == (run, 0, True)
    assert not predict(path, model, Inference(samples=T, view=SMALL)).changed


def test_results_do_not_depend_on_batches(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 9)
    found = []
    for batch_size in (1, 4, 100):
        copy = tmp_path / f"{batch_size}.duckdb"
        copy.write_bytes(path.read_bytes())
        run_id = predict(
            copy, model, Inference(samples=T, view=SMALL), batch_size=batch_size
        ).run_id
        found.append(posteriors(copy, run_id))
    # kernels differ with the size of the batch, by rounding
    np.testing.assert_allclose(found[1], found[0], atol=1e-4, rtol=0)
    np.testing.assert_allclose(found[2], found[0], atol=1e-4, rtol=0)


def test_images_that_changed_are_rejects_and_the_rest_goes_on(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 6)
    folder = tmp_path / "gz"
    (folder / "G0001.png").unlink()
    (folder / "G0002.png").write_bytes((folder / "G0003.png").read_bytes())
    (folder / "G0004.png").write_bytes((folder / "G0004.png").read_bytes()[:500])
    report = predict(path, model, Inference(samples=T, view=SMALL), batch_size=2)
    assert (report.galaxies, report.rejects) == (3, 3)
    rejects = table(path, "SELECT * FROM rejects ORDER BY key")
    assert [row["key"] for row in rejects] == ["G0001", "G0002", "G0004"]
    kinds = [row["reason"].partition(":")[0] for row in rejects]
    assert kinds == ["missing image", "changed image", "changed image"]
    assert rejects[0]["source"] == str(folder / "G0001.png")
    predicted = table(path, "SELECT DISTINCT galaxy_id AS g FROM predictions ORDER BY g")
    assert [row["g"] for row in predicted] == [0, 3, 5]
    assert not predict(path, model, Inference(samples=T, view=SMALL)).changed
    assert len(table(path, "SELECT * FROM rejects")) == 3
    paint(path, folder, [1, 4])
    cured = predict(path, model, Inference(samples=T, view=SMALL))
    assert (cured.run_id, cured.galaxies, cured.rejects) == (report.run_id, 2, 0)


def test_where_no_image_can_be_used_nothing_is_shown(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 2)
    before = predict(path, model, Inference(samples=T, view=SMALL))
    for file in (tmp_path / "gz").glob("*.png"):
        file.unlink()
    with pytest.raises(CatalogError, match="no image could be used"):
        predict(path, model, Inference(samples=T, seed=1, view=SMALL))
    assert len(table(path, "SELECT * FROM rejects")) == 2
    assert table(path, "SELECT DISTINCT run_id AS r FROM predictions") == [{"r": before.run_id}]


def predict_and_die(path: Path, model: str, shard: int = 2, batch_size: int = 2) -> None:
    """Predict in shards of a few galaxies, until the third is to be committed."""
    from_images.SHARD = shard
    commit = Store.commit

    def dying(self: Store, run: Run, name: str, tables: Mapping[str, pa.Table]) -> None:
        if self.shards(run) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, run, name, tables)

    Store.commit = dying  # type: ignore[method-assign]
    predict(path, model, Inference(samples=T, view=SMALL), batch_size=batch_size)


def test_killed_it_resumes_with_nothing_lost_and_nothing_twice(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 9)
    whole = tmp_path / "whole.duckdb"
    whole.write_bytes(path.read_bytes())
    job = started(predict_and_die, path, model)
    job.join()
    assert job.exitcode == -signal.SIGKILL
    assert table(path, "SELECT count(*) AS n FROM predictions") == [{"n": 0}], "not shown"
    assert table(path, "SELECT count(*) AS n FROM posterior") == [{"n": 4}], "not lost"
    resumed = predict(path, model, Inference(samples=T, view=SMALL))
    assert (resumed.galaxies, resumed.total) == (5, 9)
    uninterrupted = predict(whole, model, Inference(samples=T, view=SMALL))
    np.testing.assert_allclose(
        posteriors(path, resumed.run_id), posteriors(whole, uninterrupted.run_id), atol=1e-4, rtol=0
    )
    counts = table(path, "SELECT count(*) AS n FROM prediction GROUP BY galaxy_id, answer_id")
    assert [row["n"] for row in counts] == [1] * 9 * A


@pytest.mark.parametrize("threads", [1, 3])
def test_killed_it_resumes_to_the_same_bits_with_any_number_of_threads(
    tmp_path: Path, model: str, threads: int
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 150)
    whole = tmp_path / "whole.duckdb"
    whole.write_bytes(path.read_bytes())
    job = started(predict_and_die, path, model, 64, 32)
    job.join()
    assert job.exitcode == -signal.SIGKILL
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        resumed = predict(path, model, Inference(samples=T, view=SMALL))
    finally:
        torch.set_num_threads(before)
    assert (resumed.galaxies, resumed.total) == (150 - 2 * 64, 150)
    uncut = predict(whole, model, Inference(samples=T, view=SMALL))
    np.testing.assert_array_equal(posteriors(path, resumed.run_id), posteriors(whole, uncut.run_id))
    sql = "SELECT * EXCLUDE run_id FROM predictions ORDER BY galaxy_id, label"
    assert table(path, sql) == table(whole, sql)


def test_a_greyscale_model_is_shown_grey(tmp_path: Path) -> None:
    zoobot = zoobot_tree("test_resnet", awake=True, channels=1)
    grey = str(save(zoobot, tmp_path / "grey.ckpt"))
    path = imaged(tmp_path / "gz.duckdb", 2)
    report = predict(path, grey, Inference(samples=0, view=SMALL))
    (run,) = table(path, f"SELECT config FROM runs WHERE run_id = {report.run_id}")
    assert '"greyscale": true' in run["config"]
    shown = torch.stack(
        [
            View(size=64, greyscale=True).prepare(Image.open(tmp_path / f"gz/G000{i}.png"))
            for i in (0, 1)
        ]
    )
    with torch.inference_mode():
        expected = zoobot(shown)[:, None]
    np.testing.assert_allclose(posteriors(path, report.run_id), expected, atol=1e-4, rtol=0)


def test_grey_images_are_shown_to_a_model_of_three_channels_if_asked(
    tmp_path: Path, model: str
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 2)
    with Store.open(path) as store:
        for number in (0, 1):
            file = tmp_path / f"gz/G000{number}.png"
            Image.open(file).convert("L").save(file)
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            store.execute("UPDATE image SET sha256 = ? WHERE source = ?", [sha256, str(file)])
    with pytest.raises(CatalogError, match=r"no image could be used: 2 times wrong mode: one ch.*"):
        predict(path, model, Inference(samples=0, view=SMALL))
    asked = Inference(samples=0, view=SMALL, grey_as_colour=True)
    report = predict(path, model, asked)
    assert (report.galaxies, report.rejects) == (2, 0)
    (run,) = table(path, f"SELECT config FROM runs WHERE run_id = {report.run_id}")
    assert '"grey_as_colour": true' in run["config"]
    grey = str(save(zoobot_tree("test_resnet", awake=True, channels=1), tmp_path / "grey.ckpt"))
    untold = predict(path, grey, Inference(samples=0, view=SMALL))
    assert (untold.galaxies, untold.rejects) == (2, 0)
    again = predict(path, grey, asked)  # of one channel: there is nothing to ask for
    assert (again.run_id, again.changed) == (untold.run_id, False)


def test_a_model_is_shown_what_its_file_says(tmp_path: Path, model: str) -> None:
    own = tmp_path / "own.safetensors"
    write_model(load_model(model), View("fast", 64), own)
    path = imaged(tmp_path / "gz.duckdb", 2)
    untold = predict(path, str(own), Inference(samples=2))
    (run,) = table(path, f"SELECT config FROM runs WHERE run_id = {untold.run_id}")
    assert '"name": "fast"' in run["config"]
    told = predict(path, str(own), Inference(samples=2, view=View("fast", 64)))
    assert (told.run_id, told.changed) == (untold.run_id, False)
    assert predict(path, str(own), Inference(samples=2, view=SMALL)).run_id != untold.run_id


def test_questions_the_model_lacks_are_null(tmp_path: Path) -> None:
    path = imaged(tmp_path / "gz.duckdb", 2, tree=get_tree("gz2"))
    model = str(save(zoobot_tree("test_resnet", tree="gz2"), tmp_path / "gz2.ckpt"))
    report = predict(path, model, Inference(samples=2, view=SMALL))
    assert report.missing_questions == ("odd-feature",)
    rows = table(path, "SELECT question, concentration, fraction, reach FROM predictions")
    assert len(rows) == 2 * 37
    for row in rows:
        missing = row["question"] == "odd-feature"
        assert (row["concentration"] is None) == missing
        assert (row["fraction"] is None) == missing
        assert row["reach"] is not None, "how often it would be asked is known"
    assert np.isnan(posteriors(path, report.run_id)[..., 30:]).all()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"samples": -1}, "choose 0 to 1000"),
        ({"samples": 10**6}, "choose 0 to 1000"),
        ({"seed": -1}, "a seed of -1"),
        ({"view": View(size=64, greyscale=True)}, "takes colour images"),
        ({"view": View(size=16)}, ""),
    ],
)
def test_unsuitable_settings_are_refused(
    tmp_path: Path, model: str, settings: dict[str, Any], told: str
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 1)
    if not told:  # a residual network takes any size
        assert predict(path, model, Inference(**settings)).galaxies == 1
        return
    with pytest.raises(CatalogError, match=told):
        predict(path, model, Inference(**settings))
    assert table(path, "SELECT count(*) AS n FROM runs WHERE job = 'predict'") == [{"n": 0}]


def test_what_cannot_be_predicted_is_refused(tmp_path: Path, model: str) -> None:
    with pytest.raises(CatalogError, match="zoolens ingest"):
        predict(tmp_path / "none.duckdb", model)
    with pytest.raises(CatalogError, match="has an image; add them with"):
        predict(catalogue(tmp_path / "bare.duckdb", random_counts(3)), model)
    path = imaged(tmp_path / "toy.duckdb", 1, tree=TOY)
    with pytest.raises(ModelRefused, match="no question of tree toy"):
        predict(path, model)
    with pytest.raises(ModelRefused, match="no model at"):
        predict(path, str(tmp_path / "none.ckpt"))
    with Store.open(path) as store:
        add_votes(store, random_counts(2))
        assert store.value("SELECT count(*) FROM run WHERE job = 'predict'") == 0


def test_a_catalogue_in_use_is_refused_at_once(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 1)
    script = (
        "import sys, duckdb\nconnection = duckdb.connect(sys.argv[1])\n"
        "print('open', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(CatalogBusy):
            predict(path, model)


@pytest.mark.filterwarnings("ignore")  # of Lightning and its data loader
def test_real_galaxies_get_the_numbers_of_predict_on_catalog(data: Path, tmp_path: Path) -> None:
    """Zoobot's own way from files to concentrations, on the same images and view."""
    import pandas as pd
    from galaxy_datasets.transforms import get_galaxy_transform, minimal_view_config
    from zoobot.pytorch.estimators.define_model import ZoobotTree
    from zoobot.pytorch.predictions import predict_on_catalog

    class Repaired(ZoobotTree):
        """Zoobot 2.9's own data module gives dicts, which its predict_step does not take."""

        def predict_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
            return self(batch["image"])

    files = sorted((data / "images").rglob("*.png"))[:6]
    tree = zoobot_tree(awake=True)
    checkpoint = save(tree, tmp_path / "zoobot.ckpt")
    tree.__class__ = Repaired
    expected = predict_on_catalog.predict(
        pd.DataFrame({"id_str": [f.stem for f in files], "file_loc": [str(f) for f in files]}),
        tree,
        save_loc=str(tmp_path / "zoobot.csv"),
        label_cols=tree.schema.label_cols,
        inference_transform=get_galaxy_transform(minimal_view_config()),
        datamodule_kwargs={"batch_size": 3, "num_workers": 0, "prefetch_factor": None},
        trainer_kwargs={"accelerator": "cpu", "logger": False, "enable_progress_bar": False},
    )
    path = catalogue(
        tmp_path / "gz.duckdb",
        random_counts(len(files), get_tree("gzd5")),
        tree=get_tree("gzd5"),
        names=[f.stem for f in files],
    )
    with ImageReader() as reader:
        rows = [
            {"galaxy_id": i, "source": str(f), **vars(reader.inspect(str(f)))}
            for i, f in enumerate(files)
        ]
    with Store.open(path) as store:
        add_images(store, rows)
    report = predict(path, str(checkpoint), Inference(samples=0))
    found = posteriors(path, report.run_id)[:, 0]
    assert found.std(axis=0).mean() > 0.2, "galaxies are told apart"
    labels = list(tree.schema.label_cols)
    np.testing.assert_allclose(found, expected[labels].to_numpy(), atol=1e-4, rtol=0)


def test_an_image_whose_features_are_no_numbers_is_a_reject(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 4)

    def overflowing(*given: Any) -> Any:
        encode = make_encode(*given)

        def encoded(images: torch.Tensor) -> torch.Tensor:
            features = encode(images).clone()
            features[1] = torch.inf
            return features

        return encoded

    monkeypatch.setattr("zoolens.catalog.predictions.from_images.make_encode", overflowing)
    report = predict(path, model, Inference(samples=2, view=SMALL))
    assert (report.galaxies, report.rejects) == (3, 1)
    assert [row["reason"] for row in table(path, "FROM rejects")] == [
        "unusable image: what the model makes of it is no number"
    ]
    monkeypatch.undo()
    assert predict(path, model, Inference(samples=2, view=SMALL)).galaxies == 1
