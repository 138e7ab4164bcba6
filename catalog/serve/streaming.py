"""An answer as it comes, sent to who asked for as long as they listen."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.access import BrokenOff
from zoolens.catalog.serve.asking import Request
from zoolens.catalog.serve.errors import error_response
from zoolens.catalog.serve.service import Service


async def stream(
    service: Service,
    asked: Request,
    mime: str,
    headers: Mapping[str, str],
    scope: Scope,
    receive: Receive,
    send: Send,
    refused: Callable[[CatalogError], Response] = error_response,
) -> None:
    """Send the answer to a request, or (`refused`) why there is none. Who leaves ends it.

    Raises `BrokenOff` if it ends early when it has begun.
    """

    async def answer() -> None:
        begun, limits = False, service.settings.at_once
        stated = {"content-type": mime, **headers}
        head = [(name.encode(), value.encode()) for name, value in stated.items()]
        try:
            async with service.workers.answering(service.catalog, asked, limits) as answering:
                await answering.begin()
                await send({"type": "http.response.start", "status": 200, "headers": head})
                begun = True
                # who reads slowly holds up others no longer than who asks much
                async with asyncio.timeout(limits.seconds):
                    async for part in answering.parts():
                        await send({"type": "http.response.body", "body": part, "more_body": True})
        except CatalogError as error:
            if begun:
                raise BrokenOff(str(error)) from None
            await refused(error)(scope, receive, send)
            return
        except TimeoutError:
            raise BrokenOff(f"it was read for more than {limits.seconds:,g} s") from None
        await send({"type": "http.response.body", "body": b""})

    await while_there(receive, answer)


async def while_there(receive: Receive, work: Callable[[], Awaitable[None]]) -> None:
    """Do some work until it is done, or who asked has gone."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = [asyncio.ensure_future(work()), asyncio.ensure_future(gone())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()
