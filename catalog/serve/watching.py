"""Connections on which nothing comes to an end: half a request's head, an answer nobody takes on.

uvicorn waits for them for ever; here they are ended when their time is over. The body of a request
is waited for where it is read (`catalog.serve.access`).
"""

import asyncio
import time
from collections.abc import Collection
from typing import Any, Protocol


class Connection(Protocol):
    """What is looked at of uvicorn's connections."""

    transport: Any  # asyncio's
    flow: Any  # whether more may be written
    cycle: Any  # the request that is answered, or was last; None before the first


async def watch(connections: Collection[Any], patience: float) -> None:
    """End every connection that waits, for the same thing, for longer than `patience` seconds."""
    since: dict[Connection, tuple[object, float]] = {}
    while True:
        await asyncio.sleep(min(1.0, patience / 4))
        now = time.monotonic()
        before, since = since, {}
        for connection in [*connections]:
            if (waits := waits_for(connection)) is None:
                continue
            last, start = before.get(connection, (None, now))
            since[connection] = (waits, start if last == waits else now)
            if now - since[connection][1] > patience:
                connection.transport.abort()


def waits_for(connection: Connection) -> object:
    """What has to come from the other side before anything happens; None for nothing.

    Its first request; its next one, or the rest of a body that was answered already; that it takes
    on more of an answer, or all that it was sent, so that the connection can be closed.
    """
    if connection.transport.is_closing():
        return "close"
    if connection.flow.write_paused:
        return ("take", connection.transport.get_write_buffer_size())
    if connection.cycle is None:
        return "first"
    return ("next", id(connection.cycle)) if connection.cycle.response_complete else None
