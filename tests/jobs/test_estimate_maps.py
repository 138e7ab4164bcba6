"""Stored maps of estimates are those of the explainer, keyed by galaxy and name."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.jobs.test_estimate import RATE, made
from tests.jobs.test_predict import SMALL, imaged, table
from tests.made.catalogues import TOY
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.segments import coverages, segments
from zoolens.catalog.network.model import dropout_masks, load_model
from zoolens.catalog.saliency.arithmetic import decode, map_statistics
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.store.checks import offences
from zoolens.catalog.store.store import Store
from zoolens.jobs.estimate import estimate
from zoolens.jobs.estimate_maps import explain_estimates, only_estimates
from zoolens.jobs.settings import Inference

pytestmark = pytest.mark.slow

NAMES = ["ring", "disc", "other"]
HOW = Inference(samples=3, seed=4, view=SMALL)


@pytest.fixture
def estimated(tmp_path: Path) -> tuple[Path, str]:
    """A catalogue of four galaxies, three of them with images, and the classifier's file."""
    _, model = made("classifier", tmp_path)
    path = imaged(tmp_path / "gz.duckdb", 3, without=1, tree=TOY)
    estimate(path, model, HOW, names=NAMES)
    return path, model


def test_maps_are_the_explainers(estimated: tuple[Path, str], tmp_path: Path) -> None:
    path, model = estimated
    assert only_estimates(path)
    report = explain_estimates(path, everything=True)
    assert (report.explained, report.total, report.rejects, report.changed) == (3, 3, 0, True)
    rows = table(path, "SELECT * FROM estimate_maps ORDER BY galaxy_id")
    assert [row["name"] for row in rows] == NAMES * 3
    loaded = load_model(model)
    masks = dropout_masks(HOW.samples, loaded.weight.shape[1], RATE, HOW.seed)
    files = sorted((tmp_path / "gz").glob("*.png"))
    images = torch.stack([SMALL.prepare(Image.open(file)) for file in files])
    expected = Explainer(loaded, masks, size=64)(images)
    for place, row in enumerate(rows):
        galaxy, name = divmod(place, 3)
        for which, maps in (("mean", expected.mean), ("sd", expected.sd)):
            found = decode(row[which], 1, row["height"], row["width"], row["dtype"])[0]
            assert np.abs(found).max() > 0
            np.testing.assert_allclose(found, maps[galaxy, name], rtol=1e-4, atol=1e-6)
        seen = segments(SMALL.both(Image.open(files[galaxy]))[1])
        covered = (one[0] for one in coverages([seen], row["height"], row["width"]))
        told = map_statistics(expected.mean[galaxy, name : name + 1].numpy(), *covered)
        for statistic, (value,) in told.items():
            close = pytest.approx(value, rel=1e-3, abs=1e-6)
            assert row[statistic] == (None if np.isnan(value) else close)
    assert not explain_estimates(path, everything=True).changed
    with Store.open(path, read_only=True) as store:
        assert not any(offences(store).values())


def test_chosen_galaxies_and_other_estimates(estimated: tuple[Path, str], tmp_path: Path) -> None:
    path, model = estimated
    asked = ("explain", "G0000", "G0003", "--catalog", path)
    done = zoolens(*asked)
    assert done.exit_code == 0, done.output
    assert "1 galaxies, 1 in all; 1 refused; 1 figure in" in done.output
    drawn = {file.name for file in (tmp_path / "gz-explained").iterdir()}
    assert drawn == {"G0000_estimate.png", "G0000_estimate.pdf"}
    assert "estimate_maps" in done.output
    wrong = zoolens(*asked, "--worst", 3)
    assert wrong.exit_code == 2
    assert "name galaxies or give --all, without --worst" in wrong.output
    assert zoolens("explain", "--catalog", path).exit_code == 2

    estimate(path, model, Inference(samples=2, view=SMALL), names=NAMES)
    assert table(path, "FROM estimate_maps") == [], "they are of other estimates"
    explain_estimates(path, ["G0000"])
    assert len(table(path, "FROM estimate_maps")) == 3
    assert len(table(path, "FROM history.estimate_maps")) == 6


def test_a_galaxy_whose_image_has_gone_is_not_drawn(
    estimated: tuple[Path, str], tmp_path: Path
) -> None:
    path, _ = estimated
    explain_estimates(path, everything=True)
    (tmp_path / "gz" / "G0001.png").write_bytes(b"")
    report = explain_estimates(path, ["G0001", "G0002"], out=tmp_path / "out")
    assert (report.explained, len(report.figures), report.changed) == (0, 2, True)
    assert any("G0001 is not drawn: " in note for note in report.notes)


def test_only_the_model_that_estimated_is_explained(
    estimated: tuple[Path, str], tmp_path: Path
) -> None:
    path, _ = estimated
    _, other = made("regressor", tmp_path)
    with pytest.raises(ModelRefused, match="is not the model that made the estimates"):
        explain_estimates(path, everything=True, model=other)
    bare = imaged(tmp_path / "bare.duckdb", 1, tree=TOY)
    with pytest.raises(CatalogError, match=r"do first: zoolens predict --model .*Regressor.ckpt"):
        explain_estimates(bare, everything=True, model=other)
