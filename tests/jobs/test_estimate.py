"""Estimates in the store against Zoobot's own classifier and regressor."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.jobs.test_predict import SMALL, imaged, paint, table
from tests.made.catalogues import TOY
from tests.made.checkpoints import finetuned, save
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.network.model import dropout_masks, load_model
from zoolens.catalog.store.checks import offences
from zoolens.catalog.store.store import Store
from zoolens.jobs.estimate import estimate
from zoolens.jobs.settings import Inference

pytestmark = pytest.mark.slow

T, RATE = 4, 0.4
# the encoder of a job has its norms folded; that of a model alone agrees to 1e-6 (test_model)
ROUNDING = 5e-6
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "classifier": ("Classifier", {"num_classes": 3, "label_col": "kind"}),
    "regressor": ("Regressor", {"label_col": "redshift"}),
    "of shares": ("Regressor", {"unit_interval": True}),
}


def made(kind: str, folder: Path) -> tuple[Any, str]:
    """Zoobot's own model, and its checkpoint."""
    name, settings = KINDS[kind]
    zoobot = finetuned(name, head_dropout_prob=RATE, **settings)
    return zoobot, str(save(zoobot, folder / f"{name}.ckpt"))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    return made("classifier", tmp_path_factory.mktemp("classifier"))[1]


def by_zoobot(zoobot: Any, folder: Path, masks: torch.Tensor | None) -> np.ndarray:
    """What `predict_step` gives, (N, L); with masks (T, D) in dropout's place, (N, T, L)."""
    batch = torch.stack([SMALL.prepare(Image.open(f)) for f in sorted(folder.glob("*.png"))])
    with torch.inference_mode():
        if masks is None:
            return zoobot.predict_step({"image": batch}, 0).reshape(len(batch), -1).numpy()
        samples = []
        dropout = zoobot.head.dropout
        for mask in masks:
            hook = dropout.register_forward_hook(lambda _, x, __, mask=mask: x[0] * mask)
            samples.append(zoobot.predict_step({"image": batch}, 0).reshape(len(batch), -1))
            hook.remove()
        return torch.stack(samples, dim=1).numpy()


def values(path: Path, run_id: int, column: str = "value") -> np.ndarray:
    rows = table(path, f"SELECT {column} AS v FROM estimate WHERE run_id = {run_id}")
    galaxies = len(table(path, "SELECT DISTINCT galaxy_id FROM estimate"))
    return np.array([row["v"] for row in rows], float).reshape(galaxies, -1)


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_are_zoobots(tmp_path: Path, kind: str) -> None:
    zoobot, model = made(kind, tmp_path)
    path = imaged(tmp_path / "gz.duckdb", 3, without=1, tree=TOY)
    off = estimate(path, model, Inference(samples=0, view=SMALL), batch_size=2)
    expected = by_zoobot(zoobot, tmp_path / "gz", None)
    assert expected.std(axis=0).max() > 1e-3, "galaxies are told apart"
    np.testing.assert_allclose(values(path, off.run_id), expected, atol=ROUNDING, rtol=0)
    assert np.isnan(values(path, off.run_id, "value_sd")).all(), "one sample has no spread"

    on = estimate(path, model, Inference(samples=T, seed=4, view=SMALL), batch_size=2)
    samples = by_zoobot(zoobot, tmp_path / "gz", dropout_masks(T, zoobot.encoder_dim, RATE, 4))
    assert samples.std(axis=1).mean() > 1e-3, "samples are told apart"
    for column, of in (
        ("value", samples.mean(axis=1)),
        ("value_sd", samples.std(axis=1)),
        ("value_lo", np.quantile(samples, 0.05, axis=1)),
        ("value_hi", np.quantile(samples, 0.95, axis=1)),
    ):
        np.testing.assert_allclose(values(path, on.run_id, column), of, atol=ROUNDING, rtol=0)
    with Store.open(path, read_only=True) as store:
        assert not any(offences(store).values())


def test_dropout_is_distributed_as_zoobots(tmp_path: Path) -> None:
    """The mean over many of our masks against many of torch's own, within 5 sigma."""
    zoobot, model = made("classifier", tmp_path)
    path = imaged(tmp_path / "gz.duckdb", 1, tree=TOY)
    count = 1000
    report = estimate(path, model, Inference(samples=count, view=SMALL))
    image = SMALL.prepare(Image.open(next((tmp_path / "gz").glob("*.png"))))[None]
    torch.manual_seed(3)
    with torch.inference_mode():
        features = zoobot.encoder(image).expand(count, -1)
        zoobot.head.dropout.train()
        theirs = zoobot.head(features).softmax(dim=1).double().numpy()
    ours, sd = values(path, report.run_id)[0], values(path, report.run_id, "value_sd")[0]
    error = np.sqrt((theirs.var(axis=0) + sd**2) / count)
    assert (np.abs(theirs.mean(axis=0) - ours) < 5 * error).all()
    np.testing.assert_allclose(sd, theirs.std(axis=0), rtol=0.15)


def test_what_is_new_is_added_and_the_rest_left_alone(tmp_path: Path, classifier: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 3, without=2, tree=TOY)
    how = Inference(samples=T, view=SMALL)
    first = estimate(path, classifier, how)
    assert (first.galaxies, first.total, first.changed) == (3, 3, True)
    assert not estimate(path, classifier, how).changed
    paint(path, tmp_path / "gz", [3])
    news = estimate(path, classifier, how)
    assert (news.run_id, news.galaxies, news.total) == (first.run_id, 1, 4)
    (tmp_path / "gz" / "G0001.png").write_bytes(b"")
    named = estimate(path, classifier, how, names=["ring", "disc", "other"])
    assert named.run_id != first.run_id, "other names are other rows"
    assert (named.galaxies, named.rejects) == (3, 1)
    assert first.hides is None
    assert named.hides == (first.run_id, first.names)
    assert named.notes[-1] == (
        f"run {first.run_id} (class_0, class_1, class_2) shows no more: it is in history.estimates"
    )


def test_estimates_of_replaced_images_are_made_again(tmp_path: Path, classifier: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 2, tree=TOY)
    how = Inference(samples=T, view=SMALL)
    estimate(path, classifier, how)
    with Store.open(path) as store:
        store.execute("INSERT INTO outdated SELECT DISTINCT run_id, 1, NULL FROM estimate")
    assert [r["g"] for r in table(path, "SELECT DISTINCT galaxy_id AS g FROM estimates")] == [0]
    again = estimate(path, classifier, how)
    assert (again.galaxies, again.total) == (1, 2)
    with Store.open(path, read_only=True) as store:
        assert not any(offences(store).values())


def test_at_the_command_line_no_votes_are_needed(tmp_path: Path, classifier: str) -> None:
    path = tmp_path / "gz.duckdb"
    imaged(path, 2, tree=TOY)
    with Store.open(path) as store:
        for emptied in ("vote", "answer", "setting WHERE name = 'tree'"):
            store.execute(f"DELETE FROM {emptied}")
    done = zoolens(
        *("predict", "--catalog", path, "--model", classifier, "--size", 64, "--samples", 3),
        *("--names", "ring, disc,other"),
    )
    assert done.exit_code == 0, done.output
    assert "2 galaxies, 2 in all; 0 refused" in done.output
    assert "ring, disc, other" in done.output
    rows = table(path, "SELECT name, sum(value) OVER (PARTITION BY galaxy_id) AS s FROM estimates")
    assert [row["name"] for row in rows] == ["ring", "disc", "other"] * 2
    assert [row["s"] for row in rows] == pytest.approx([1.0] * 6)
    wrong = zoolens("predict", "--catalog", path, "--model", classifier, "--names", "a,b")
    assert wrong.exit_code == 1
    assert "3 outputs cannot be called" in wrong.output


def test_predictions_of_votes_stay_in_sight(tmp_path: Path, classifier: str) -> None:
    from tests.made.catalogues import add_predictions, random_concentrations

    path = imaged(tmp_path / "gz.duckdb", 2, tree=TOY)
    with Store.open(path) as store:
        run_id = add_predictions(store, random_concentrations(2))
    estimate(path, classifier, Inference(samples=2, view=SMALL))
    assert table(path, "SELECT DISTINCT run_id AS r FROM predictions") == [{"r": run_id}]
    status = zoolens("status", "--catalog", path).output
    assert "estimate" in status


def test_grey_images_are_seen_in_colour_if_asked(tmp_path: Path, classifier: str) -> None:
    grey, colour = (
        imaged(tmp_path / f"{mode}.duckdb", 2, tree=TOY, grey=mode) for mode in ("L", "RGB")
    )
    how = Inference(samples=0, view=SMALL)
    with pytest.raises(CatalogError, match="no image could be used"):
        estimate(grey, classifier, how)
    seen = estimate(grey, classifier, replace(how, grey_as_colour=True))
    same = estimate(colour, classifier, how)
    np.testing.assert_array_equal(values(grey, seen.run_id), values(colour, same.run_id))


def test_what_cannot_be_estimated_is_refused(tmp_path: Path, classifier: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", 0, without=1, tree=TOY)
    with pytest.raises(CatalogError, match=r"no galaxy of .* has an image"):
        estimate(path, classifier)
    for wrong in (Inference(samples=1001), Inference(seed=-1), Inference(precision="float8")):
        with pytest.raises(CatalogError):
            estimate(path, classifier, wrong)
    with pytest.raises(ModelRefused, match="predicts the probability of 3 classes, and not"):
        load_model(classifier).for_tree(TOY)
