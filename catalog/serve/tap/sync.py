"""/sync: a query, and its answer as it comes. Who leaves ends their query."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.errors import error_response
from zoolens.catalog.serve.service import AS_OF, Service
from zoolens.catalog.serve.streaming import stream
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
                asked = replace(
                    asked, uploads=tuple(uploads.items()), links=self._service.links(request)
                )
                name = f'attachment; filename="result.{format_of(asked.form).suffix}"'
                as_of = self._service.as_of.isoformat()
                headers = {"content-disposition": name, AS_OF: as_of}
                await stream(
                    self._service, asked, format_of(asked.form).mime, headers, scope, receive, send
                )
        except CatalogError as error:
            await error_response(error)(scope, receive, send)
