"""Mistakes of who asks as answers: VOTables that say so, with the status of HTTP."""

from starlette.responses import Response

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.votable_stream import error_document
from zoolens.catalog.serve.workers import Busy

VOTABLE = "application/x-votable+xml"


def error_response(error: CatalogError) -> Response:
    """The answer that says what is wrong (DALI 1.1, section 4.4)."""
    status = 400
    headers = {}
    if isinstance(error, Busy):
        status, headers = 503, {"Retry-After": "10"}
    elif isinstance(error, UnknownName):
        status = 404
    return Response(error_document(str(error)), status, headers, media_type=VOTABLE)
