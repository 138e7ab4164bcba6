from collections.abc import Callable
from typing import Any

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.links.requests import cone_asked, images_asked, links_asked
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.parameters import Parameters

_SETTINGS = Settings(rows=7, most_rows=9)
_DID = "ivo://zoolens/galaxies?J1%2B2"


def _given(**values: "str | list[str]") -> Parameters:
    found = Parameters()
    for name, value in values.items():
        found.add([(name, one) for one in ([value] if isinstance(value, str) else value)])
    return found


def _images(**values: "str | list[str]") -> Any:
    return images_asked(_given(**values), _SETTINGS, "http://x")


def test_a_cone_is_read_as_it_is_given() -> None:
    asked = cone_asked(_given(ra="10", DEC="-20", Sr="0.5", VERB="3"), _SETTINGS, "http://x")
    assert (asked.circle, asked.verbosity, asked.rows) == ((10.0, -20.0, 0.5), 3, 7)
    nothing = cone_asked(_given(RA="10", DEC="0", SR="0", MAXREC="50"), _SETTINGS, "")
    assert (nothing.circle, nothing.verbosity, nothing.rows) == (None, 2, 9)


def test_images_are_asked_for_by_place_name_and_format() -> None:
    asked = _images(POS=["CIRCLE 1 2 3", "RANGE 0 1 0 1"], FORMAT=["IMAGE/PNG", "application/fits"])
    assert [kind for kind, _ in asked.regions] == ["CIRCLE", "RANGE"]
    assert (asked.formats, asked.names, asked.none) == (("image/png", "image/fits"), (), False)
    assert _images(ID=[_DID, "J3"]).names == ("J1+2", "J3")
    assert _images(ID=[_DID, "J3"], TARGET="J3").names == ("J3",)
    assert _images(ID=_DID, TARGET="J3").none


@pytest.mark.parametrize(
    ("name", "value", "none"),
    [
        *(("BAND", "500e-9", True), ("TIME", "-Inf 55000", True), ("POL", "I", True)),
        *(("COLLECTION", "zoolens", False), ("COLLECTION", "other", True)),
        *(("DPTYPE", "image", False), ("DPTYPE", "cube", True), ("CALIB", "3", False)),
        *(("CALIB", "0", True), ("FACILITY", "x", True), ("EXPTIME", "", False)),
    ],
)
def test_what_no_image_here_has_gives_none(name: str, value: str, none: bool) -> None:
    assert _images(**{name: value}).none is none


def test_links_keep_what_was_given() -> None:
    asked = links_asked(_given(ID=[_DID, "J3", ""]), "http://x")
    assert asked.names == ((_DID, "J1+2"), ("J3", "J3"))
    said = "application/x-votable+xml;content=datalink"
    assert links_asked(_given(RESPONSEFORMAT=said), "http://x").form == "votable/td"


@pytest.mark.parametrize(
    ("ask", "values", "said"),
    [
        (cone_asked, {"RA": "1", "DEC": "2"}, "SR is missing"),
        (cone_asked, {"RA": "x", "DEC": "2", "SR": "1"}, "RA has x"),
        (cone_asked, {"RA": "1", "DEC": "95", "SR": "1"}, "DEC=95"),
        (cone_asked, {"RA": "1", "DEC": "5", "SR": "1", "VERB": "4"}, "VERB=4"),
        (cone_asked, {"RA": ["1", "2"], "DEC": "5", "SR": "1"}, "RA was given 2 times"),
        (images_asked, {"BAND": "2 1"}, "BAND=2 1"),
        (images_asked, {"TIME": "now"}, "TIME has now"),
        (images_asked, {"POS": "BOX 1 2"}, "POS=BOX"),
        (images_asked, {"MAXREC": "-1"}, "MAXREC=-1"),
        (images_asked, {"RESPONSEFORMAT": "xls"}, "no format xls"),
        (images_asked, {"ID": "x" * 2000}, "1,000 characters"),
    ],
)
def test_what_is_wrong_is_named(ask: Callable[..., Any], values: Any, said: str) -> None:
    with pytest.raises(CatalogError, match=said):
        ask(_given(**values), _SETTINGS, "http://x")


def test_links_of_too_many_are_refused() -> None:
    with pytest.raises(CatalogError, match="1,001 times"):
        links_asked(_given(ID=[str(n) for n in range(1001)]), "http://x")
