"""Predictions of several models, pooled, against each model's own run and against NumPy."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs.test_predict import A, T, column, imaged, posteriors, table
from tests.made.checkpoints import save, zoobot_tree
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import load_model
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.predict import predict
from zoolens.jobs.release import release
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut, Inference
from zoolens.jobs.status import status
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

TREE = get_tree("gzd5")
OWN = Inference(samples=T, seed=4)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three small models, each with its own view: of another size, in grey, of another width."""
    folder = tmp_path_factory.mktemp("models")
    made: list[tuple[Any, View]] = [
        (zoobot_tree("test_resnet", seed=1, awake=True, dropout_rate=0.3), View(size=64)),
        (
            zoobot_tree("test_resnet", seed=2, awake=True, channels=1),
            View("fast", 48, greyscale=True),
        ),
        (zoobot_tree("test_efficientnet", seed=3, awake=True), View(size=80)),
    ]
    files = []
    for number, (model, view) in enumerate(made):
        checkpoint = save(model, folder / f"{number}.ckpt")
        files.append(folder / f"{number}.safetensors")
        write_model(load_model(str(checkpoint)), view, files[-1])
    return [str(file) for file in files]


@pytest.fixture(scope="module")
def alone(models: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    """The samples that each model draws on its own, (N, T, A)."""
    path = imaged(tmp_path_factory.mktemp("alone") / "gz.duckdb", 6)
    return [posteriors(path, predict(path, model, OWN).run_id) for model in models]


def test_the_samples_are_those_of_each_model_one_after_another(
    tmp_path: Path, models: list[str], alone: list[np.ndarray]
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 6)
    report = predict(path, models, OWN)
    assert (report.galaxies, report.samples, report.models) == (6, T, 3)
    assert "3 models pooled" in report.summary
    pooled = np.concatenate(alone, axis=1)
    np.testing.assert_array_equal(posteriors(path, report.run_id), pooled)
    expected = summarise(pooled, TREE, 3)
    for name, values in (
        ("fraction", expected.fraction),
        ("fraction_sd", expected.sd),
        ("fraction_lo", expected.lo),
        ("fraction_hi", expected.hi),
    ):
        np.testing.assert_allclose(column(path, name, report.run_id), values, rtol=1e-6)
    assert verify(path).errors == 0
    spread = "UPDATE prediction SET fraction_model_sd = {} WHERE galaxy_id = 3 AND answer_id = 7"
    spreads = "posterior: spreads between models that are not those of the samples"
    for value in ("fraction_model_sd * 1.01", "NULL"):
        with Store.open(path) as store:
            store.execute(spread.format(value))
        wrong = [row for row in verify(path).remarked.to_pylist() if row["result"] == "ERROR"]
        assert [(row["check"], row["offending"]) for row in wrong] == [(spreads, 1)]


def test_the_spread_between_models_is_stored(
    tmp_path: Path, models: list[str], alone: list[np.ndarray]
) -> None:
    """Slowly: an answer at a time, from what each model expects on its own."""
    path = imaged(tmp_path / "gz.duckdb", 6)
    run_id = predict(path, models, OWN).run_id
    expected = np.empty((6, A))
    for galaxy in range(6):
        for where in TREE.slices:
            for answer in range(where.start, where.stop):
                means = [
                    np.mean([s[answer] / s[where].sum() for s in samples[galaxy].astype(float)])
                    for samples in alone
                ]
                expected[galaxy, answer] = np.sqrt(np.mean((means - np.mean(means)) ** 2))
    found = column(path, "fraction_model_sd", run_id)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)
    assert found.max() > 0.05
    sd = column(path, "fraction_sd", run_id)
    assert (found < sd).all(), "it is a part of the whole spread"
    query = "SELECT count(*) AS n FROM predictions WHERE fraction_model_sd > 0.05"
    assert table(path, query)[0]["n"] == (found > np.float32(0.05)).sum()
    predict(path, models[0], OWN)
    query = "SELECT count(fraction_model_sd) AS n FROM predictions"
    assert table(path, query) == [{"n": 0}], "of one model there is none"


def test_the_ledger_names_all_models(tmp_path: Path, models: list[str]) -> None:
    path = imaged(tmp_path / "gz.duckdb", 2)
    pair = predict(path, models[:2], OWN)
    with Store.open(path, read_only=True) as store:
        config = store.run(pair.run_id).config
    assert config["origin"]["models"] == models[:2]
    assert [one["sha256"] for one in config["models"]] == [
        load_model(model).sha256 for model in models[:2]
    ]
    assert not predict(path, models[:2], OWN).changed
    others = [predict(path, chosen, OWN).run_id for chosen in (models[1::-1], models, models[0])]
    assert len({pair.run_id, *others}) == 4, "another order, number or model is another run"


def test_a_release_names_all_models_and_says_how_they_differ(
    tmp_path: Path, models: list[str]
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 4)
    run_id = predict(path, models, OWN).run_id
    score(path)
    out = tmp_path / "cut"
    release(path, out, Title("Pooled", "1.0"), Cut(counterparts=0, formats=("parquet",)))
    galaxies = pq.read_table(out / "galaxies.parquet")
    found = [galaxies[f"{label}_pred_frac_model_sd"].to_numpy() for label in TREE.labels]
    np.testing.assert_array_equal(
        np.stack(found, axis=1), column(path, "fraction_model_sd", run_id)
    )
    facts = json.loads((out / "release.json").read_text())
    (made,) = [run for run in facts["runs"] if run["job"] == "predict"]
    assert made["config"]["origin"]["models"] == [Path(model).name for model in models]
    checksums = [one["sha256"] for one in made["config"]["models"]]
    assert checksums == [load_model(model).sha256 for model in models]
    readme = (out / "README.md").read_text()
    assert "SHA-256 " + ", ".join(f"{sha256[:16]}…" for sha256 in checksums) in readme
    samples = pq.read_table(out / "tables" / "posteriors.parquet")["bar_weak_concentration"]
    assert {len(each) for each in samples.to_pylist()} == {3 * T}


def test_status_says_how_many_models(tmp_path: Path, models: list[str]) -> None:
    path = imaged(tmp_path / "gz.duckdb", 1)
    predict(path, models[:2], OWN)
    assert status(path).runs["model"].to_pylist()[-1] == "2 models"


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_every_engine_runs_several_models(
    tmp_path: Path, models: list[str], alone: list[np.ndarray], engine: str
) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    path = imaged(tmp_path / "gz.duckdb", 6)
    report = predict(path, models[:2], Inference(samples=T, seed=4, engine=engine))
    pooled = np.concatenate(alone[:2], axis=1)
    np.testing.assert_allclose(posteriors(path, report.run_id), pooled, atol=1e-4, rtol=0)


def test_interrupted_it_resumes_with_nothing_lost_and_nothing_twice(
    tmp_path: Path, models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = imaged(tmp_path / "gz.duckdb", 9)
    whole = tmp_path / "whole.duckdb"
    whole.write_bytes(path.read_bytes())
    commit = Store.commit

    def failing(self: Store, run: Run, name: str, tables: Mapping[str, pa.Table]) -> None:
        if self.shards(run) == 2:
            raise InterruptedError
        commit(self, run, name, tables)

    settings = Inference(samples=T, view=View(size=64))
    with monkeypatch.context() as patched:
        patched.setattr(Store, "commit", failing)
        patched.setattr("zoolens.catalog.predictions.from_images.SHARD", 2)
        with pytest.raises(InterruptedError):
            predict(path, models[:2], settings, batch_size=2)
    assert table(path, "SELECT count(*) AS n FROM posterior") == [{"n": 4}]
    resumed, uncut = (predict(file, models[:2], settings) for file in (path, whole))
    assert (resumed.galaxies, resumed.total) == (5, 9)
    np.testing.assert_allclose(
        posteriors(path, resumed.run_id), posteriors(whole, uncut.run_id), atol=1e-4, rtol=0
    )


def test_grey_images_are_seen_in_colour_if_asked(tmp_path: Path, models: list[str]) -> None:
    """The model of one channel sees them as it always does; that of three, in each channel."""
    grey, colour = (imaged(tmp_path / f"{mode}.duckdb", 2, grey=mode) for mode in ("L", "RGB"))
    with pytest.raises(CatalogError, match="no image could be used"):
        predict(grey, models[:2], OWN)
    seen = predict(grey, models[:2], replace(OWN, grey_as_colour=True))
    same = predict(colour, models[:2], OWN)
    found, expected = posteriors(grey, seen.run_id), posteriors(colour, same.run_id)
    np.testing.assert_array_equal(found[:, :T], expected[:, :T])
    np.testing.assert_allclose(found[:, T:], expected[:, T:], rtol=1e-2)


def test_too_many_samples_and_a_model_twice_are_refused(tmp_path: Path, models: list[str]) -> None:
    path = imaged(tmp_path / "gz.duckdb", 1)
    with pytest.raises(CatalogError, match="of each of 3 models asked; choose 0 to 333"):
        predict(path, models, Inference(samples=334))
    with pytest.raises(ModelRefused, match="are the same model"):
        predict(path, [models[0], models[0]], OWN)
