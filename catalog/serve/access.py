"""Who may ask, how much a request may send, and a line on every request."""

import asyncio
import base64
import binascii
import hmac
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REALM = 'Basic realm="zoolens", charset="UTF-8"'
_LONGEST = 500  # characters of an address in the log
_ENDING = "the server is ending; ask again when it is there"
_SLOWEST = 10_000  # bytes a second of a request's body


class BrokenOff(Exception):
    """An answer that ends before its end: the connection does, too, so that it shows."""


class Guard:
    """A service behind a token, with a bound on what a request sends.

    token: as `Authorization: Bearer` has it, or the password of `Basic`, whatever the user, which
    is what TOPCAT asks for; None if everybody may. most: bytes of a request's body. patience:
    seconds in which a body must come, and one more for every `_SLOWEST` bytes of it.
    """

    def __init__(self, app: ASGIApp, token: str | None, most: int, patience: float = 20.0) -> None:
        self._app, self._token, self._most, self._patience = app, token, most, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._token is not None and not _knows(headers.get("authorization", ""), self._token):
            asked = {"WWW-Authenticate": _REALM}
            refusal = PlainTextResponse("this service asks for a token\n", 401, asked)
            await refusal(scope, receive, send)
            return
        stated = headers.get("content-length", "0")
        if stated.isdecimal() and int(stated) > self._most:
            await self._too_long()(scope, receive, send)
            return
        await self._bounded(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        got, whole, begun = 0, False, False
        start = time.monotonic()

        async def counted() -> Message:
            nonlocal got, whole
            if whole:  # what comes now is only that they have gone
                return await receive()
            left = start + self._patience + got / _SLOWEST - time.monotonic()
            try:
                async with asyncio.timeout(left):
                    message = await receive()
            except TimeoutError:
                raise _TooSlow from None
            got += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if got > self._most:
                raise _TooLong
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except (_TooLong, _TooSlow) as error:
            if begun:
                raise BrokenOff(type(error).__name__) from None
            refusal = self._too_long() if isinstance(error, _TooLong) else self._too_slow()
            await refusal(scope, receive, send)

    def _too_slow(self) -> PlainTextResponse:
        words = f"a request that does not come within {self._patience:g} s is not waited for\n"
        return PlainTextResponse(words, 408, {"Connection": "close"})

    def _too_long(self) -> PlainTextResponse:
        words = f"a request is {self._most / 1e6:.3g} MB at most\n"
        return PlainTextResponse(words, 413, {"Connection": "close"})


class _TooLong(Exception):
    """A request sends more than it may."""


class _TooSlow(Exception):
    """A request does not come."""


def _knows(given: str, token: str) -> bool:
    kind, _, value = given.partition(" ")
    if kind.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif kind.lower() != "bearer":
        return False
    return hmac.compare_digest(value.strip().encode(), token.encode())


class Log:
    """A line of JSON on every request: when, who, what, what was answered, how long."""

    def __init__(self, app: ASGIApp, write: Callable[[str], object]) -> None:
        self._app, self._write = app, write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and say how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, sent = time.monotonic(), 0, 0
        broken = None

        async def noted(message: Message) -> None:
            nonlocal status, sent
            status = message.get("status", status)
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except BrokenOff as error:
            broken = str(error)
        except asyncio.CancelledError:  # by the server, whose time is over
            broken = _ENDING
            if not status:
                refusal = PlainTextResponse(f"{_ENDING}\n", 503, {"Retry-After": "10"})
                with suppress(asyncio.CancelledError):
                    await refusal(scope, receive, noted)
        finally:
            query = scope.get("query_string", b"").decode("latin-1")
            said = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "client": (scope.get("client") or [None])[0],
                "method": scope["method"],
                "path": (scope["path"] + ("?" + query if query else ""))[:_LONGEST],
                "status": status,
                "bytes": sent,
                "seconds": round(time.monotonic() - begun, 3),
                **({} if broken is None else {"error": broken}),
            }
            with suppress(OSError):  # a log that cannot be written keeps nobody from an answer
                self._write(json.dumps(said))
