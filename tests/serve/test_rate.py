import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.testclient import TestClient

from zoolens.catalog.serve.rate import Rate


def _asked(app: Rate, address: str, count: int) -> list[int]:
    client = TestClient(app, client=(address, 1))
    return [client.get("/").status_code for _ in range(count)]


def test_one_address_may_ask_so_often_and_another_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("zoolens.catalog.serve.rate.time.monotonic", lambda: now[0])
    app = Rate(Router([Route("/", lambda _: PlainTextResponse("yes"))]), 2.0)
    assert _asked(app, "1.1.1.1", 12) == [200] * 10 + [429] * 2
    assert _asked(app, "2.2.2.2", 1) == [200]
    now[0] += 1.0
    assert _asked(app, "1.1.1.1", 3) == [200, 200, 429]
    refused = TestClient(app, client=("1.1.1.1", 1)).get("/")
    assert b"more than 2 requests a second" in refused.content
    assert refused.headers["retry-after"] == "1"


def test_addresses_are_forgotten_before_they_take_all_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zoolens.catalog.serve.rate._MOST", 3)
    app = Rate(Router([Route("/", lambda _: PlainTextResponse("yes"))]), 1.0)
    for number in range(9):
        _asked(app, f"1.1.1.{number}", 1)
    assert len(app._left) == 3
