"""Pixels packed for a GPU, and a training from them, as far as it goes without one."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.gpu_sky import picture
from benchmarks.gpu_train import Packed, decoded, predict, train
from benchmarks.gpu_train_pack import best_quality, encoded
from tests.made.catalogues import random_counts
from tests.made.trainings import PLAN
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.view import View
from zoolens.catalog.training.pixels import canvas
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow  # with what they load

ROOT = Path(__file__).resolve().parent.parent
VIEW, SIDE = View("minimal", 64, zoom=1 / 0.6), 77


def packed(galaxies: int, quality: int = 95) -> tuple[Packed, list[Image.Image]]:
    images = [Image.open(io.BytesIO(picture(seed))).convert("RGB") for seed in range(galaxies)]
    canvases = [decoded(encoded(canvas(image, VIEW, SIDE), quality)) for image in images]
    about = {"tree": "gz2", "view": VIEW.config(), "side": SIDE, "seed": 0}
    names = [f"G{n}" for n in range(galaxies)]
    split = np.array(["train", "train", "validation", "test"])[np.arange(galaxies) % 4]
    votes = random_counts(galaxies, get_tree("gz2")).astype(np.float32)
    everyone = np.ones(galaxies, bool)
    return Packed(names, np.stack(canvases), votes, split, everyone, about), images


def test_the_script_is_sound_shell() -> None:
    subprocess.run(["bash", "-n", ROOT / "benchmarks" / "gpu_train.sh"], check=True)


def test_what_is_seen_of_a_canvas_is_what_is_seen_of_the_image() -> None:
    pack, images = packed(3)
    seen = pack.views(np.array([2, 0])) / 255
    for view, place in zip(seen, (2, 0), strict=True):
        whole = VIEW.prepare(images[place]).numpy()
        # resized twice, and through a JPEG: noise is smoother, the galaxy the same
        assert np.abs(view - whole).mean() < 0.015
        assert np.corrcoef(view.ravel(), whole.ravel())[0, 1] > 0.98
        other = VIEW.prepare(images[1]).numpy()
        assert np.abs(view - whole).mean() < 0.5 * np.abs(view - other).mean()


def test_the_best_quality_that_fits() -> None:
    sample = list(packed(4, 95)[0].canvases)
    sizes = {q: sum(len(encoded(c, q)) for c in sample) / 4 for q in (95, 80, 50)}
    assert sizes[95] > sizes[80] > sizes[50]
    assert best_quality(sample, 100, 100 * sizes[95]) == 95
    assert best_quality(sample, 100, 100 * sizes[80]) == 80
    with pytest.raises(CatalogError, match="give a smaller --size"):
        best_quality(sample, 100, 50 * sizes[50])


def test_a_training_in_no_time_is_one_epoch_and_leaves_a_model(tmp_path: Path) -> None:
    pack, _ = packed(24)
    plan, outcome = train(pack, replace(PLAN, architecture="test_resnet"), None, 0, tmp_path)
    assert (plan.epochs, outcome.epochs) == (1, 1)
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]
    alpha = predict(pack, tmp_path / "model.safetensors", np.array([0, 5, 7]), "cpu")
    assert alpha.shape == (3, 30, 37)
    assert (alpha >= 1).all()
