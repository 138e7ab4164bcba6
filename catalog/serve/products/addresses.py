"""/galaxies/NAME/...: the addresses of what is made of a galaxy, and what caches may keep of it."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.errors import status_of
from zoolens.catalog.serve.products.choices import product_of
from zoolens.catalog.serve.service import Service

PATH = "/galaxies"
_KEPT = 64 << 20  # bytes of products that are held for who asks next
_LARGEST = 4 << 20  # bytes of one that is


class Products:
    """The resource /galaxies."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept: OrderedDict[str, Response] = OrderedDict()

    def routes(self) -> Sequence[Route]:
        """What is where; a name may hold a slash, and is of no galaxy if it is too long."""
        return [
            Route("/{name:path}/image", self._way("image")),
            Route("/{name:path}/image.png", self._way("image.png")),
            Route("/{name:path}/outline.png", self._way("outline.png")),
            Route("/{name:path}/maps.json", self._way("maps.json")),
            Route("/{name:path}/maps/{answer:path}.png", self._way("map")),
            Route("/{name:path}/maps.fits", self._way("maps.fits")),
            Route("/{name:path}/votes.json", self._way("votes.json")),
            Route("/{name:path}/counterparts", self._way("counterparts")),
            Route("/{name:path}/similar", self._way("similar")),
        ]

    def _way(self, what: str):  # type: ignore[no-untyped-def]
        async def answer(request: Request) -> Response:
            return await self._answer(request, what)

        return answer

    async def _answer(self, request: Request, what: str) -> Response:
        """A product, or why there is none, in a sentence."""
        try:
            fixed = {"answer": request.path_params["answer"]} if what == "map" else {}
            given = dict(request.query_params)
            asked = product_of(request.path_params["name"], what, given, **fixed)
            tag = self._tag(asked)
            if tag in _tags(request.headers.get("if-none-match", "")):
                return Response(status_code=304, headers=self._headers(tag))
            return self._kept_or_none(tag) or await self._made(asked, tag)
        except CatalogError as error:
            status, headers = status_of(error)
            return PlainTextResponse(f"{error}\n", status, headers)

    def _tag(self, asked: Product) -> str:
        """What a product of the present copy of the catalogue is known by: ETag, in quotes.

        Which run it is of, and all else that it is made of, the copy says.
        """
        whole = json.dumps([self._service.as_of.isoformat(), asdict(asked)])
        return f'"{hashlib.sha256(whole.encode(errors="replace")).hexdigest()[:32]}"'

    def _headers(self, tag: str) -> dict[str, str]:
        who = "private, " if self._service.settings.token is not None else ""
        return {"ETag": tag, "Cache-Control": f"{who}no-cache"}  # keep, and ask whether it holds

    async def _made(self, asked: Product, tag: str) -> Response:
        service = self._service
        limits = service.settings.at_once
        workers = service.makers if asked.sees else service.workers
        async with workers.answering(service.catalog, asked, limits) as answer:
            said = await answer.begin()
            body = b"".join([part async for part in answer.parts()])
        headers = {
            **self._headers(tag),
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(said['name'])}",
            "X-Content-Type-Options": "nosniff",
        }
        response = Response(body, 200, headers, media_type=said["mime"])
        self._keep(tag, response)
        return response

    def _kept_or_none(self, tag: str) -> Response | None:
        if tag in self._kept:
            self._kept.move_to_end(tag)
        return self._kept.get(tag)

    def _keep(self, tag: str, response: Response) -> None:
        """Hold a product, and let go of those that were not asked for longest."""
        if len(response.body) > _LARGEST:
            return
        self._kept[tag] = response
        while sum(len(one.body) for one in self._kept.values()) > _KEPT:
            self._kept.popitem(last=False)


def _tags(given: str) -> list[str]:
    """The tags of If-None-Match, weak ones too; none of `*`, which says nothing of what is kept."""
    return [tag.strip().removeprefix("W/") for tag in given.split(",")]
