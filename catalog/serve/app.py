"""The service as a whole: which address is what."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from zoolens.catalog.errors import CatalogError, UnknownName, nearest
from zoolens.catalog.serve.access import Guard, Log
from zoolens.catalog.serve.errors import error_response
from zoolens.catalog.serve.links import addresses as links
from zoolens.catalog.serve.page.files import Files
from zoolens.catalog.serve.products import addresses
from zoolens.catalog.serve.products.addresses import Products
from zoolens.catalog.serve.rate import Rate
from zoolens.catalog.serve.service import PATH, Service
from zoolens.catalog.serve.tap import description
from zoolens.catalog.serve.tap.asynchronous import Asynchronous
from zoolens.catalog.serve.tap.examples import examples
from zoolens.catalog.serve.tap.sync import Sync
from zoolens.catalog.serve.telling import is_full
from zoolens.catalog.serve.workers import Failed, Full

_XML = "text/xml"


def make_app(service: Service, log: Callable[[str], object]) -> Starlette:
    """The service as an ASGI application; log: writes a line."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await service.begin()
        try:
            yield
        finally:
            await service.end()

    settings = service.settings
    vosi = _Vosi(service)
    tap = [
        Route("/sync", Sync(service), methods=["GET", "POST"]),
        *Asynchronous(service).routes(),
        Route("/capabilities", vosi.capabilities),
        Route("/availability", vosi.availability),
        Route("/tables", vosi.tables),
        Route("/tables/{name:path}", vosi.table),
        Route("/examples", vosi.examples),
    ]
    return Starlette(
        routes=[
            Mount(PATH, routes=tap),
            Mount(addresses.PATH, routes=Products(service).routes()),
            *links.routes(service, vosi.availability),
            *Files(service).routes(),
        ],
        middleware=[
            Middleware(Log, write=log),
            *([] if settings.rate is None else [Middleware(Rate, most=settings.rate)]),
            Middleware(
                Guard, token=settings.token, most=settings.upload, patience=settings.patience
            ),
        ],
        exception_handlers={CatalogError: _refused, OSError: _unkept},
        lifespan=lifespan,
    )


def _refused(request: Request, error: Exception) -> Response:
    return error_response(error) if isinstance(error, CatalogError) else PlainTextResponse("", 500)


def _unkept(request: Request, error: Exception) -> Response:
    """The answer where the machine has no room for what a request needs, or the disk fails."""
    if not isinstance(error, OSError) or error.errno is None:
        raise error
    kind = Full if is_full(error) else Failed
    reason = os.strerror(error.errno)
    return error_response(kind(f"the server could not keep what this needs: {reason}"))


class _Vosi:
    """What the service says of itself."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def capabilities(self, request: Request) -> Response:
        made = description.capabilities(self._service.base(request), self._service.settings)
        return Response(made, media_type=_XML)

    def availability(self, request: Request) -> Response:
        note = f"the catalogue as of {self._service.as_of:%Y-%m-%d %H:%M:%S} UTC"
        made = description.availability(
            available=self._service.workers.alive, since=self._service.since, note=note
        )
        return Response(made, media_type=_XML)

    def tables(self, request: Request) -> Response:
        asked = request.query_params
        # astroquery's TapPlus asks for names alone in a way of ESA's
        whole = asked.get("detail", "max").lower() != "min" and asked.get("only_tables") != "true"
        return Response(description.tables(self._service.tables, columns=whole), media_type=_XML)

    def table(self, request: Request) -> Response:
        name = request.path_params["name"]
        tables = {table.full: table for table in self._service.tables}
        if name not in tables:
            known = nearest(name, list(tables))
            raise UnknownName(f"no table {name}; nearest: {known}")
        made = description.one_table(tables[name], self._service.tables)
        return Response(made, media_type=_XML)

    def examples(self, request: Request) -> Response:
        return Response(examples(self._service.tables), media_type="application/xhtml+xml")
