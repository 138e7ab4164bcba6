"""A catalogue while another process writes to it: as it was committed at a moment, in a copy.

DuckDB lets nobody read a file that another process writes to. But the blocks of its last checkpoint
stay as they are until the next one is done, which shows in the headers; and its log only grows. So
the beginning of the log, copied first, and the file, copied then, are what a kill at that moment
would have left, if the headers are the same before and after. The writer notices nothing.

A copy has no name, so that it is gone when its reader is, however that ends.
"""

import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

import duckdb

from zoolens.catalog.errors import CatalogBusy
from zoolens.catalog.runtime.progress import notice
from zoolens.catalog.runtime.signals import raise_if_interrupted
from zoolens.catalog.store.connection import CLOSED, alone, connect_to_copy
from zoolens.catalog.store.log import log_path
from zoolens.catalog.store.schema import connect, is_current

_PATIENCE = 20  # seconds in which a copy has to be done between two checkpoints
_HEADERS = 3 * 4096  # bytes of DuckDB's headers, at the beginning of a file
_PART = 1 << 26  # bytes that are copied between two looks at the headers
Opened = TypeVar("Opened")
# What is open without a name has one here.
_DESCRIPTORS = Path("/proc/self/fd") if Path("/proc/self/fd").is_dir() else Path("/dev/fd")


@dataclass(frozen=True)
class Look:
    """A connection to look at a catalogue.

    writer: the process that writes to it meanwhile, if one does; as_of: the moment whose state
    this is, if it is a copy.
    """

    connection: duckdb.DuckDBPyConnection
    writer: int | None = None
    as_of: datetime | None = None


# Copies that `keeping` holds, by the catalogue they are of.
_KEPT: dict[Path, Look] = {}


def look(path: Path, settings: dict[str, Any] | None = None) -> Look:
    """A connection to read a catalogue; while another process writes to it, to a copy of it.

    That it is a copy, and of when, is said on stderr. Raises as `connect` does; `CatalogBusy` only
    if no copy could be made within some seconds.
    """
    kept = _KEPT.get(path.resolve())
    if kept is not None:
        return Look(kept.connection.cursor(), kept.writer, kept.as_of)
    try:
        return Look(connect(path, read_only=True, settings=settings))
    except CatalogBusy as busy:
        if busy.pid in (None, os.getpid()):
            raise
        found = copied(path, busy, partial(_open_copy, settings or {}))
        if found is None:
            return Look(connect(path, read_only=True, settings=settings))
        connection, moment = found
        return Look(connection, busy.pid, moment)


@contextmanager
def keeping(path: Path) -> Iterator[Look]:
    """A look that all further looks at the catalogue share while the context is open."""
    # as `sql` opens it, which is so free of the caller's variables and files here too
    found = look(path, CLOSED)
    try:
        if found.as_of is not None:
            _KEPT[path.resolve()] = found
        yield found
    finally:
        _KEPT.pop(path.resolve(), None)
        found.connection.close()


def copied(
    path: Path, busy: CatalogBusy, opened: Callable[[Path], Opened | None]
) -> tuple[Opened, datetime] | None:
    """A copy of a catalogue that another process writes to, opened, and the moment it is of.

    opened: opens the copy at a path that will not stay; None if it is torn, or not of this version
    yet. That it is a copy is said on stderr. None if there is no room for one, or no time.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        raise_if_interrupted()
        with ExitStack() as files:
            try:
                file, log = (files.enter_context(_nameless(path.parent)) for _ in range(2))
                moment = datetime.now(UTC)
                whole = copy_whole(path, file, log)
            except OSError:  # no room, or the file is gone
                return None
            found = _open(file, log, opened) if whole else None
        if found is not None:
            when = f"of {moment:%Y-%m-%d %H:%M:%S} UTC"
            notice(f"{path} is being written by process {busy.pid}; this is its state {when}")
            return found, moment
        time.sleep(0.05)
    return None


def _nameless(folder: Path) -> IO[bytes]:
    """A file without a name, where a copy may share blocks with the original if possible."""
    try:
        return tempfile.TemporaryFile(dir=folder, buffering=0)
    except OSError:  # a folder of somebody else
        return tempfile.TemporaryFile(buffering=0)


def copy_whole(path: Path, file: IO[bytes], log: IO[bytes]) -> bool:
    """Copy a catalogue and its log into empty files; whether no checkpoint came in between."""
    with alone(path) as is_alone:
        if not is_alone:
            return False
        with path.open("rb") as live:
            before = _headers(live)
            with suppress(FileNotFoundError), log_path(path).open("rb") as live_log:
                _copy_bytes(live_log, log, lambda: None)

            def look_again() -> None:
                raise_if_interrupted()
                if _headers(live) != before:
                    raise _Overtaken

            try:
                _copy_bytes(live, file, look_again)
            except _Overtaken:
                return False
            return _headers(file) == before


class _Overtaken(Exception):
    """A checkpoint came while a file was copied."""


def _headers(file: IO[bytes]) -> bytes:
    return os.pread(file.fileno(), _HEADERS, 0)


def _copy_bytes(source: IO[bytes], target: IO[bytes], look_again: Callable[[], None]) -> None:
    """Copy what a file holds now, in the kernel where that can be done."""
    left, done = os.fstat(source.fileno()).st_size, 0
    while left > done:
        part = min(_PART, left - done)
        try:
            copied = os.copy_file_range(source.fileno(), target.fileno(), part, done, done)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", None) == errno.ENOSPC:
                raise
            copied = os.pwrite(target.fileno(), os.pread(source.fileno(), part, done), done)
        if not copied:  # the file has become shorter
            break
        done += copied
        look_again()


def _open(
    file: IO[bytes], log: IO[bytes], opened: Callable[[Path], Opened | None]
) -> Opened | None:
    """What opens a copy is given names of it and of its log."""
    with tempfile.TemporaryDirectory(prefix="zoolens-", ignore_cleanup_errors=True) as folder:
        name = Path(folder) / "gz.duckdb"
        name.symlink_to(_DESCRIPTORS / str(file.fileno()))
        name.with_name("gz.duckdb.wal").symlink_to(_DESCRIPTORS / str(log.fileno()))
        return opened(name)


def _open_copy(settings: dict[str, Any], path: Path) -> duckdb.DuckDBPyConnection | None:
    """A connection to a copy; None if it is torn, or not of this version yet."""
    try:
        connection = connect_to_copy(path, settings)
    except duckdb.Error:
        return None
    if is_current(connection):
        return connection
    connection.close()
    return None
