"""Mistakes of who asks as answers: VOTables that say so, with the status of HTTP."""

from starlette.responses import Response

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.votable_stream import error_document
from zoolens.catalog.serve.workers import Busy, Failed, Full

VOTABLE = "application/x-votable+xml"


def error_response(error: CatalogError) -> Response:
    """The answer that says what is wrong (DALI 1.1, section 4.4)."""
    status, headers = status_of(error)
    return Response(error_document(str(error)), status, headers, media_type=VOTABLE)


def status_of(error: CatalogError) -> tuple[int, dict[str, str]]:
    """The status of HTTP for a mistake, and headers that go with it."""
    if isinstance(error, Busy):
        return 503, {"Retry-After": "10"}
    if isinstance(error, Full):
        return 507, {}
    if isinstance(error, Failed):
        return 500, {}
    return (404 if isinstance(error, UnknownName) else 400), {}
