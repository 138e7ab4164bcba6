import re
import shutil
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.made.catalogues import (
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.galleries import (
    GALAXIES,
    NAMES,
    SIDE,
    TITLE,
    UNEXPLAINED,
    UNSEEN,
    add_maps,
    gallery_catalogue,
    page_data,
    saliency,
    write_page,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import central_segment
from zoolens.catalog.images.view import View
from zoolens.catalog.output.figures import COLOURS
from zoolens.catalog.release.gallery.images import MOST_SIDE, OPAQUE
from zoolens.catalog.release.gallery.page import GalleryReport, _fraction, _whole
from zoolens.catalog.saliency.arithmetic import upsample
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow


def pixels(path: Path, mode: str) -> np.ndarray:
    with Image.open(path) as image:
        assert image.mode == mode
        return np.asarray(image)


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# --- what is told


def test_galaxies_are_those_of_the_ranking(path: Path, page: Path) -> None:
    with Store.open(path, read_only=True) as store:
        ranking = rank_galaxies(store, 100, min_votes=FEWEST_VOTES).to_pylist()
    shown = page_data(page)
    assert [one["name"] for one in shown] == [row["iauname"] for row in ranking]
    assert [one["label"] for one in shown] == [row["label"] for row in ranking]
    for key, column in (
        ("loss", "weighted_ce"),
        ("votes", "votes"),
        ("observed", "observed"),
        ("predicted", "predicted"),
    ):
        expected = [row[column] for row in ranking]
        np.testing.assert_allclose([one[key] for one in shown], expected, atol=6e-5)


def test_none_among_is_a_page_that_says_so(path: Path, tmp_path: Path) -> None:
    assert write_page(path, tmp_path, among=np.array([], np.int64)) == GalleryReport(0, 0, 0)
    assert page_data(tmp_path) == []
    assert "No galaxy has such a loss" in (tmp_path / "index.html").read_text("utf-8")


# --- pixels


def test_overlays_are_the_stored_map_on_one_scale(path: Path, page: Path) -> None:
    colours = {"increase": COLOURS(5 / 6), "decrease": COLOURS(1 / 6)}
    explained = [one for one in page_data(page) if one["map"]]
    for one in explained:
        mean = saliency_of(path, one["name"], one["label"], of="fraction")
        fine = upsample(mean, SIDE) / np.abs(mean).max()
        assert one["map"]["scale"]["reach"] == pytest.approx(np.abs(mean).max(), abs=6e-5)
        for sign, what in ((1, "increase"), (-1, "decrease")):
            found = pixels(page / one["map"][what], "RGBA")
            expected = 255 * OPAQUE * np.clip(sign * fine, 0, None)
            np.testing.assert_allclose(found[..., 3], expected, atol=0.51)
            assert np.unique(found[..., :3].reshape(-1, 3), axis=0).tolist() == [
                [round(255 * c) for c in colours[what][:3]]
            ]
            total = np.clip(sign * mean, 0, None).sum() * sign
            assert one["map"]["scale"][what] == pytest.approx(total, abs=1e-3)
    assert len(explained) == GALAXIES - len(UNEXPLAINED)


def test_maps_of_a_first_order_say_so(path: Path, page: Path, tmp_path: Path) -> None:
    assert all(one["map"]["exact"] for one in page_data(page) if one["map"])
    first = gallery_catalogue(tmp_path, [f"G{n}" for n in range(3)])
    with Store.open(first) as store:
        config = {"samples": 30, "method": "hirescam", "layer": "layer4"}
        add_maps(store, np.arange(3), saliency(3), **config)  # of a model that is not here
    write_page(first, tmp_path / "gallery")
    found = [one["map"]["exact"] for one in page_data(tmp_path / "gallery")]
    assert found == [False] * 3
    words = "Only to first order: the model or the image"
    assert words in (tmp_path / "gallery" / "gallery-detail.js").read_text("utf-8")


def test_images_are_as_the_model_saw_them(path: Path, page: Path) -> None:
    with Store.open(path, read_only=True) as store, ImageReader() as reader:
        sources = store.arrow("SELECT iauname, image FROM galaxies").to_pylist()
        known = {row["iauname"]: row["image"] for row in sources}
        for one in page_data(page):
            if one["image"] is None:
                assert known[one["name"]] is None
                continue
            seen = View(size=SIDE).display(reader.open(known[one["name"]]))
            found = pixels(page / one["image"], "RGB").astype(float)
            assert found.shape == (SIDE, SIDE, 3)
            assert np.abs(found - seen).mean() < 4  # JPEG
            segment = central_segment(seen)
            assert (one["outline"] is None) == (segment is None)
            if segment is not None:
                assert pixels(page / one["outline"], "RGBA").shape == (MOST_SIDE, MOST_SIDE, 4)


# --- what is missing


def test_what_is_missing_is_told(page: Path) -> None:
    by_name = {one["name"]: one for one in page_data(page)}
    for number in UNSEEN:
        one = by_name[NAMES[number]]
        assert one["missing"] == "No image of this galaxy was ingested."
        assert (one["image"], one["outline"]) == (None, None)
    for number in UNEXPLAINED:
        assert by_name[NAMES[number]]["map"] is None
    assert "No saliency map of this galaxy is stored." in (page / "gallery-detail.js").read_text()


def test_images_that_are_lost_or_changed_are_told_without_our_folders(tmp_path: Path) -> None:
    path = gallery_catalogue(tmp_path)
    (tmp_path / "images" / "0.png").unlink()
    shutil.copy(tmp_path / "images" / "2.png", tmp_path / "images" / "1.png")
    report = write_page(path, tmp_path / "gallery")
    assert report.without_image == len(UNSEEN) + 2
    by_name = {one["name"]: one for one in page_data(tmp_path / "gallery")}
    assert by_name[NAMES[0]]["missing"] == "The image could not be shown: missing image."
    assert by_name[NAMES[1]]["missing"] == "The image could not be shown: changed image."
    assert by_name[NAMES[0]]["map"] is not None
    text = (tmp_path / "gallery" / "index.html").read_text("utf-8")
    assert str(tmp_path) not in text


def test_without_images_and_maps_the_gallery_comes_out(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(5), concentrations=random_concentrations(5)
    )
    with pytest.raises(CatalogError, match="zoolens score"):
        write_page(path, tmp_path / "gallery")
    score(path)
    report = write_page(path, tmp_path / "gallery")
    assert report == GalleryReport(5, 5, 5)
    assert list((tmp_path / "gallery" / "images").iterdir()) == []
    assert all(one["lo"] is None for one in page_data(tmp_path / "gallery"))


def test_maps_are_the_newest_of_the_predictions_shown(tmp_path: Path) -> None:
    path = gallery_catalogue(tmp_path, [f"G{n}" for n in range(4)])
    write_page(path, tmp_path / "before")
    newer = saliency(1, seed=99)
    with Store.open(path) as store:
        add_maps(store, np.array([1]), newer, seed=1)
        add_maps(store, np.array([2]), newer, predict_run=None)  # of another model
    write_page(path, tmp_path / "after")
    before, after = (
        {one["name"]: one["map"] for one in page_data(tmp_path / name)}
        for name in ("before", "after")
    )
    assert before["G2"] == after["G2"]
    assert before["G1"] != after["G1"]
    (one,) = [one for one in page_data(tmp_path / "after") if one["name"] == "G1"]
    reach = np.abs(saliency_of(path, "G1", one["label"], of="fraction")).max()
    assert one["map"]["scale"]["reach"] == pytest.approx(reach, rel=1e-3)


# --- the files


class Tags(HTMLParser):
    """Tags of a page, and what they refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]


def test_whatever_galaxies_are_called_is_text(page: Path) -> None:
    text = (page / "index.html").read_text("utf-8")
    tags = Tags(text)
    assert tags.tags.count("script") == 5  # the data, and four files
    assert tags.handlers == []
    assert tags.tags.count("img") == GALAXIES - len(UNSEEN)
    assert TITLE in unescape(text)
    plain = unescape(re.sub(r"<[^>]*>", "", text))
    assert all(name in plain for name in NAMES)
    assert "49" not in re.sub(r"<[^>]*>", "", text.partition("<tbody>")[2].partition("G00")[0])


def test_the_page_refers_to_its_own_files_only(page: Path) -> None:
    text = (page / "index.html").read_text("utf-8")
    links = Tags(text).links
    assert len(links) > GALAXIES
    assert all((page / link).is_file() for link in links)
    written = {name for name in contents(page) if name.startswith("images/")}
    shown = set()
    for one in page_data(page):
        shown |= {one["image"], one["outline"], *(other["image"] for other in one["counterparts"])}
        shown |= {one["map"][what] for what in ("increase", "decrease")} if one["map"] else set()
    assert written == shown - {None}
    scripts = [file.read_text() for file in page.glob("*.[jc]s*")]
    assert len(scripts) == 6
    for word in ("http:", "https:", "fetch(", "innerHTML", "import ", "eval(", "@import"):
        assert not any(word in re.sub(r"http://www.w3.org/2000/svg", "", s) for s in scripts)
    assert "default-src 'none'" in text


def test_twice_is_the_same(path: Path, page: Path, tmp_path: Path) -> None:
    write_page(path, tmp_path / "again")
    first = contents(page)
    assert contents(tmp_path / "again") == first
    write_page(path, tmp_path / "again")
    assert contents(tmp_path / "again") == first


def test_numbers_in_page_and_script_are_rounded_alike(page: Path) -> None:
    """As JavaScript's toFixed: the larger of two equally near ones."""
    assert [_fraction(v) for v in (0.625, 0.125, 0.005, 1.0, None, "Infinity")] == [
        "0.63",
        "0.13",
        "0.01",
        "1.00",
        "–",
        "∞",
    ]
    assert [_whole(v) for v in (12, 12.5, 12.4, 0.04)] == ["12", "13", "12", "0"]


def test_a_folder_that_cannot_be_made_is_told(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="cannot be made"):
        write_page(path, tmp_path / "file" / "gallery")
