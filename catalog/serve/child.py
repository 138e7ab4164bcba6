"""One request of a stranger's, answered by a process of its own that can do nothing else.

Before it reads the query it gives up, by the kernel: memory beyond a limit, the processor beyond a
time, files longer than a limit; and while DuckDB is at work it can open no file and no socket. An
alarm that nothing handles ends it when its time is over, whatever it does then. What it says goes
to a pipe: a line of JSON, and the answer.
"""

import ctypes
import errno
import json
import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb
import pyarrow as pa

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.votable_reading import read_votable
from zoolens.catalog.paths import index_path
from zoolens.catalog.serve.adql.functions import also_read
from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.adql.reserved import written
from zoolens.catalog.serve.adql.translate import Translated, translate
from zoolens.catalog.serve.adql.where import at_in
from zoolens.catalog.serve.asking import (
    Asked,
    Limits,
    Listing,
    Product,
    Request,
    scratch_of,
    too_much,
)
from zoolens.catalog.serve.links.listing import VIEWS, links_of, listed
from zoolens.catalog.serve.opening import opened_to_ask
from zoolens.catalog.serve.tap.formats import Answer, format_of
from zoolens.catalog.serve.tap.rows import described_schema, plain
from zoolens.catalog.serve.telling import DISK, code_of, is_full, is_memory, words_of
from zoolens.catalog.store.foreign import Foreign
from zoolens.catalog.store.release_file import NAME
from zoolens.catalog.survey.folder import is_survey, read_survey

_BATCH = 8_192  # rows
_THREADS_SPACE = 1 << 29  # bytes of address space for stacks and allocators, which is not memory
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def run(catalog: str, asked: Request, limits: Limits, pipe: Connection) -> None:
    """Answer a request into a pipe, as a process of its own: it ends with it."""
    os.setpgid(0, 0)
    _give_up(limits, _mapped(Path(catalog)) if isinstance(asked, Product) else 0)
    with os.fdopen(os.dup(pipe.fileno()), "wb", buffering=0) as out:
        pipe.close()
        try:
            for part in _parts(Path(catalog), asked, limits):
                out.write(part)
        except BrokenPipeError:
            pass  # whoever asked has gone
        except BaseException as error:  # so that who asks is told what it was
            os._exit(code_of(error))
    os._exit(0)  # nothing is left to do, and DuckDB may be


def _parts(catalog: Path, asked: Request, limits: Limits) -> Iterator[bytes]:
    if isinstance(asked, Product):
        return _made(catalog, asked, limits)
    return _said(catalog, asked, limits)


def _said(catalog: Path, asked: Asked | Listing, limits: Limits) -> Iterator[bytes]:
    """The line that says how it went, then the answer. Raises what breaks it off."""
    begun = False
    try:
        with _scratch() as scratch:
            ways = _answer if isinstance(asked, Asked) else _listed
            parts = ways(catalog, asked, limits, scratch)  # type: ignore[arg-type]
            first = next(parts)
            begun = True
            yield _line(status="ok")
            yield first
            yield from parts
    except Exception as error:
        said = words_of(error, catalog, limits)
        if said is None:
            raise
        if begun:
            raise CatalogError(said) from None
        yield _line(status="error", message=said, full=is_full(error))


@contextmanager
def _scratch() -> Iterator[Path]:
    """The folder for what this process writes."""
    folder = scratch_of(os.getpid())
    folder.mkdir(exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made(catalog: Path, asked: Product, limits: Limits) -> Iterator[bytes]:
    """The line that says how it went, then what was made of a galaxy."""
    from zoolens.catalog.serve.products.making import make  # loads much that queries do not need

    try:
        with _scratch() as scratch:
            made = make(catalog, asked, limits.threads, scratch, catalog.parent / "maps")
        yield _line(status="ok", mime=made.mime, name=made.name, size=len(made.body))
        yield made.body
    except Exception as error:
        said = words_of(error, catalog, limits)
        if said is None:
            raise
        absent = isinstance(error, CatalogError)
        yield _line(status="error", message=said, absent=absent, full=is_full(error))


def _line(**said: str | int) -> bytes:
    return json.dumps(said).encode() + b"\n"


def _answer(catalog: Path, asked: Asked, limits: Limits, scratch: Path) -> Iterator[bytes]:
    form = format_of(asked.form)
    bounds = {"memory": limits.memory, "threads": limits.threads}
    with opened_to_ask(catalog, also_read(asked.query), **bounds) as (foreign, told):
        _take_in(foreign, asked)
        query = translate(asked.query, foreign.tables, asked.rows + 1)
        if query.has_geometry:
            foreign.add_macros()
        foreign.add_functions(query.called.macros, query.called.reads)
        _check_names(foreign, query)
        foreign.add_views(query.used)
        if any(name.startswith("tap_schema.") for name in query.used):
            foreign.add_tap_schema(written)
        with _as_user_error(asked.query, query, limits):
            columns = foreign.sized(query.columns)
            reader = foreign.answer(query.sql, _BATCH)
            schema = described_schema(reader.schema, columns)
            batches = _batches(reader, schema, asked.query, query, limits)
            infos = {"QUERY": asked.query, "PROVIDER": "Zoolens"}
            infos |= {f"WARNING_{number}": words for number, words in enumerate(told, start=1)}
            address = "" if catalog.name == NAME else asked.links
            descriptor = links_of(schema, query.columns, address)
            answer = Answer(schema, batches, asked.rows, infos, descriptor)
            yield from form.write(answer, scratch)


def _listed(catalog: Path, asked: Listing, limits: Limits, scratch: Path) -> Iterator[bytes]:
    if catalog.name == NAME:
        raise CatalogError("a release has tables alone: there are no links to give; ask TAP")
    with opened_to_ask(catalog, VIEWS, memory=limits.memory, threads=limits.threads) as (
        foreign,
        _,
    ):
        yield from listed(foreign, asked, scratch)


def _check_names(foreign: Foreign, query: Translated) -> None:
    for given in query.called.given:
        try:
            foreign.check_name(given.kind, given.name)
        except UnknownName as error:
            raise AdqlError(f"{given.at}: {error}") from None


def _take_in(foreign: Foreign, asked: Asked) -> None:
    for name, file in asked.uploads:
        foreign.add_upload(name, read_votable(Path(file)))


def _batches(
    reader: pa.RecordBatchReader, schema: pa.Schema, text: str, query: Translated, limits: Limits
) -> Iterator[pa.RecordBatch]:
    """The rows of an answer; no file can be opened while DuckDB makes them."""
    while True:
        with _as_user_error(text, query, limits), _no_new_files():
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
        yield plain(batch, schema)


@contextmanager
def _as_user_error(text: str, query: Translated, limits: Limits) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        if is_memory(error):
            raise CatalogError(too_much(limits)) from None
        if getattr(error, "errno", None) in (errno.EPIPE, *DISK):
            raise
        raise at_in(text, query.sql, str(error)) from None


@contextmanager
def _no_new_files() -> Iterator[None]:
    """A block in which this process can open nothing: no file, no socket, no pipe."""
    _, hard = before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def _mapped(catalog: Path) -> int:
    """Bytes of the similarity indexes, whose pages are in the address space, not in memory."""
    from zoolens.catalog.similarity.files import KINDS

    found = read_survey(catalog).paths if is_survey(catalog) else [catalog]
    beside = [index_path(path, kind) for path in found for kind in KINDS]
    return sum(path.stat().st_size for path in beside if path.exists())


def _give_up(limits: Limits, mapped: int = 0) -> None:
    """Limits that the kernel keeps, and an alarm; mapped: bytes of files that may be mapped."""
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with_parent = ctypes.CDLL(None).prctl
    with_parent(_DIE_WITH_PARENT, signal.SIGKILL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    seconds = round(limits.seconds * limits.threads) + 2
    space = _address_space() + round(1.5 * limits.memory) + _THREADS_SPACE + mapped
    for name, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, limits.size),
        (resource.RLIMIT_AS, space),
    ):
        resource.setrlimit(name, (most, most))


def _address_space() -> int:
    """Bytes of address space that this process has now; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
