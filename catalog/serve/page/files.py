"""The page itself, its scripts and styles, and `/page/about.json`: all that `/` loads.

A browser may run and show what comes from here and nothing else, and keeps a copy that it asks
about each time, so that a newer server has its own.
"""

import hashlib
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zoolens.catalog.errors import UnknownName, nearest
from zoolens.catalog.explain.wording import BASELINE
from zoolens.catalog.output.html import TEMPLATES, rendered
from zoolens.catalog.serve.service import AS_OF, Service

# 21012: the hub through which the page speaks to TOPCAT and Aladin, by SAMP's Web Profile.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' http://localhost:21012; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_PAGE = "explore.html.jinja"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Files:
    """What the page is made of, read once."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._page = rendered(_PAGE, baseline=BASELINE).encode()
        self._files = {
            file.name: file.read_bytes()
            for pattern in ("page*", "explore*", "gallery-detail.js")
            for file in sorted(TEMPLATES.glob(pattern))
            if file.suffix in _KINDS
        }

    def routes(self) -> list[Route]:
        """What is where."""
        return [
            Route("/", self.page),
            Route("/page/about.json", self.about),
            Route("/page/{name}", self.file),
        ]

    async def page(self, request: Request) -> Response:
        """The page to explore; a galaxy's will be asked for next."""
        _ = self._service.makers
        return _sent(request, self._page, "text/html")

    def about(self, request: Request) -> Response:
        """What the page has to know of the catalogue; of which, also its head alone says."""
        as_of = {AS_OF: self._service.as_of.isoformat()}
        return _sent(request, self._service.about, "application/json", as_of)

    def file(self, request: Request) -> Response:
        """A script or a style of the page."""
        name = request.path_params["name"]
        if name not in self._files:
            raise UnknownName(f"no file {name}; nearest: {nearest(name, list(self._files))}")
        return _sent(request, self._files[name], _KINDS[name[name.rindex(".") :]])


def _sent(
    request: Request, body: bytes, kind: str, more: Mapping[str, str] | None = None
) -> Response:
    """A file, or that the copy which the browser has is still the same."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**_HEADERS, **(more or {}), "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(None, 304, headers)
    return Response(body, 200, headers, media_type=kind)
