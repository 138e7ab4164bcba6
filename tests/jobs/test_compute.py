"""A task computes what the plan says, and nothing else."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from tests.made.checkpoints import save, zoobot_tree
from tests.made.job_arrays import GALAXIES, MASKED, World
from tests.made.job_arrays import world as world
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.parts.files import part_files
from zoolens.catalog.parts.plans import Plans
from zoolens.jobs import explain, predict
from zoolens.jobs.compute import compute, plan
from zoolens.jobs.settings import Maps

pytestmark = pytest.mark.slow


def not_again(_: Path) -> Plans | None:
    raise AssertionError("there is a plan")


@pytest.fixture
def parts(world: World, tmp_path: Path) -> Path:
    """A folder with a plan."""
    folder = tmp_path / "parts"
    folder.mkdir()
    predict.plan(world.bare, folder, world.model, MASKED)
    return folder


def test_of_a_part_that_is_there_nothing_is_done(parts: Path) -> None:
    first = compute("predict", parts, 2, 3, not_again)
    times = {file: file.stat().st_mtime_ns for file in part_files(parts)}
    again = compute("predict", parts, 2, 3, not_again)
    assert (first.computed, again.computed, again.total) == (4, 0, 4)
    assert {file: file.stat().st_mtime_ns for file in part_files(parts)} == times
    assert again.summary.startswith("part 2 of 3: 0 galaxies, ")


def test_a_damaged_file_is_made_again(parts: Path) -> None:
    compute("predict", parts, 1, 1, not_again)
    file = part_files(parts)[1]
    content = file.read_bytes()
    file.write_bytes(content[:-9])
    assert compute("predict", parts, 1, 1, not_again).computed == 4
    assert file.read_bytes() == content


def test_another_model_in_its_place_is_refused(world: World, tmp_path: Path) -> None:
    folder, model = tmp_path / "parts", tmp_path / "model.ckpt"
    folder.mkdir()
    model.write_bytes(Path(world.model).read_bytes())
    predict.plan(world.bare, folder, str(model), MASKED)
    save(zoobot_tree("test_resnet", seed=9), model)
    with pytest.raises(ModelRefused, match="is not the model that is meant"):
        compute("predict", folder, 1, 1, not_again)


def test_images_of_another_machine_are_told(world: World, parts: Path) -> None:
    images = world.bare.with_suffix("")
    away = images.rename(images.with_name("away"))
    try:
        with pytest.raises(CatalogError, match="is not to be seen from this machine; mount it"):
            compute("predict", parts, 1, 1, not_again)
        assert part_files(parts) == []
        images.mkdir()
        report = compute("predict", parts, 1, 1, not_again)
        images.rmdir()
    finally:
        away.rename(images)
    assert (report.computed, report.rejects) == (GALAXIES, GALAXIES)
    assert report.notes == ("every image was refused: are they seen on this machine?",)


def test_a_full_disk_is_one_line(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoolens.catalog.parts import computing

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(computing, "write_part", full)
    with pytest.raises(CatalogError, match="could not be written: No space left on device; make"):
        compute("predict", parts, 1, 1, not_again)


def test_a_plan_is_told_again(parts: Path) -> None:
    told = plan("predict", parts, not_again, {})
    assert (told.galaxies, told.parts, told.adopted, told.changed) == (GALAXIES, 3, 0, False)
    assert told.notes == (
        f"compute each: zoolens predict --part 1/1 --out {parts}; then: zoolens adopt {parts}",
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_plan_for_gpus_needs_none(world: World, tmp_path: Path) -> None:
    catalog, model = world.whole, zoobot_tree("test_resnet", seed=9)
    other = str(save(model, tmp_path / "other.ckpt"))
    there = replace(MASKED, engine="cuda")
    for command, make in (
        ("predict", partial(predict.plan, catalog, model=other, inference=there)),
        ("explain --all", partial(explain.plan, catalog, maps=Maps(other, engine="cuda"))),
    ):
        folder = tmp_path / command
        folder.mkdir()
        made = make(folder=folder)
        assert made is not None
        assert made.settings["engine"] == made.run.origin["engine"] == "cuda"
        with pytest.raises(CatalogError, match=r"engine cuda|CUDA"):
            compute(command, folder, 1, 1, not_again)
