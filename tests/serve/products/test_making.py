"""Every product of galaxies that have all, and of those that lack something."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from astropy.io import fits
from PIL import Image

from tests.made.catalogues import TOY
from tests.made.galleries import NAMES, SIDE, UNEXPLAINED, UNSEEN
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.explain.maps import image_of, saliency_of
from zoolens.catalog.images.segments import central_segment
from zoolens.catalog.release.gallery.images import (
    DECREASE,
    INCREASE,
    MOST_SIDE,
    outline,
    overlay,
    scale_of,
)
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.products.choices import product_of
from zoolens.catalog.serve.products.making import make
from zoolens.catalog.serve.products.subject import Made
from zoolens.catalog.store.facts import facts_of
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow  # torch is loaded

WHOLE = 0  # a galaxy with all
LABEL = "bar_weak"


def _made(path: Path, scratch: Path, galaxy: int, what: str, **chosen: str) -> Made:
    fixed = {"answer": chosen.pop("answer")} if what == "map" else {}
    return make(
        path, product_of(NAMES[galaxy], what, chosen, **fixed), 1, scratch, scratch / "kept"
    )


def _json(path: Path, scratch: Path, galaxy: int, what: str, **chosen: str) -> dict[str, Any]:
    made = _made(path, scratch, galaxy, what, **chosen)
    assert made.mime == "application/json"
    found: dict[str, Any] = json.loads(made.body, parse_constant=pytest.fail)
    assert found["galaxy"] == NAMES[galaxy]
    return found


def _pixels(made: Made) -> npt.NDArray[np.uint8]:
    assert made.mime == "image/png"
    return np.asarray(Image.open(io.BytesIO(made.body)))


def test_the_image_is_that_of_its_source_or_as_the_model_saw_it(
    pictured: Path, tmp_path: Path
) -> None:
    made = _made(pictured, tmp_path, WHOLE, "image")
    assert made.mime == "image/png"
    assert made.body == (pictured.parent / "images" / "0.png").read_bytes()
    seen = _pixels(_made(pictured, tmp_path, WHOLE, "image.png"))
    with Store.open(pictured, read_only=True) as store:
        np.testing.assert_array_equal(seen, image_of(store, NAMES[WHOLE]))


def test_numbers_are_those_of_the_catalogue(pictured: Path, tmp_path: Path) -> None:
    found = _json(pictured, tmp_path, WHOLE, "votes.json")
    with Store.open(pictured, read_only=True) as store:
        facts = facts_of(store, [WHOLE])[WHOLE]
    answers = [answer for question in found["questions"] for answer in question["answers"]]
    assert [answer["label"] for answer in answers] == [*TOY.labels]
    for answer, fact in zip(answers, facts, strict=True):
        for name, value in (("count", fact.count), ("predicted", fact.predicted), ("lo", fact.lo)):
            assert answer[name] == pytest.approx(value, rel=1e-5)
        assert answer["concentration"] > 0
        assert (answer["loss"] is None) == (fact.ce is None)
    assert all(0 <= question["reach"] <= 1 for question in found["questions"])
    assert found["image"] == "PNG"
    assert found["costliest"] in TOY.labels


def test_an_outline_is_that_of_the_gallery(pictured: Path, tmp_path: Path) -> None:
    seen = _pixels(_made(pictured, tmp_path, WHOLE, "image.png"))
    drawn = _pixels(_made(pictured, tmp_path, WHOLE, "outline.png"))
    segment = central_segment(seen)
    assert segment is not None
    np.testing.assert_array_equal(drawn, outline(segment, MOST_SIDE))


@pytest.mark.parametrize("of", ["concentration", "fraction", "cross_entropy"])
def test_maps_are_told_in_numbers(pictured: Path, tmp_path: Path, of: Of) -> None:
    found = _json(pictured, tmp_path, WHOLE, "maps.json", of=of)
    (run,) = found["runs"]
    assert (found["run"], found["of"], found["grid"]) == (run["run"], of, [4, 5])
    for answer in found["answers"]:
        cells = saliency_of(pictured, NAMES[WHOLE], answer["label"], of=of)
        np.testing.assert_allclose(answer["cells"], cells, rtol=1e-4, atol=1e-6)
        wanted = scale_of(cells, None, of)
        assert answer["scale"]["reach"] == pytest.approx(wanted.reach, rel=1e-5)
        assert answer["scale"]["increase"] == pytest.approx(wanted.increase, rel=1e-5)
        assert 0 <= answer["scale"]["on_target"] <= 1
    assert {answer["label"] for answer in found["answers"]} == {*TOY.labels}


def test_an_overlay_is_that_of_the_gallery(pictured: Path, tmp_path: Path) -> None:
    cells = saliency_of(pictured, NAMES[WHOLE], LABEL, of="fraction")
    signs = {"increase": INCREASE, "decrease": DECREASE}
    drawn = {
        show: _pixels(_made(pictured, tmp_path, WHOLE, "map", answer=LABEL, show=show))
        for show in (*signs, "both")
    }
    for show, sign in signs.items():
        wanted = overlay(cells, sign, SIDE)
        shows = wanted[..., 3] > 0
        np.testing.assert_array_equal(drawn[show][shows], wanted[shows])
        np.testing.assert_array_equal(drawn["both"][shows], wanted[shows])
        assert not drawn[show][~shows].any()
    on = _pixels(_made(pictured, tmp_path, WHOLE, "map", answer=LABEL, on="image"))
    assert on.shape == (SIDE, SIDE, 3)
    seen = _pixels(_made(pictured, tmp_path, WHOLE, "image.png"))
    nothing = drawn["both"][..., 3] == 0
    np.testing.assert_array_equal(on[nothing], seen[nothing])


def test_a_cube_has_the_stored_maps(pictured: Path, tmp_path: Path) -> None:
    made = _made(pictured, tmp_path, WHOLE, "maps.fits")
    with fits.open(io.BytesIO(made.body)) as file:
        labels = [str(label) for label in file["ANSWERS"].data["label"]]
        plane = file["MEAN"].data[labels.index(LABEL)]
    np.testing.assert_allclose(plane, saliency_of(pictured, NAMES[WHOLE], LABEL), rtol=1e-6)


@pytest.mark.parametrize("galaxy", range(len(NAMES)))
def test_what_a_galaxy_lacks_is_a_sentence(pictured: Path, tmp_path: Path, galaxy: int) -> None:
    lacking = {"image": galaxy in UNSEEN, "image.png": galaxy in UNSEEN}
    lacking |= dict.fromkeys(("maps.json", "maps.fits", "map"), galaxy in UNEXPLAINED)
    for what, lacks in lacking.items():
        chosen = {"answer": LABEL} if what == "map" else {}
        if lacks:
            said = "has no image" if what.startswith("image") else "has no maps"
            with pytest.raises(CatalogError, match=said):
                _made(pictured, tmp_path, galaxy, what, **chosen)
        elif what != "maps.fits":  # whose folder is of one galaxy
            assert _made(pictured, tmp_path, galaxy, what, **chosen).body


def test_a_damaged_image_is_not_shown_and_its_folder_not_told(
    pictured: Path, tmp_path: Path
) -> None:
    file = pictured.parent / "images" / "7.png"
    before = file.read_bytes()
    file.write_bytes(before[:-50])
    try:
        for what in ("image", "image.png"):
            with pytest.raises(CatalogError, match="cannot be shown: changed image") as error:
                _made(pictured, tmp_path, 7, what)
            assert str(file.parent) not in str(error.value)
        file.unlink()
        with pytest.raises(CatalogError, match=r"cannot be shown: missing image$"):
            _made(pictured, tmp_path, 7, "image")
        answers = _json(pictured, tmp_path, 7, "maps.json")["answers"]
        assert {answer["scale"]["on_target"] for answer in answers} == {None}
    finally:
        file.write_bytes(before)


def test_what_is_not_there_is_named(pictured: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="nearest: G0006"):
        make(pictured, Product("G000", "image"), 1, tmp_path, tmp_path / "kept")
    with pytest.raises(UnknownName, match="nearest: bar_"):
        _made(pictured, tmp_path, WHOLE, "map", answer="bar_x")
    with pytest.raises(CatalogError, match=r"run 1 has no maps of .*; runs that have: 4"):
        _made(pictured, tmp_path, WHOLE, "maps.json", run="1")
