"""Authors and licences as they are typed."""

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.authors import (
    Author,
    licence_cff,
    read_author,
    read_licence,
)

# examples of orcid.org's own page on the structure of its identifiers
ORCIDS = ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"]


def test_persons_and_organisations() -> None:
    assert read_author("Su, T.") == Author("Su", "T.", None)
    assert read_author(" van der Berg ,  Ana María ") == Author("van der Berg", "Ana María", None)
    assert read_author("Galaxy Zoo") == Author("Galaxy Zoo", "", None)
    assert read_author("Galaxy Zoo").cff() == {"name": "Galaxy Zoo"}


@pytest.mark.parametrize("orcid", ORCIDS)
@pytest.mark.parametrize("start", ["", "https://orcid.org/", "http://orcid.org/"])
def test_orcids(orcid: str, start: str) -> None:
    author = read_author(f"Su, T.; {start}{orcid.lower()}")
    assert author == Author("Su", "T.", f"https://orcid.org/{orcid}")
    assert author.cff() == {
        "family-names": "Su",
        "given-names": "T.",
        "orcid": f"https://orcid.org/{orcid}",
    }


@pytest.mark.parametrize("orcid", ORCIDS)
def test_no_digit_of_an_orcid_can_be_mistyped(orcid: str) -> None:
    for place, letter in enumerate(orcid):
        for other in "0123456789X":
            wrong = orcid[:place] + other + orcid[place + 1 :]
            if other != letter:
                with pytest.raises(CatalogError, match="is no ORCID"):
                    read_author(f"Su, T.; {wrong}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no name; write"),
        (", T.", "has no name"),
        ("Su,", "has no name"),
        ("Su, T.\n", "has no name"),
        ("Su, T.;", "'' is no ORCID"),
        ("Su, T.; orcid", "take it from orcid.org"),
        ("T. Su; 0000-0002-1825-0097", "it is a person's name; write"),
    ],
)
def test_what_is_no_author_is_told(text: str, says: str) -> None:
    with pytest.raises(CatalogError, match=says) as caught:
        read_author(text)
    assert "\n" not in str(caught.value)


def test_licences_are_spelt_as_spdx_does() -> None:
    assert read_licence("cc-by-4.0") == "CC-BY-4.0"
    assert licence_cff(read_licence("cc0-1.0")) == {"license": "CC0-1.0"}
    url = "https://spdx.org/licenses/CDLA-Permissive-2.0.html"
    assert licence_cff(read_licence("CDLA-Permissive-2.0")) == {"license-url": url}


@pytest.mark.parametrize(
    "text", ["CC BY 4.0", "", "MIT OR ISC", "GPL-3.0-only+", "LicenseRef-mine", "mine\n"]
)
def test_what_is_no_licence_is_told(text: str) -> None:
    with pytest.raises(CatalogError, match=r"no licence of SPDX; .*; nearest: ") as caught:
        read_licence(text)
    assert "\n" not in str(caught.value)
    if text.startswith("CC"):
        assert "nearest: CC-BY-4.0" in str(caught.value)
