"""`zoolens serve`."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, TextIO
from urllib.parse import urlsplit

from typer import BadParameter, Option, echo

from zoolens.commands import options, shell

_TOKEN = "ZOOLENS_TOKEN"  # noqa: S105 - the name of a variable


def _word(token: str | None) -> str | None:
    """A token; what is empty is none, as of a variable that was to be set."""
    given = os.environ.get(_TOKEN) if token is None else token
    if given is not None and not given.strip():
        raise BadParameter("it is empty; give a word, or no token at all to let everybody ask")
    return token


def _address(url: str | None) -> str | None:
    try:
        parts = None if url is None else urlsplit(url)
        _ = parts and parts.port  # which is read late, and may be none
    except ValueError as error:
        raise BadParameter(f"{url} is no address: {error}") from None
    if parts is not None and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise BadParameter(f"{url} is no address; one begins with http:// or https:// and a host")
    return url


def serve(
    host: Annotated[str, Option(help="Address to listen at; 0.0.0.0 for everybody.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8000,
    url: Annotated[
        str | None,
        Option(
            callback=_address,
            help="Address by which others reach it, where a proxy stands between.",
        ),
    ] = None,
    token: Annotated[
        str | None,
        Option(
            envvar=_TOKEN,
            callback=_word,
            help="A word that whoever asks has to know: as bearer token, or as the password of "
            "any user.",
        ),
    ] = None,
    follow: Annotated[
        bool, Option("--follow", help="Serve a newer copy of the catalogue when it has changed.")
    ] = False,
    every: Annotated[
        float, Option(min=0.1, help="With --follow: seconds between two looks at it.")
    ] = 60.0,
    rows: Annotated[
        int, Option(min=0, help="Rows of an answer, unless MAXREC asks for others.")
    ] = 100_000,
    most_rows: Annotated[int, Option(min=0, help="Rows of an answer at most.")] = 10_000_000,
    timeout: Annotated[float, Option(min=0.1, help="Seconds that a query may take.")] = 60.0,
    job_timeout: Annotated[
        float, Option(min=0.1, help="Seconds that an asynchronous job may take.")
    ] = 3600.0,
    memory: Annotated[
        float | None,
        Option(
            min=0.05,
            help="GB that a query may take; unless given, half of this machine's among the "
            "queries at once, 1 to 4.",
        ),
    ] = None,
    size: Annotated[float, Option(min=0.001, help="GB of an answer at most.")] = 4.0,
    upload: Annotated[float, Option(min=0.001, help="MB of a request, with its tables.")] = 32.0,
    workers: Annotated[int, Option(min=1, help="Queries at once.")] = 2,
    keep: Annotated[float, Option(min=0.001, help="Days that jobs are kept.")] = 7.0,
    disk: Annotated[float, Option(min=0.001, help="GB of all jobs that are kept.")] = 20.0,
    rate: Annotated[
        float | None, Option(min=0.01, help="Requests a second that one address may make.")
    ] = None,
    patience: Annotated[
        float, Option(min=0.1, help="Seconds that a request may take to come.")
    ] = 20.0,
    jobs: Annotated[
        Path | None, Option(help="Folder of the copy that is served, and of jobs; beside it.")
    ] = None,
    log: Annotated[
        Path | None, Option(help="File for a line of JSON on every request; else to stderr.")
    ] = None,
    quiet: options.Quiet = False,
    catalog: options.Catalog = options.CATALOG,
) -> None:
    """Let others ask the catalogue, a survey or a release, with TOPCAT, pyvo, Aladin: by TAP."""
    from zoolens.catalog.errors import needs

    needs("zoolens serve", "starlette", "serve")
    from zoolens.catalog.runtime.environment import memory_of_machine
    from zoolens.catalog.serve.asking import Limits
    from zoolens.catalog.serve.settings import Settings
    from zoolens.jobs import serve as job

    if memory is None:
        memory = min(max(memory_of_machine() / 2 / workers / 1e9, 1.0), 4.0)
    bytes_, longest = round(memory * 1e9), round(size * 1e9)
    threads = max(1, (os.cpu_count() or 1) // workers)
    settings = Settings(
        host=host,
        port=port,
        token=token,
        url=url,
        rows=min(rows, most_rows),
        most_rows=most_rows,
        workers=workers,
        at_once=Limits(timeout, bytes_, longest, threads),
        later=Limits(job_timeout, bytes_, longest, threads),
        upload=round(upload * 1e6),
        keep=round(keep * 86_400),
        disk=round(disk * 1e9),
        rate=rate,
        patience=patience,
    )
    with nullcontext(sys.stderr) if log is None else _appended(log) as lines:
        job.serve(
            catalog,
            settings,
            say=lambda words: shell.remark(f"serve    {words}"),
            log=lambda line: _write(line, lines),
            jobs=jobs,
            follow=every if follow else None,
        )


def _write(line: str, lines: TextIO) -> None:
    """Write a line of the log, where there is no room for it to stderr."""
    try:
        echo(line, file=lines)
    except OSError:
        echo(line, err=True)


def _appended(log: Path) -> TextIO:
    from zoolens.catalog.errors import CatalogError

    try:
        return log.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise CatalogError(f"{log} cannot be written to: {error.strerror}") from None
