"""Tables that come with a query (TAP 1.1, section 2.5): as files of the request, or by an address.

What is fetched by an address is bounded, follows no other, and is of the public network alone,
unless who asks sits at this machine: else a stranger could reach what only this server can.
"""

import asyncio
import http.client
import ipaddress
import re
import socket
import ssl
from pathlib import Path
from secrets import token_hex
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.tap.parameters import BadRequest, Parameters

_NAME = re.compile(r"(?:tap_upload\.)?([A-Za-z][A-Za-z0-9_]{0,60})", re.I)
_MOST = 10  # tables
_PATIENCE = 20.0  # seconds without a word from where a table is
_PART = 1 << 16  # bytes


async def take_in(
    given: Parameters, folder: Path, settings: Settings, request: Request
) -> dict[str, str]:
    """Put the tables that come with a request into a folder; the files by name of the table.

    Raises `CatalogError` for what is no name, or a table that is not there.
    """
    found: dict[str, str] = {}
    for part in (p for value in given.values.get("UPLOAD", []) for p in value.split(";") if p):
        name, _, uri = part.partition(",")
        match = _NAME.fullmatch(name.strip())
        if match is None and uri:
            raise BadRequest(
                f"UPLOAD={part:.80}: {name.strip()[:40]!r} is no name of a table; it is a letter, "
                "then letters, digits and _, without a space, 61 at most"
            )
        if match is None or not uri:
            raise BadRequest(f"UPLOAD={part:.80}; it is NAME,param:FIELD or NAME,ADDRESS")
        name = match[1].lower()
        if name in found or len(found) >= _MOST:
            raise BadRequest(f"UPLOAD has {name} twice, or more than {_MOST} tables")
        file = folder / f"upload-{token_hex(4)}"
        await _put(uri.strip(), file, given, settings, request)
        found[name] = str(file)
    return found


async def _put(
    uri: str, file: Path, given: Parameters, settings: Settings, request: Request
) -> None:
    if uri.startswith("param:"):
        field = uri.removeprefix("param:").lower()
        if field not in given.files:
            raise BadRequest(f"UPLOAD names the field {field}, which is not in the request")
        with file.open("wb") as out:
            while part := await given.files[field].read(_PART):
                out.write(part)
        return
    anywhere = request.client is not None and _is_here(request.client.host)
    await asyncio.to_thread(fetch, uri, file, settings.upload, anywhere)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fetch(address: str, file: Path, most: int, anywhere: bool) -> None:
    """Fetch a table of `most` bytes or less by HTTP; anywhere: from private networks, too.

    Raises `CatalogError` if there is none to be had.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port  # which is read late, and may be none
    except ValueError as error:
        raise BadRequest(f"UPLOAD={address:.80} is no address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest(f"UPLOAD={address:.80}; an address begins with http:// or https://")
    try:
        connection = _connected(parts, anywhere)
        try:
            path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
            connection.request("GET", path, headers={"User-Agent": "zoolens"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise CatalogError(f"{address:.80} answered {answer.status} {answer.reason:.40}")
            got = 0
            with file.open("wb") as out:
                while part := answer.read(_PART):
                    got += len(part)
                    if got > most:
                        raise CatalogError(f"{address:.80} is more than {most / 1e6:.3g} MB")
                    out.write(part)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CatalogError(f"{address:.80} could not be fetched: {error}") from None


def _connected(parts: SplitResult, anywhere: bool) -> http.client.HTTPConnection:
    """A connection to the very address that was looked at."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0]
    place = str(place)
    if not anywhere and not ipaddress.ip_address(place).is_global:
        raise BadRequest(f"{host:.80} is not of the public network; send the table itself")
    plain = socket.create_connection((place, port), _PATIENCE)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=_PATIENCE)
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(plain, server_hostname=host)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
        connection.sock = plain
    return connection
