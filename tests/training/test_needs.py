"""What a training needs, against what it then takes."""

import hashlib
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.made.catalogues import TOY, random_counts
from tests.made.images import picture
from tests.made.trainings import PLAN, VIEW
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.view import View
from zoolens.catalog.training import needs
from zoolens.catalog.training.folder import TrainingFolder
from zoolens.catalog.training.needs import kept_for_backward, small_images, tell_needs
from zoolens.catalog.training.pixels import TrainingSet, decode_all
from zoolens.catalog.training.tree_model import Tree, new_tree


@pytest.fixture(scope="module")
def model() -> Tree:
    return new_tree(TOY, PLAN, VIEW)


def _data(folder: Path, sides: list[int]) -> TrainingSet:
    galaxies = []
    for number, side in enumerate(sides):
        path = folder / f"{number}.png"
        content = picture(number, side=side)
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        galaxies.append(Galaxy(number, f"J{number}", str(path), None, sha256))
    counts = random_counts(len(sides))
    split = np.array(["train", "validation", "train", "test"])[: len(sides)]
    return TrainingSet(galaxies, counts, np.ones_like(counts), split, np.array(sides))


@pytest.mark.parametrize("view", [VIEW, replace(VIEW, greyscale=True), View("fast", 32)])
def test_pixels_take_what_is_told(tmp_path: Path, model: Tree, view: View) -> None:
    data = _data(tmp_path, [40, 50, 60, 70])
    needed = needs.needs(new_tree(TOY, PLAN, view), 8, view, data)
    files = [tmp_path / "canvases.npy", tmp_path / "views.npy"]
    decode_all(data, view, *files)
    header = 128
    assert needed.pixels == sum(file.stat().st_size - header for file in files)
    assert (needed.train, needed.validation) == (2, 1)


def test_what_a_step_keeps_is_in_proportion_to_the_image(model: Tree) -> None:
    before = torch.random.get_rng_state()
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    small = kept_for_backward(model, VIEW)
    large = kept_for_backward(model, replace(VIEW, size=64))
    assert 3 < large / small < 4.5
    # the first block alone keeps three maps of 24 to 64 channels of half the image's side
    assert small > 3 * 24 * 16**2 * 4
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())


def test_what_is_needed_is_told_once_beforehand(
    tmp_path: Path, model: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    data, folder = _data(tmp_path, [40, 50, 60, 70]), TrainingFolder(tmp_path / "out")
    tell_needs(model, 8, VIEW, data, folder)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("zoolens: 2 galaxies to train on and 1 to validate with: their pixels")
    folder.path.mkdir()
    decode_all(data, VIEW, folder.canvases, folder.views)
    capsys.readouterr()  # its progress, if it is slow
    tell_needs(model, 8, VIEW, data, folder)
    assert capsys.readouterr().err == ""


def test_a_disk_without_room_is_told_before_the_folder_is_taken(
    tmp_path: Path, model: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, folder = _data(tmp_path, [40, 50, 60, 70]), TrainingFolder(tmp_path / "deep" / "out")
    needed = needs.needs(model, 8, VIEW, data)
    room = needed.pixels + needed.checkpoints
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=room - 1))
    with pytest.raises(CatalogError, match=r"3 galaxies .* do not fit on the disk of .*--size"):
        tell_needs(model, 8, VIEW, data, folder)
    assert not folder.path.parent.exists()
    folder.path.mkdir(parents=True)
    left = folder.path / ".canvases.npy.00.part"
    left.write_bytes(bytes(8192))
    os.sync()  # or it has no blocks yet
    tell_needs(model, 8, VIEW, data, folder)  # what is left of a killed one makes room


@pytest.mark.parametrize(
    ("sides", "view", "said"),
    [
        ([40, 26, 60], View("minimal", 32), None),  # 38.4 are shown, and 25.6 are near enough
        ([40, 25, 60], View("minimal", 32), r"^1 of 3 images .* \(25 a side .* --size 20 shows"),
        ([60, 60, 70], View("minimal", 160), r"^all images .* are enlarged, .* --size 50 shows"),
        ([60, 200], View("minimal", 100, zoom=1), r"^1 of 2 .* --size 60 "),
        ([32, 40], View("fast", 32), None),
        ([31, 40], View("fast", 32), "^1 of 2 images .* have black around them; --size 31 "),
        ([3, 4000], View("minimal", 224), "--size 16 "),
    ],
)
def test_small_images_are_counted(sides: list[int], view: View, said: str | None) -> None:
    found = small_images(np.array(sides), view)
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert re.search(said, found)


def test_images_without_a_galaxy_to_be_seen_are_refused(tmp_path: Path, model: Tree) -> None:
    data, folder = _data(tmp_path, [15, 15, 9, 12]), TrainingFolder(tmp_path / "out")
    with pytest.raises(CatalogError, match=r"largest image has 15 pixels a side.* 16 or more"):
        tell_needs(model, 8, VIEW, data, folder)
