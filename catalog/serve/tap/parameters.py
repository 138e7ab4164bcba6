"""The parameters of a request: those of DALI and TAP, whatever the case of their names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.asking import Asked
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.formats import format_of

_LANGUAGES = ("ADQL", "ADQL-2.0", "ADQL-2.1")
_MOST_FIELDS = 100
_FORM = ("application/x-www-form-urlencoded", "multipart/form-data")


class BadRequest(CatalogError):
    """A request that is wrong in itself, before any query."""


@dataclass
class Parameters:
    """The parameters of a request: their values by name, in capitals, and files by name."""

    values: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, UploadFile] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """The value of a parameter; None if it was not given, or is empty.

        Raises `BadRequest` if it was given twice with different values.
        """
        given = list(dict.fromkeys(self.values.get(name, [])))
        if len(given) > 1:
            raise BadRequest(f"{name} was given {len(given)} times; give it once")
        return given[0] or None if given else None

    def add(self, pairs: Iterable[tuple[str, str | UploadFile]]) -> None:
        """Add parameters as they come."""
        for name, value in pairs:
            if isinstance(value, UploadFile):
                self.files[name.lower()] = value
            else:
                self.values.setdefault(name.upper(), []).append(value)


async def read(request: Request, settings: Settings) -> Parameters:
    """The parameters of a request, from its address and its body."""
    found = Parameters()
    found.add(request.query_params.multi_items())
    if request.method == "POST":
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind in _FORM:
            try:
                form = await request.form(
                    max_files=_MOST_FIELDS, max_fields=_MOST_FIELDS, max_part_size=settings.upload
                )
            except (HTTPException, MultiPartException, KeyError) as error:
                said = getattr(error, "detail", None) or getattr(error, "message", error)
                raise BadRequest(f"the form cannot be read: {said}") from None
            found.add(form.multi_items())
        elif await request.body():
            raise BadRequest(f"a body of type {kind or 'none'}; send {' or '.join(_FORM)}")
    return found


def query_of(values: Mapping[str, str | None], settings: Settings) -> Asked:
    """The query that parameters ask, without its uploads; raises `CatalogError` for none."""
    if (request := values.get("REQUEST")) not in (None, "doQuery"):
        raise BadRequest(f"REQUEST={request}; it is doQuery")
    language = values.get("LANG")
    if language is None:
        raise BadRequest("LANG is missing; give LANG=ADQL")
    if language.upper() not in _LANGUAGES:
        raise BadRequest(f"LANG={language}; there are {', '.join(_LANGUAGES)}")
    form = values.get("RESPONSEFORMAT") or values.get("FORMAT") or "votable"
    format_of(form)
    query = values.get("QUERY")
    if query is None:
        raise AdqlError("there is no query; give QUERY")
    return Asked(query, form, rows_of(values.get("MAXREC"), settings))


def rows_of(given: str | None, settings: Settings) -> int:
    """The most rows that MAXREC asks for, or those that are given unless it does."""
    if given is None:
        return settings.rows
    try:
        rows = int(given)
    except ValueError:
        rows = -1
    if rows < 0 or len(given) > 18:
        raise BadRequest(f"MAXREC={given:.40}; it is a number of rows, 0 or more")
    return min(rows, settings.most_rows)
