"""/sync: a query, and its answer as it comes. Who leaves ends their query."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.access import BrokenOff
from zoolens.catalog.serve.asking import Asked
from zoolens.catalog.serve.errors import error_response
from zoolens.catalog.serve.service import Service
from zoolens.catalog.serve.tap.formats import format_of
from zoolens.catalog.serve.tap.parameters import query_of, read
from zoolens.catalog.serve.tap.uploads import take_in


class Sync:
    """The resource /sync."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a query, for as long as somebody listens."""
        request = Request(scope, receive)
        try:
            parameters = await read(request, self._service.settings)
            names = ("REQUEST", "LANG", "QUERY", "MAXREC", "FORMAT", "RESPONSEFORMAT")
            values = {name: parameters.get(name) for name in names}
            asked = query_of(values, self._service.settings)
            with TemporaryDirectory(dir=self._service.scratch) as folder:
                uploads = await take_in(parameters, Path(folder), self._service.settings, request)
                asked = replace(asked, uploads=tuple(uploads.items()))
                await while_there(receive, lambda: self._answer(asked, scope, receive, send))
        except CatalogError as error:
            await error_response(error)(scope, receive, send)

    async def _answer(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, or why there is none.

        Raises `BrokenOff` if it ends early when it has begun.
        """
        service, form, begun = self._service, format_of(asked.form), False
        name = f'attachment; filename="result.{form.suffix}"'
        headers = [
            (b"content-type", form.mime.encode()),
            (b"content-disposition", name.encode()),
        ]
        limits = service.settings.at_once
        try:
            async with service.workers.answering(service.catalog, asked, limits) as answer:
                await answer.begin()
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                begun = True
                # who reads slowly holds up others no longer than who asks much
                async with asyncio.timeout(limits.seconds):
                    async for part in answer.parts():
                        await send({"type": "http.response.body", "body": part, "more_body": True})
        except CatalogError as error:
            if begun:
                raise BrokenOff(str(error)) from None
            await error_response(error)(scope, receive, send)
            return
        except TimeoutError:
            raise BrokenOff(f"it was read for more than {limits.seconds:,g} s") from None
        await send({"type": "http.response.body", "body": b""})


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
