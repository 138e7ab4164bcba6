"""What the page is made of, as the server sends it."""

import json
import re
import urllib.request

import pytest

from tests.serve.conftest import Served
from tests.serve.page.conftest import root

pytestmark = pytest.mark.slow


def test_the_page_loads_what_is_there_and_nothing_from_elsewhere(served: Served) -> None:
    with urllib.request.urlopen(root(served)) as answer:
        page, headers = answer.read().decode(), answer.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    parts = re.findall(r'(?:src|href)="([^"#]+)"', page)
    assert len(parts) > 8
    for part in parts:
        assert part.startswith("page/"), part
        with urllib.request.urlopen(root(served) + part) as answer:
            assert answer.headers["Content-Security-Policy"] == policy
            body, tag = answer.read().decode(), answer.headers["ETag"]
        assert "innerHTML" not in body
        again = urllib.request.Request(root(served) + part, headers={"If-None-Match": tag})
        assert served.ask(again) == (304, b"")


def test_the_page_is_told_what_is_served(served: Served) -> None:
    with urllib.request.urlopen(root(served) + "page/about.json") as answer:
        said = json.loads(answer.read())
    assert (said["catalogue"], said["galaxies"]) == ("gz.duckdb", 30)


def test_a_file_that_is_none_is_said_with_the_nearest(served: Served) -> None:
    for name in ("explor.js", "gallery.html.jinja", "..%2fabout.py"):
        status, body = served.ask(urllib.request.Request(f"{root(served)}page/{name}"))
        assert status == 404
    status, body = served.ask(urllib.request.Request(f"{root(served)}page/explor.js"))
    assert b"no file explor.js; nearest: explore.js" in body
