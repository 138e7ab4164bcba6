"""Decoded images, in files: against Pillow, pixel by pixel."""

import hashlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.made.images import picture
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.view import View
from zoolens.catalog.training.pixels import (
    TrainingSet,
    canvas,
    canvas_side,
    decode_all,
    fill,
    mapped,
    viewed,
)

SPLIT = np.array(["train", "validation", "train", "test", "train", "validation"])


@pytest.fixture
def data(tmp_path: Path) -> TrainingSet:
    """Six galaxies; the image of the last but one has changed."""
    galaxies = []
    for number in range(6):
        content = picture(number, side=40)
        path = tmp_path / f"{number}.png"
        path.write_bytes(picture(99) if number == 4 else content)
        sha256 = hashlib.sha256(content).hexdigest()
        galaxies.append(Galaxy(10 + number, f"J{number}", str(path), None, sha256))
    counts = np.arange(12.0).reshape(6, 2)
    return TrainingSet(galaxies, counts, np.full((6, 2), 0.5), SPLIT, np.full(6, 40))


def test_a_part_has_the_rows_of_its_split(data: TrainingSet) -> None:
    part = data.part("train")
    assert part.galaxy_id.tolist() == [10, 12, 14]
    assert part.weighted().tolist() == [[0, 0.5], [2, 2.5], [4, 4.5]]
    assert part.weighted().dtype == np.float32
    assert set(part.split) == {"train"}
    assert part.images_sha256 != data.images_sha256
    lines = "".join(f"{galaxy.galaxy_id} {galaxy.sha256}\n" for galaxy in part.galaxies)
    assert part.images_sha256 == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize("view", [View("fast", 24), View("minimal", 24), View("fast", 24, True)])
def test_canvases_and_views_are_those_of_each_image(
    data: TrainingSet, view: View, tmp_path: Path
) -> None:
    refused = decode_all(data, view, tmp_path / "canvases.npy", tmp_path / "views.npy")
    assert [place for place, _ in refused] == [4]
    assert "changed image" in str(refused[0][1])
    side = canvas_side(view, 40)
    assert side == {"fast": 29, "minimal": 40}[view.name]  # 1.2 x 24, 1.2 x 1.5 x 24 but no more
    images = [Image.open(galaxy.source).convert("RGB") for galaxy in data.galaxies]
    canvases, views = mapped(tmp_path / "canvases.npy"), mapped(tmp_path / "views.npy")
    for found, number in ((canvases[0], 0), (canvases[1], 2)):
        np.testing.assert_array_equal(found, canvas(images[number], view, side))
    assert not canvases[2].any()  # the refused one
    assert views.shape == (2, 1 if view.greyscale else 3, 24, 24)
    for found, number in zip(views, (1, 5), strict=True):
        np.testing.assert_array_equal(found, viewed(images[number], view))


def test_a_view_is_what_a_model_is_shown() -> None:
    image = Image.open(BytesIO(picture(3, side=50))).convert("RGB")
    shown = View("minimal", 32).prepare(image).numpy() * 255
    assert np.abs(viewed(image, View("minimal", 32)) - shown).max() <= 0.5 + 1e-4


def test_a_fast_canvas_is_black_beyond_the_image() -> None:
    image = Image.open(BytesIO(picture(1, side=20))).convert("RGB")
    found = canvas(image, View("fast", 25), 30)
    np.testing.assert_array_equal(found[:, 5:25, 5:25], np.asarray(image).transpose(2, 0, 1))
    found = found.copy()
    found[:, 5:25, 5:25] = 0
    assert not found.any()


def test_the_canvas_of_other_views_is_the_central_square() -> None:
    wide = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8))
    found = canvas(wide, View("minimal", 24), 30)
    np.testing.assert_array_equal(found, np.asarray(wide)[:, 10:40].transpose(2, 0, 1))


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def pixels(item: int) -> np.ndarray:
        if item == 2:
            raise CatalogError("no image")
        if item > 5:
            raise ZeroDivisionError
        return np.full((1, 2, 2), item, np.uint8)

    refused = fill(tmp_path / "a.npy", [1, 2, 3], (1, 2, 2), pixels)
    assert [(place, str(error)) for place, error in refused] == [(1, "no image")]
    assert mapped(tmp_path / "a.npy")[:, 0, 0, 0].tolist() == [1, 0, 3]
    before = (tmp_path / "a.npy").read_bytes()
    with pytest.raises(ZeroDivisionError):
        fill(tmp_path / "a.npy", [1, 6], (1, 2, 2), pixels)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.npy", before)]


@pytest.mark.parametrize("name", ["minimal", "fast"])
def test_a_canvas_of_one_channel_is_that_of_it_in_three(name: str) -> None:
    grey = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 44), np.uint8))
    with pytest.raises(ImageRefused, match="wrong mode: one channel"):
        canvas(grey, View(name, 32), 38)
    expected = canvas(grey.convert("RGB"), View(name, 32), 38)
    for view in (View(name, 32, greyscale=True), View(name, 32, grey_as_colour=True)):
        np.testing.assert_array_equal(canvas(grey, view, 38), expected)


def test_images_that_show_nothing_are_named_and_kept(
    data: TrainingSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {}
    for number, colour in ((0, 0), (1, 200)):
        path = tmp_path / f"blank{number}.png"
        Image.new("RGB", (40, 40), (colour,) * 3).save(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        names[number] = Galaxy(10 + number, f"J{number}", str(path), None, sha256)
    galaxies = [names.get(number, galaxy) for number, galaxy in enumerate(data.galaxies)]
    blank = replace(data, galaxies=galaxies)
    refused = decode_all(blank, View("fast", 24), tmp_path / "c.npy", tmp_path / "v.npy")
    assert [place for place, _ in refused] == [4]
    assert "2 images show nothing, one grey throughout: J0, J1;" in capsys.readouterr().err
    assert (mapped(tmp_path / "v.npy")[0] == 200).all()


@pytest.mark.parametrize(("zoom", "across"), [(1.0, 400), (1.2, 400), (2.0, 240)])
def test_a_canvas_is_a_little_wider_than_the_view(zoom: float, across: int) -> None:
    view = View(size=32, zoom=zoom)
    pixels = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    side = canvas_side(view, 400)
    assert side == round(32 * 1.5 * zoom * across / 400)  # 1.5 pixels for one of the view
    edge = (400 - across) // 2
    square = Image.fromarray(pixels).crop((edge, edge, 400 - edge, 400 - edge))
    expected = square.resize((side, side), Image.Resampling.BILINEAR)
    shown = canvas(Image.fromarray(pixels), view, side)
    assert np.array_equal(shown, np.asarray(expected).transpose(2, 0, 1))
