"""What is made of a galaxy, over HTTP."""

import json
import urllib.error
import urllib.request
from email.message import Message
from urllib.parse import quote

import pytest

from tests.serve.conftest import Served

pytestmark = pytest.mark.slow

GALAXY = "J000003.00+000003.0"


def _address(served: Served, what: str, galaxy: str = GALAXY) -> str:
    return f"{served.url.removesuffix('/tap')}/galaxies/{quote(galaxy, safe='')}/{what}"


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _ask(
    served: Served, what: str, galaxy: str = GALAXY, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(_address(served, what, galaxy), headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, _lower(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, _lower(error.headers), error.read()


def test_a_product_is_kept_until_the_catalogue_changes(served: Served) -> None:
    status, headers, body = _ask(served, "votes.json")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["galaxy"] == GALAXY
    assert headers["cache-control"] == "no-cache"
    assert _ask(served, "votes.json")[2] == body
    known = {"If-None-Match": f'"x", W/{headers["etag"]}'}
    assert _ask(served, "votes.json", **known)[::2] == (304, b"")
    assert _ask(served, "similar", **known)[0] == 200  # which is another
    assert _ask(served, "similar?k=2")[1]["etag"] != _ask(served, "similar?k=3")[1]["etag"]
    status, headed, nothing = _ask(served, "votes.json", method="HEAD")
    assert (status, nothing) == (200, b"")
    assert headed["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("what", "galaxy", "status", "said"),
    [
        ("votes.json", "J000003", 404, "no galaxy 'J000003' in the catalogue; nearest: J0000"),
        ("votes.json", "../..%2F\x00é</a>", 404, "no galaxy"),
        ("image", GALAXY, 404, f"{GALAXY} has no image"),
        ("maps/bar_x.png", GALAXY, 404, "nearest: bar_"),
        ("maps.fits", "J000001.00+000001.0", 404, "J000001.00+000001.0 has no maps"),
        ("similar?k=x", GALAXY, 400, "k=x; it is a whole number from 1 to 100"),
        ("nothing", GALAXY, 404, "Not Found"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(
    served: Served, what: str, galaxy: str, status: int, said: str
) -> None:
    found, headers, body = _ask(served, what, galaxy)
    assert (found, headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert said in body.decode()
    assert "/tmp" not in body.decode()


def test_maps_come_as_fits(served: Served) -> None:
    status, headers, body = _ask(served, "maps.fits")
    assert (status, headers["content-type"]) == (200, "application/fits")
    assert body.startswith(b"SIMPLE")


def test_what_looks_at_pixels_is_made_beside_queries(served: Served) -> None:
    status, headers, body = _ask(served, "maps/bar_no.png?of=concentration")
    assert (status, headers["content-type"]) == (200, "image/png")
    assert body.startswith(b"\x89PNG")


def test_the_copy_has_the_indexes_of_the_catalogue(served: Served) -> None:
    status, _, body = _ask(served, "counterparts?question=bar&k=1")
    assert status == 200
    assert json.loads(body)["question"] == "bar"
