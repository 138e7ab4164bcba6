"""Tokens, bounds of a request, and a log: with Starlette's own client, without a server."""

import asyncio
import base64
import json
from collections.abc import Iterator

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from zoolens.catalog.serve.access import BrokenOff, Guard, Log

_LINES: list[str] = []


async def _length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
def client() -> TestClient:
    app = Router([Route("/", _length, methods=["GET", "POST"])])
    _LINES.clear()
    return TestClient(Log(Guard(app, "word", 1000), _LINES.append))


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer word", 200),
        ("bearer word", 200),
        (_basic("anybody:word"), 200),
        (_basic("anybody:words"), 401),
        (_basic("word"), 401),
        ("Bearer wor", 401),
        ("Basic !!!", 401),
        ("Digest word", 401),
        ("word", 401),
        ("", 401),
    ],
)
def test_who_knows_the_token_is_let_in(client: TestClient, header: str, status: int) -> None:
    answer = client.get("/", headers={"Authorization": header})
    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_request_is_bounded_whether_it_says_its_length_or_not(client: TestClient) -> None:
    known = {"Authorization": "Bearer word"}

    def parts(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * 100

    assert client.post("/", content=b"x" * 1000, headers=known).text == "1000"
    assert client.post("/", content=b"x" * 1001, headers=known).status_code == 413
    assert client.post("/", content=parts(10), headers=known).text == "1000"
    assert client.post("/", content=parts(11), headers=known).status_code == 413


def test_an_answer_that_breaks_off_is_in_the_log_with_its_reason() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        raise BrokenOff("its time is over")

    lines: list[str] = []
    TestClient(Log(app, lines.append)).get("/")
    assert json.loads(lines[0])["error"] == "its time is over"
    assert json.loads(lines[0])["bytes"] == 3


def test_a_line_says_what_was_asked_and_answered(client: TestClient) -> None:
    client.get("/?QUERY=" + "x" * 1000, headers={"Authorization": "Bearer word"})
    client.get("/")
    first, second = map(json.loads, _LINES)
    assert (first["status"], first["bytes"], first["method"]) == (200, 1, "GET")
    assert len(first["path"]) == 500
    assert second["status"] == 401
    assert "word" not in _LINES[0]


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    app = Guard(Router([Route("/", _length, methods=["POST"])]), None, 1000, patience=0.05)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"content-length", b"9")],
    }
    asyncio.run(app(scope, receive, send))
    assert [message.get("status") for message in sent] == [408, None]


def test_what_the_server_ends_is_told_so_and_raises_nothing() -> None:
    lines: list[str] = []
    sent: list[Message] = []

    async def ended(begun: bool) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if begun:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.sleep(60)

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError

        scope = {"type": "http", "method": "GET", "path": "/"}
        task = asyncio.create_task(Log(app, lines.append)(scope, receive, send))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(ended(False))
    assert sent[0]["status"] == json.loads(lines[0])["status"] == 503
    assert b"the server is ending" in sent[1]["body"]
    sent.clear()
    asyncio.run(ended(True))
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert "the server is ending" in json.loads(lines[1])["error"]


def test_a_log_that_cannot_be_written_keeps_nobody_from_an_answer() -> None:
    def write(line: str) -> None:
        raise OSError

    app = Router([Route("/", _length)])
    assert TestClient(Log(app, write)).get("/").text == "0"
