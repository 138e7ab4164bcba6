"""Galaxies' images as a model is shown them, and what is refused."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.loading import image_batch, load, load_views
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import segments
from zoolens.catalog.images.view import View


@pytest.fixture
def galaxies(tmp_path: Path) -> list[Galaxy]:
    """A bright blob, noise, an image that has changed since, one that is gone, one not whole."""
    y, x = np.mgrid[:96, :96] - 47.5
    light = (250 * np.exp(-(x**2 + y**2) / 200)).astype(np.uint8)
    blob = np.repeat(light[..., None], 3, axis=2)
    noise = np.random.default_rng(0).integers(0, 256, (80, 70, 3), dtype=np.uint8)
    found = []
    for number, pixels in enumerate((blob, noise, blob, blob, blob)):
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(path)
        if number == 4:
            path.write_bytes(path.read_bytes()[:-40])
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(Galaxy(number, f"J{number}", str(path), None, sha256))
    (tmp_path / "2.png").write_bytes((tmp_path / "1.png").read_bytes())
    (tmp_path / "3.png").unlink()
    return found


@pytest.mark.parametrize("greyscale", [False, True])
def test_what_is_sound_is_viewed_and_the_rest_refused(
    galaxies: list[Galaxy], greyscale: bool
) -> None:
    view = View(size=32, greyscale=greyscale)
    with ImageReader() as reader:
        loaded = load(reader, view, galaxies)
        batch = image_batch(reader, view, galaxies)
    pictures = [Image.open(galaxy.source) for galaxy in galaxies[:2]]
    assert loaded.galaxies == galaxies[:2]
    assert torch.equal(loaded.images, torch.stack([view.prepare(one) for one in pictures]))
    assert [reject.key for reject in loaded.rejects] == ["J2", "J3", "J4"]
    assert [reject.source for reject in loaded.rejects] == [one.source for one in galaxies[2:]]
    assert [reject.reason.partition(":")[0] for reject in loaded.rejects] == [
        "changed image",
        "missing image",
        "truncated image",
    ]
    assert batch.galaxies == loaded.galaxies
    assert torch.equal(batch.images, loaded.images)
    assert batch.rejects == loaded.rejects
    expected = [segments(view.display(one)) for one in pictures]
    assert expected[0].galaxy is not None
    for found, own in zip(batch.segments, expected, strict=True):
        np.testing.assert_equal(vars(found), vars(own))


def test_one_channel_is_refused_where_the_model_takes_three(tmp_path: Path) -> None:
    grey = Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8))
    grey.save(tmp_path / "a.png")
    sha256 = hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    galaxies = [Galaxy(1, "J1", str(tmp_path / "a.png"), None, sha256)]
    with ImageReader() as reader:
        for read in (load, image_batch):
            refused = read(reader, View(size=32), galaxies)
            assert refused.images.shape == (0, 3, 32, 32)
            assert refused.rejects[0].reason.startswith("wrong mode: one channel")
            for view in (View(size=32, greyscale=True), View(size=32, grey_as_colour=True)):
                seen = read(reader, view, galaxies)
                assert torch.equal(seen.images[0], view.prepare(grey))
                assert not seen.rejects


def test_in_several_views_the_same_galaxies_are_loaded_once(
    galaxies: list[Galaxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    views = [View(size=32), View("fast", 24, greyscale=True), View(size=32)]
    opened = []
    with ImageReader() as reader:
        alone = [load(reader, view, galaxies) for view in views]
        read = reader.open

        def counted(source: str, member: str | None = None, **named: str) -> Image.Image:
            opened.append(source)
            return read(source, member, **named)

        monkeypatch.setattr(reader, "open", counted)
        together = load_views(reader, views, galaxies)
    assert len(opened) == len(galaxies)
    assert list(together) == views[:2]
    for view, own in zip(views, alone, strict=True):
        assert torch.equal(together[view].images, own.images)
        assert together[view].galaxies == own.galaxies
        assert together[view].rejects == own.rejects


@pytest.mark.parametrize(("greyscale", "channels"), [(False, 3), (True, 1)])
def test_of_no_galaxy_there_is_no_image(greyscale: bool, channels: int) -> None:
    with ImageReader() as reader:
        loaded = image_batch(reader, View(size=32, greyscale=greyscale), [])
    assert loaded.images.shape == (0, channels, 32, 32)
    assert not loaded.galaxies
    assert not loaded.segments
    assert not loaded.rejects


def test_checking_images_at_ingest_takes_no_torch() -> None:
    script = "import sys, zoolens.jobs.ingest; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
