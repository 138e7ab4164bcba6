"""Predictions and maps of images seen in several orientations, against a slow loop over them."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from tests.jobs.test_explain import GALAXIES, LABEL, paint, voted
from tests.jobs.test_predict import SMALL, A, column, imaged, posteriors
from tests.made.catalogues import add_images, catalogue, random_counts
from tests.made.checkpoints import finetuned, save, zoobot_tree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.explain.members import explainer_of
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import load_member
from zoolens.catalog.network.inference import features
from zoolens.catalog.network.model import concentrations, dropout_masks
from zoolens.catalog.predictions.from_images import Sampler
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.cli import app
from zoolens.jobs import pipeline
from zoolens.jobs.evaluate import evaluate
from zoolens.jobs.explain import explain
from zoolens.jobs.picture import explain_picture
from zoolens.jobs.predict import predict
from zoolens.jobs.release import release
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut, Inference, Maps, Which
from zoolens.jobs.status import status
from zoolens.jobs.verify import verify

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn_figures", "short_evaluation")]

TREE = get_tree("gzd5")
RATE, SEED, T = 0.3, 4, 8


def how(samples: int, orientations: int, **more: Any) -> Inference:
    return Inference(samples, SEED, SMALL, orientations=orientations, **more)


def seen(pixels: np.ndarray) -> list[np.ndarray]:
    """An image (C, H, H) in every orientation, by NumPy, in the order of the samples."""
    found = []
    for image in (pixels, pixels[:, :, ::-1]):
        found += [np.rot90(image, turns, (1, 2)) for turns in (0, 2, 1, 3)]
    return [np.ascontiguousarray(image) for image in found]


@pytest.fixture(scope="module")
def zoobot() -> Any:
    return zoobot_tree("test_resnet", awake=True, dropout_rate=RATE)


@pytest.fixture(scope="module")
def model(zoobot: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save(zoobot, tmp_path_factory.mktemp("small") / "small.ckpt"))


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return imaged(tmp_path_factory.mktemp("gz") / "gz.duckdb", 5)


@pytest.fixture
def path(gz: Path, tmp_path: Path) -> Path:
    """A catalogue of its own for one test."""
    return Path(shutil.copy(gz, tmp_path / "gz.duckdb"))


@pytest.mark.parametrize(
    ("engine", "samples", "orientations"),
    [("torch", 2 * T, 8), ("torch", T, 4), ("torch", 6, 2), ("torch", 0, 8), ("openvino", T, 8)],
)
def test_a_sample_is_of_one_orientation(
    path: Path, gz: Path, model: str, zoobot: Any, engine: str, samples: int, orientations: int
) -> None:
    if engine == "openvino":
        pytest.importorskip("openvino")
    inference = how(samples, orientations, engine=engine)
    report = predict(path, model, inference, batch_size=2)
    assert f"in {orientations} orientations" in report.summary
    masks = dropout_masks(samples, zoobot.encoder_dim, RATE, SEED)
    expected = []
    with torch.inference_mode():
        for file in sorted(gz.with_suffix("").glob("*.png")):
            turned = seen(SMALL.prepare(Image.open(file)).numpy())
            for t in range(samples or orientations):
                found = zoobot.encoder(torch.from_numpy(turned[t % orientations])[None])
                expected.append(zoobot.head[1](found * masks[t % len(masks)])[0])
    found = posteriors(path, report.run_id)
    assert found.shape == (5, samples or orientations, A)
    # as in test_predict: 1e-4 is promised
    np.testing.assert_allclose(found.reshape(-1, A), torch.stack(expected), atol=1e-4, rtol=0)
    assert verify(path).errors == 0


def test_one_orientation_is_what_it_was_to_the_bit(model: str) -> None:
    member = load_member(model, TREE, SMALL)
    masks, encode = member.masks(T, SEED), partial(features, member.model.encoder)
    images = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    sampler = Sampler(member, masks, encode)
    expected = concentrations(member.model, encode(images), masks)
    assert torch.equal(sampler.samples(sampler.features(images)), expected)


def test_samples_of_the_upright_image_stay(path: Path, model: str) -> None:
    upright = posteriors(path, predict(path, model, how(T, 1)).run_id)
    for orientations in (2, 4, 8):
        turned = posteriors(path, predict(path, model, how(2 * T, orientations)).run_id)
        same = range(0, T, orientations)
        np.testing.assert_allclose(turned[:, same], upright[:, same], atol=1e-4, rtol=0)
        assert np.abs(turned[:, 1] - upright[:, 1]).max() > 0.05


@pytest.mark.parametrize("orientations", [4, 8])
def test_a_turned_image_is_predicted_alike(
    path: Path, gz: Path, tmp_path: Path, model: str, orientations: int
) -> None:
    """As what it is averaged over is a group; of four, without its mirror image.

    In the view that moves pixels as they are: the other rounds what it interpolates.
    """
    inference = replace(how(0, orientations), view=View("fast", 64))
    upright = posteriors(path, predict(path, model, inference).run_id)
    turned = catalogue(tmp_path / "turned.duckdb", random_counts(5, TREE), tree=TREE)
    rows: list[dict[str, Any]] = []
    with ImageReader() as reader:
        for number, file in enumerate(sorted(gz.with_suffix("").glob("*.png"))):
            with Image.open(file) as image:
                pixels = np.rot90(np.asarray(image))
            seen_so = str(tmp_path / file.name)
            Image.fromarray(pixels[:, ::-1] if orientations == 8 else pixels).save(seen_so)
            facts = vars(reader.inspect(seen_so))
            rows.append({"galaxy_id": number, "source": seen_so, **facts})
    with Store.open(turned) as store:
        add_images(store, rows)
    found = posteriors(turned, predict(turned, model, inference).run_id)
    assert np.abs(found - upright).max() > 0.05, "in another order"
    np.testing.assert_allclose(np.sort(found, axis=1), np.sort(upright, axis=1), atol=1e-3)


def test_models_of_an_ensemble_see_each_orientation(path: Path, model: str, tmp_path: Path) -> None:
    grey = str(
        save(zoobot_tree("test_resnet", seed=2, awake=True, channels=1), tmp_path / "g.ckpt")
    )
    alone = [posteriors(path, predict(path, one, how(T, 8)).run_id) for one in (model, grey)]
    report = predict(path, [model, grey], how(T, 8))
    assert "2 models pooled; in 8 orientations" in report.summary
    np.testing.assert_array_equal(posteriors(path, report.run_id), np.concatenate(alone, axis=1))
    assert verify(path).errors == 0


def test_other_orientations_are_another_run(path: Path, model: str) -> None:
    first, turned = (predict(path, model, how(T, o)).run_id for o in (1, 8))
    assert first != turned != predict(path, model, how(T, 4)).run_id
    again = predict(path, model, how(T, 8))
    assert (again.run_id, again.galaxies) == (turned, 0)
    with Store.open(path, read_only=True) as store:
        assert "orientations" not in store.run(first).config, "as it was before there were any"
        assert store.run(turned).config["orientations"] == 8
    shown = {row["run_id"]: row["model"] for row in status(path).runs.to_pylist()}
    assert shown[turned] == f"{shown[first]}, 8 orientations"


def test_a_user_types_orientations_and_the_samples_suit(path: Path, model: str) -> None:
    typed = ["predict", "--model", model, "--catalog", str(path), "--size", "64"]
    runner = CliRunner()
    done = runner.invoke(app, [*typed, "--orientations", "8"])
    assert done.exit_code == 0, done.output
    assert "5 galaxies, 5 in all; 0 refused; in 8 orientations" in done.output
    assert runner.invoke(app, typed).exit_code == 0
    with Store.open(path, read_only=True) as store:
        sql = "SELECT DISTINCT run_id, samples FROM posterior ORDER BY run_id"
        assert [samples for _, samples in store.rows(sql)] == [32, 30]
    refused = runner.invoke(app, [*typed, "--orientations", "8", "--samples", "30"])
    assert refused.exit_code == 1
    assert "30 dropout samples do not share out evenly" in refused.output


def test_a_classifier_may_tell_orientations_apart(path: Path, tmp_path: Path) -> None:
    made = str(save(finetuned("Classifier", num_classes=3), tmp_path / "classifier.ckpt"))
    image = path.parent / "none.png"
    Image.new("RGB", (80, 80)).save(image)
    with pytest.raises(CatalogError, match="may turn with the image; leave out --orientations"):
        pipeline.predict_or_adopt(path, model=made, inference=how(T, 8))
    with pytest.raises(CatalogError, match="may turn with the image"):
        explain_picture(image, Maps(made), how(T, 8))


# --- what is explained, evaluated and released


@pytest.fixture(scope="module")
def scored(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galaxies with votes, predicted in eight orientations."""
    made = voted(tmp_path_factory.mktemp("voted") / "gz.duckdb")
    paint(made, made.parent / "images", range(GALAXIES))
    predict(made, model, how(T, 8))
    score(made)
    return made


def test_maps_are_turned_back_and_add_up_to_what_is_predicted(scored: Path, model: str) -> None:
    explain(scored, Which(names=["G0002"], answer=LABEL), figures=False)
    member = load_member(model, TREE, SMALL)
    masks = member.masks(T, SEED)
    with Image.open(scored.parent / "images" / "2.png") as image:
        turned = seen(SMALL.prepare(image).numpy())
    answer = TREE.answer_id(LABEL)
    own: list[np.ndarray] = []
    raised: list[np.ndarray] = []
    for orientation, pixels in enumerate(turned):
        batch, one = torch.from_numpy(pixels)[None], masks[[orientation]]
        parts = [
            Explainer(member.model, one, size=64)(batch).mean[0, answer].numpy(),
            DeepLift(member.model, one, TREE.slices, size=64)(batch).maps[0, answer].numpy(),
        ]
        for maps, kept in zip(parts, (own, raised), strict=True):
            back = np.rot90(maps, -(0, 2, 1, 3)[orientation % 4])
            kept.append(back[:, ::-1] if orientation >= 4 else back)
    found = saliency_of(scored, "G0002", LABEL)
    np.testing.assert_allclose(found, np.mean(own, axis=0), atol=1e-5 * np.abs(own).max())
    spread = saliency_of(scored, "G0002", LABEL, sd=True)
    np.testing.assert_allclose(spread, np.std(own, axis=0), atol=1e-4 * np.abs(own).max())
    fraction = saliency_of(scored, "G0002", LABEL, of="fraction")
    np.testing.assert_allclose(fraction, np.mean(raised, axis=0), atol=1e-6)
    with Store.open(scored, read_only=True) as store:
        predicted = column(scored, "fraction", store.newest_run("predict"))[2, answer]
        sql = (
            "SELECT predicted, baseline FROM saliency_stat WHERE galaxy_id = 2 "
            f"AND answer_id = {answer} AND \"of\" = 'fraction'"
        )
        (values,) = store.arrow(sql).to_pylist()
    assert values["predicted"] == pytest.approx(predicted, abs=1e-5)
    assert fraction.sum() == pytest.approx(predicted - values["baseline"], abs=1e-5)


def test_without_dropout_maps_of_fractions_are_not_taken_from_their_mean(
    tmp_path: Path, scored: Path, model: str
) -> None:
    """HiResCAM's follow from stored maps only of one sample."""
    path = Path(shutil.copy(scored, tmp_path / "gz.duckdb"))
    predict(path, model, how(0, 8))
    explain(path, Which(names=["G0002"]), Maps(method="hirescam"), figures=False, of="fraction")
    member = load_member(model, TREE, SMALL)
    view, explainer = explainer_of([member], TREE.slices, 0, SEED, "hirescam", orientations=8)
    with Image.open(scored.parent / "images" / "2.png") as image:
        expected = explainer.fractions(view.prepare(image)[None], TREE.slices)
    with Store.open(path, read_only=True) as store:
        run = int(store.value("SELECT max(run_id) FROM run WHERE job = 'comparison'"))
    found = saliency_of(path, "G0002", LABEL, run_id=run, of="fraction")
    answer = TREE.answer_id(LABEL)
    np.testing.assert_allclose(found, expected.mean[0, answer], atol=1e-6)


def test_a_figure_a_release_and_an_evaluation_say_it(tmp_path: Path, scored: Path) -> None:
    path = Path(shutil.copy(scored, tmp_path / "gz.duckdb"))
    page = pipeline.explain(
        path, Which(names=["G0001"], answer=LABEL), Maps(method="hirescam"), out=tmp_path / "f"
    ).page
    assert page is not None
    assert "8 dropout samples in 8 orientations" in page.read_text()
    release(path, tmp_path / "cut", Title("Turned", "1.0"), Cut(counterparts=0, formats=("csv",)))
    assert "…, each image in 8 orientations |" in (tmp_path / "cut" / "README.md").read_text()
    assert '"orientations": 8' in (tmp_path / "cut" / "release.json").read_text()
    report = evaluate(path, maps=2, typical=1, out=tmp_path / "e")
    assert "predicted in 8 orientations" in report.notes[0]


def test_one_image_is_explained_in_them_too(
    path: Path, gz: Path, model: str, tmp_path: Path
) -> None:
    run_id = predict(path, model, how(T, 8)).run_id
    image = gz.with_suffix("") / "G0001.png"
    report = explain_picture(image, Maps(model), how(T, 8), out=tmp_path / "figure")
    fractions = column(path, "fraction", run_id)[1]
    named = [f"{row['question']}_{row['answer']}" for row in report.table.to_pylist()]
    expected = [fractions[TREE.answer_id(label)] for label in named]
    np.testing.assert_allclose(report.table["fraction"].to_numpy(), expected, atol=1e-4)
    with pytest.raises(CatalogError, match="do not share out evenly"):
        explain_picture(image, Maps(model), how(30, 8))
