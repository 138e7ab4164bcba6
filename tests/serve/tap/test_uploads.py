"""Tables that come with a query, by address: what is fetched, and what is not."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from starlette.requests import Request

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.parameters import BadRequest, Parameters
from zoolens.catalog.serve.tap.uploads import fetch, take_in


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_table_is_fetched(address: str, tmp_path: Path) -> None:
    fetch(f"{address}/table?a=1", tmp_path / "t", 1000, anywhere=True)
    assert (tmp_path / "t").read_bytes() == b"x" * 1000


@pytest.mark.parametrize(
    ("path", "most", "said"),
    [("/table", 999, r"is more than 0\.000999 MB"), ("/elsewhere", 1000, "answered 302")],
)
def test_no_more_is_fetched_and_nothing_from_elsewhere(
    address: str, tmp_path: Path, path: str, most: int, said: str
) -> None:
    with pytest.raises(CatalogError, match=said):
        fetch(address + path, tmp_path / "t", most, anywhere=True)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "0.0.0.0", "2130706433"],
)
def test_a_stranger_reaches_no_private_network(tmp_path: Path, host: str) -> None:
    with pytest.raises(CatalogError, match=r"not of the public network|could not be fetched"):
        fetch(f"http://{host}:9/", tmp_path / "t", 10, anywhere=False)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://x/y", "http:///x", "gopher://x"])
def test_only_http_is_spoken(tmp_path: Path, address: str) -> None:
    with pytest.raises(CatalogError, match="begins with http"):
        fetch(address, tmp_path / "t", 10, anywhere=True)
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("address", ["http://[::1", "http://here:99999999/x", "http://here:x/"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(BadRequest, match="is no address"):
        fetch(address, tmp_path / "x", 10, True)


@pytest.mark.parametrize("name", ["my table", "1st", "a-b", "x" * 70])
def test_a_name_that_is_none_is_told_what_one_is(name: str, tmp_path: Path) -> None:
    given = Parameters({"UPLOAD": [f"{name},param:t"]})
    taking = take_in(given, tmp_path, Settings(), Request({"type": "http"}))
    with pytest.raises(BadRequest, match=r"is no name of a table; .* without a space"):
        asyncio.run(taking)
