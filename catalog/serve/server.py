"""The server: a socket, the service behind it, and its end."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.watching import watch
from zoolens.catalog.store.store import code_version

_GRACE = 5  # seconds that answers have to end in when the server does
# What is on purpose, and in our own log.
_SAID = ("without completing response", "timeout graceful shutdown exceeded")
_LONGEST_HEAD = 1 << 17  # bytes of a request's head, in which a query may be


def bound(host: str, port: int) -> socket.socket:
    """A socket at an address. Raises `CatalogError` if somebody else is there, or it is none."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        known = error.errno is not None and not isinstance(error, socket.gaierror)
        reason = os.strerror(error.errno) if known and error.errno else str(error.strerror)
        raise CatalogError(
            f"{host}:{port} cannot be served: {reason.lower()}; name another with --port or --host"
        ) from None
    except OverflowError:
        raise CatalogError(f"{port} is no port; name one with --port, 0 for any") from None


class _Server(uvicorn.Server):
    """A server that a second Ctrl-C does not tear away: it ends in seconds, and leaves nothing."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        if not self.should_exit:
            super().handle_exit(sig, frame)


def run(
    app: Starlette,
    listening: socket.socket,
    patience: float,
    beside: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve until the process is asked to end; beside: what goes on meanwhile.

    patience: seconds that a connection may keep waiting. Answers have some seconds to end in. What
    asked for the end is raised again afterwards.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        headers=[("Server", f"zoolens/{code_version()}")],
        lifespan="on",
        ws="none",
        http="h11",
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_graceful_shutdown=_GRACE,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    asyncio.run(_served(_Server(config), listening, patience, beside))


def _is_news(record: logging.LogRecord) -> bool:
    return not any(words in record.msg for words in _SAID)


async def _served(
    server: uvicorn.Server,
    listening: socket.socket,
    patience: float,
    beside: Callable[[], Awaitable[None]] | None,
) -> None:
    others = [asyncio.ensure_future(watch(server.server_state.connections, patience))]
    if beside is not None:
        others.append(asyncio.ensure_future(beside()))
    try:
        await server.serve(sockets=[listening])
    finally:
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
