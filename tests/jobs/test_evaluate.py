"""A small simulated sky, evaluated end to end."""

import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from pyarrow import parquet

import zoolens.jobs.evaluate
from tests.made.catalogues import (
    TOY,
    add_fractions,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.checkpoints import save, zoobot_tree
from zoolens.catalog.errors import CatalogError, ModelRefused, TableRefused
from zoolens.catalog.evaluation.errors import errors_against_truth
from zoolens.catalog.evaluation.truth import read_truth
from zoolens.catalog.images.view import View
from zoolens.catalog.sky.volunteers import Crowd
from zoolens.catalog.store.store import Store
from zoolens.jobs.evaluate import EvaluateReport, evaluate
from zoolens.jobs.ingest import ingest
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference
from zoolens.jobs.simulate import simulate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn_figures", "short_evaluation")]

GALAXIES, SIZE = 20, 64
FEW = {"maps": 20, "typical": 3}


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sky, its catalogue `gz.duckdb` and predictions of a random network."""
    folder = tmp_path_factory.mktemp("evaluate")
    simulate(folder / "sky", galaxies=GALAXIES, seed=5, size=SIZE, crowd=Crowd(), workers=1)
    ingest(folder / "gz.duckdb", folder / "sky" / "votes.csv")
    model = save(zoobot_tree("test_resnet", awake=True), folder / "model.ckpt")
    predict(folder / "gz.duckdb", str(model), Inference(samples=3, view=View(size=SIZE)))
    return folder


def run(sky: Path, **settings: object) -> EvaluateReport:
    settings = {"truth": sky / "sky" / "truth.parquet", **FEW, **settings}
    return evaluate(sky / "gz.duckdb", **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def report(sky: Path) -> EvaluateReport:
    return run(sky)


def test_everything_is_measured_and_catalogued(sky: Path, report: EvaluateReport) -> None:
    assert report.changed
    assert report.galaxies == GALAXIES
    with Store.open(sky / "gz.duckdb", read_only=True) as store:
        rows = store.arrow("SELECT * FROM evaluations").to_pylist()
    assert {row["topic"] for row in rows} >= {
        *("calibration", "accuracy", "error", "localisation"),
        *("sanity", "faithfulness", "stability"),
    }
    assert len(rows) == len(report.measures)
    assert {row["run_id"] for row in rows} == {report.run_id}
    localised = [row for row in rows if row["topic"] == "localisation"]
    methods = {
        *("deeplift", "hirescam", "hirescam, fraction"),
        *("gradcam", "input gradient", "random", "centre"),
    }
    assert {row["method"] for row in localised} == methods
    assert all(0 < row["chance"] <= 1 for row in localised)


def test_fractions_are_held_against_the_truth(sky: Path, report: EvaluateReport) -> None:
    with Store.open(sky / "gz.duckdb", read_only=True) as store:
        tree = store.tree
        rows = store.arrow("SELECT iauname, fraction FROM predictions ORDER BY galaxy_id")
        labels = store.arrow("SELECT label FROM answers ORDER BY answer_id")["label"].to_pylist()
        order = store.arrow("SELECT label FROM predictions LIMIT 34")["label"].to_pylist()
    assert order == labels
    predicted = rows["fraction"].to_numpy().reshape(GALAXIES, 34)
    names = rows["iauname"].to_pylist()[::34]
    truth = read_truth(sky / "sky" / "truth.parquet", names, tree)
    expected = errors_against_truth(predicted, truth.probabilities, tree)
    found = {(m.measure, m.question, m.label): m.value for m in report.measures}
    for measure in expected:
        value = found[measure.measure, measure.question, measure.label]
        assert value == pytest.approx(measure.value, abs=1e-6), measure  # float32 posteriors


def test_the_page_shows_tables_and_figures(report: EvaluateReport) -> None:
    text = report.page.read_text(encoding="utf-8")
    for link in re.findall(r'(?:src|href)="([^"#]+)"', text):
        assert (report.page.parent / unquote(link)).is_file()
    assert {file.stem for file in report.page.parent.glob("*.png")} >= {
        *("coverage", "errors", "localisation", "sanity", "faithfulness")
    }
    for title in report.tables:
        assert title.replace("'", "&#39;") in text
    # a ResNet ends in a mean over pixels: what makes the two methods one
    assert "HiResCAM and GradCAM give the same maps" in text


def test_what_is_there_is_not_measured_again(sky: Path, report: EvaluateReport) -> None:
    again = run(sky)
    assert not again.changed
    assert again.run_id == report.run_id
    assert [repr(m) for m in again.measures] == [repr(m) for m in report.measures]


def test_an_interrupted_run_goes_on(
    sky: Path, report: EvaluateReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(zoolens.jobs.evaluate, "sanity_measures", stop)
        with pytest.raises(KeyboardInterrupt):
            run(sky, galaxies=GALAXIES + 1)
    with Store.open(sky / "gz.duckdb", read_only=True) as store:
        done = store.arrow(
            "SELECT topic FROM history.evaluations WHERE run_id > ?", [report.run_id]
        )
        assert set(done["topic"].to_pylist()) >= {"calibration", "localisation"}
        assert store.value("SELECT max(run_id) FROM evaluations") == report.run_id
    with monkeypatch.context() as patch:
        patch.setattr(zoolens.jobs.evaluate, "fraction_measures", stop)  # not asked for again
        resumed = run(sky, galaxies=GALAXIES + 1)
    assert resumed.run_id == (report.run_id or 0) + 1
    assert [repr(m) for m in resumed.measures] == [repr(m) for m in report.measures]


def test_without_truth_the_maps_are_tested_all_the_same(sky: Path) -> None:
    topics = {m.topic for m in run(sky, truth=None).measures}
    assert topics >= {"calibration", "sanity", "faithfulness"}
    assert "localisation" not in topics


def test_a_control_is_compared_with(sky: Path, tmp_path: Path) -> None:
    control = save(zoobot_tree("test_resnet", awake=True, seed=9), tmp_path / "control.ckpt")
    measures = {m.measure for m in run(sky, control=str(control)).measures}
    assert "rank correlation, shuffled votes" in measures
    other = save(zoobot_tree("resnet18", awake=True), tmp_path / "other.ckpt")
    with pytest.raises(ModelRefused, match="is a resnet18, and what predicted is test_resnet"):
        run(sky, control=str(other))


def test_mistakes_are_told(sky: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no split 'tst'; choose one of train"):
        run(sky, split="tst")
    with pytest.raises(CatalogError, match="in the split test has votes and a posterior"):
        run(sky, split="test")
    table = parquet.read_table(sky / "sky" / "truth.parquet")
    other = tmp_path / "other.parquet"
    parquet.write_table(table.slice(1), other)
    with pytest.raises(TableRefused, match="of another sky: it lacks J"):
        run(sky, truth=other)


def test_unreadable_images_are_rejects(sky: Path, tmp_path: Path) -> None:
    with Store.open(sky / "gz.duckdb", read_only=True) as store:
        (victim,) = store.arrow("SELECT image FROM galaxies LIMIT 1")["image"].to_pylist()
    image = Path(victim)
    image = image if image.is_absolute() else sky / image
    content = image.read_bytes()
    try:
        image.write_bytes(content[:200])
        found = run(sky, maps=GALAXIES + 1)
    finally:
        image.write_bytes(content)
    with Store.open(sky / "gz.duckdb", read_only=True) as store:
        rejects = store.arrow("SELECT * FROM rejects WHERE run_id = ?", [found.run_id]).to_pylist()
    assert [row["source"] for row in rejects] == [victim]


def test_posteriors_without_images_or_model(tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    catalogue(path, random_counts(30), concentrations=random_concentrations(30))
    found = evaluate(path)
    assert {m.topic for m in found.measures} == {"calibration", "accuracy", "error", "correlation"}
    assert np.isfinite([m.value for m in found.measures]).all()


def test_a_condition_chooses_galaxies_and_is_another_run(tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    catalogue(path, random_counts(30), concentrations=random_concentrations(30))
    every = evaluate(path)
    some = evaluate(path, where="galaxy_id < 12")
    assert (every.galaxies, some.galaxies) == (30, 12)
    assert some.run_id == (every.run_id or 0) + 1
    assert not evaluate(path, where="galaxy_id < 12").changed
    with pytest.raises(CatalogError, match="loosen the condition"):
        evaluate(path, where="galaxy_id > 40")


def test_fractions_without_posteriors_cannot_be_evaluated(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(5))
    with Store.open(path) as store:
        add_fractions(store, np.full((5, len(TOY.labels)), 0.5))
    with pytest.raises(CatalogError, match="predict with a model: zoolens predict"):
        evaluate(path)
