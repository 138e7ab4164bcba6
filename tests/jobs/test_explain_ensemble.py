"""Explaining what several models predicted together, against the maps of each alone."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.test_explain import (
    GALAXIES,
    LABEL,
    SAMPLES,
    SEED,
    SMALL,
    one,
    paint,
    rows,
    voted,
)
from tests.made.checkpoints import save, zoobot_tree
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.explain.stack import saliency_stack
from zoolens.catalog.images.view import View
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import load_model
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.evaluate import evaluate
from zoolens.jobs.explain import explain
from zoolens.jobs.index import index
from zoolens.jobs.predict import predict
from zoolens.jobs.score import score
from zoolens.jobs.settings import Inference, Maps, Which

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn_figures")]

TREE = get_tree("gzd5")
NAMES = [f"G{number:04d}" for number in range(GALAXIES)]
INFERENCE = Inference(samples=SAMPLES, seed=SEED, view=SMALL)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """One in colour, one in grey."""
    folder = tmp_path_factory.mktemp("models")
    return [
        str(save(zoobot_tree("test_resnet", seed=s, awake=True, channels=c), folder / f"{s}.ckpt"))
        for s, c in ((1, 3), (2, 1))
    ]


@pytest.fixture(scope="module")
def unpredicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = voted(tmp_path_factory.mktemp("voted") / "gz.duckdb")
    paint(path, path.parent / "images", range(GALAXIES))
    return path


def compared_with(path: Path, models: str | Sequence[str]) -> None:
    """Predictions, losses, and what finds counterparts."""
    predict(path, models, INFERENCE)
    score(path)
    index(path)


def maps_of(path: Path, of: str = "concentration") -> np.ndarray:
    with Store.open(path, read_only=True) as store:
        return saliency_stack(store, NAMES, TREE.labels, of=of)  # type: ignore[arg-type]


def everything(path: Path, maps: Maps = Maps()) -> None:
    explain(path, Which(everything=True), maps, figures=False)


@pytest.mark.parametrize("samples", [SAMPLES, 0])
def test_maps_of_an_ensemble_are_the_means_of_its_models(
    tmp_path: Path, unpredicted: Path, models: list[str], samples: int
) -> None:
    """Of concentrations, which are stored, and of fractions, which are made again."""
    inference = Inference(samples=samples, seed=SEED, view=SMALL)
    found = {}
    for name, chosen in (("0", models[0]), ("1", models[1]), ("both", models)):
        path = tmp_path / f"{name}.duckdb"
        shutil.copy(unpredicted, path)
        predict(path, chosen, inference)
        everything(path)
        found[name] = [maps_of(path, of) for of in ("concentration", "fraction")]
        assert found[name][0].std() > 0
    for both, first, second in zip(found["both"], found["0"], found["1"], strict=True):
        np.testing.assert_allclose(both, (first + second) / 2, atol=1e-6)


def test_an_ensemble_is_drawn_and_one_of_it_is_for_comparison(
    tmp_path: Path, unpredicted: Path, models: list[str]
) -> None:
    path = tmp_path / "gz.duckdb"
    shutil.copy(unpredicted, path)
    compared_with(path, models)
    which = Which(names=NAMES[:1], answer=LABEL)
    report = explain(path, which, out=tmp_path / "out")
    assert report.figures
    assert report.caveats == ()
    page = report.page.read_text() if report.page else ""
    assert "2 models (test_resnet)" in page
    assert one(path, "SELECT count(DISTINCT run_id) FROM saliency") == 1
    moved = [str(shutil.copy(model, tmp_path)) for model in models]
    for model in models:
        Path(model).rename(f"{model}.gone")
    try:
        with pytest.raises(ModelRefused, match=r"--model CHECKPOINT, and each of the 2 models so"):
            explain(path, which, figures=False)
        again = explain(path, which, Maps(model=moved[::-1]), figures=False)
        assert (again.run_id, again.explained) == (report.run_id, 0), "in whatever order"
    finally:
        for model in models:
            Path(f"{model}.gone").rename(model)
    alone = explain(path, which, Maps(model=models[1]), figures=False)
    assert alone.caveats == ("The predictions pool 2 models, of which one is explained.",)
    assert one(path, "SELECT DISTINCT run_id FROM saliency") == report.run_id
    assert rows(path, f"FROM history.saliency WHERE run_id = {alone.run_id}")


def test_models_of_other_views_have_no_mean_map(
    tmp_path: Path, unpredicted: Path, models: list[str]
) -> None:
    path = tmp_path / "gz.duckdb"
    shutil.copy(unpredicted, path)
    files = []
    for name, model, view in (
        ("small", models[0], SMALL),
        ("large", str(tmp_path / "other.ckpt"), View("fast", 80)),
    ):
        if name == "large":
            save(zoobot_tree("test_resnet", seed=3, awake=True), tmp_path / "other.ckpt")
        files.append(str(tmp_path / f"{name}.safetensors"))
        write_model(load_model(model), view, Path(files[-1]))
    predict(path, files, Inference(samples=SAMPLES, seed=SEED))
    with pytest.raises(
        ModelRefused, match=r"minimal of 64 pixels, zoom 1.2 and fast of 80 .*--model ONE"
    ):
        everything(path)
    everything(path, Maps(model=files[1]))
    assert one(path, "SELECT DISTINCT height FROM history.saliency") == 3


def test_evaluation_measures_the_predictions_and_says_that_it_tests_no_maps(
    tmp_path: Path, unpredicted: Path, models: list[str]
) -> None:
    path = tmp_path / "gz.duckdb"
    shutil.copy(unpredicted, path)
    compared_with(path, models)
    report = evaluate(path, out=tmp_path / "page")
    assert {measure.topic for measure in report.measures} >= {"calibration", "error"}
    assert not {m.topic for m in report.measures} & {"sanity", "faithfulness", "warning"}
    assert "their maps are not tested" in report.notes[0]
