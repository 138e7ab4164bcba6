"""/datalink, /sia2 and /scs: where the protocols are, beside TAP."""

from collections.abc import Callable, Sequence

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.votable_stream import cone_error_document
from zoolens.catalog.serve.asking import Listing
from zoolens.catalog.serve.errors import VOTABLE, error_response
from zoolens.catalog.serve.links.capabilities import capabilities
from zoolens.catalog.serve.links.requests import cone_asked, images_asked, links_asked
from zoolens.catalog.serve.service import Service
from zoolens.catalog.serve.streaming import stream
from zoolens.catalog.serve.tap.formats import format_of
from zoolens.catalog.serve.tap.parameters import Parameters, read

_XML = "text/xml"
_DATALINK = f"{VOTABLE};content=datalink"
Ask = Callable[[Parameters, str], Listing]
Refuse = Callable[[CatalogError], Response]


class Protocol:
    """A resource that answers with a VOTable, or another table.

    asked: what parameters ask, of a server with a root; refused: the answer to what is wrong; mime:
    of the answer, where it is not that of its format.
    """

    def __init__(
        self,
        service: Service,
        asked: Ask,
        refused: Refuse = error_response,
        mime: str | None = None,
    ) -> None:
        self._service, self._asked, self._refused, self._mime = service, asked, refused, mime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = HttpRequest(scope, receive)
        try:
            given = await read(request, self._service.settings)
            asked = self._asked(given, self._service.root(request))
        except CatalogError as error:
            await self._refused(error)(scope, receive, send)
            return
        form = format_of(getattr(asked, "form", "votable/td"))
        mime = form.mime if self._mime is None or form.suffix != "vot" else self._mime
        name = f'inline; filename="result.{form.suffix}"'
        headers = {"content-disposition": name}
        await stream(self._service, asked, mime, headers, scope, receive, send, self._refused)


def routes(service: Service, availability: Callable[[HttpRequest], Response]) -> Sequence[Route]:
    """What is where; availability: that of the whole server."""
    settings, both = service.settings, ["GET", "POST"]

    def described(which: str) -> Callable[[HttpRequest], Response]:
        def answer(request: HttpRequest) -> Response:
            made = capabilities(which, service.root(request), settings)
            return Response(made, media_type=_XML)

        return answer

    images = Protocol(service, lambda given, root: images_asked(given, settings, root))
    cone = Protocol(
        service, lambda given, root: cone_asked(given, settings, root), _refused_cone, _XML
    )
    return [
        Route("/datalink/links", Protocol(service, links_asked, mime=_DATALINK), methods=both),
        Route("/sia2/query", images, methods=both),
        Route("/scs", cone, methods=both),
        *(Route(f"/{one}/capabilities", described(one)) for one in ("datalink", "sia2", "scs")),
        *(Route(f"/{one}/availability", availability) for one in ("datalink", "sia2", "scs")),
    ]


def _refused_cone(error: CatalogError) -> Response:
    """As clients of cone search understand it: with the status of what went well."""
    return Response(cone_error_document(str(error)), 200, media_type=_XML)
