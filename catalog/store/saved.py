"""A catalogue saved in another file, as it was committed, while a job may write to it."""

import time
from pathlib import Path

import duckdb

from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.runtime.files import check_file, replacing
from zoolens.catalog.store.connection import refuse_other
from zoolens.catalog.store.failures import read_failure
from zoolens.catalog.store.log import log_path
from zoolens.catalog.store.schema import connect
from zoolens.catalog.store.snapshot import copy_whole

_PATIENCE = 20.0  # seconds in which a copy has to be done between two checkpoints


def save(path: Path, out: Path) -> None:
    """Save a catalogue as `out`, in this version's tables and views, whole or not at all.

    Raises `CatalogError` if it is none, `CatalogBusy` if it changes too fast, or this process has
    it open.
    """
    check_file(path, "catalogue")
    deadline = time.monotonic() + _PATIENCE
    with replacing(out) as part:
        while not _copied(path, part):
            if time.monotonic() > deadline:
                raise CatalogBusy(f"{path} changes faster than it can be copied; try again")
            time.sleep(0.2)
        try:
            refuse_other(part)
            with duckdb.connect(str(part)) as connection:
                connection.execute("CHECKPOINT")  # what was in its log is in the file now
            connect(part, read_only=False).close()
        except (duckdb.Error, CatalogError) as error:
            said = error if isinstance(error, CatalogError) else read_failure(path, error)
            # the name of the copy says nothing to anybody
            words = str(said).replace(str(part), str(path)).replace(part.name, path.name)
            raise type(said)(words) from None
        finally:
            log_path(part).unlink(missing_ok=True)


def _copied(path: Path, out: Path) -> bool:
    """Copy a catalogue and its log; whether no checkpoint came in between."""
    log = log_path(out)
    with out.open("wb+", buffering=0) as file, log.open("wb+", buffering=0) as log_file:
        try:
            whole = copy_whole(path, file, log_file)
        except OSError as error:
            raise CatalogError(f"{path} could not be copied: {error.strerror}") from None
    if not log.stat().st_size or not whole:
        log.unlink()
    return whole


def changed(path: Path) -> tuple[int, ...]:
    """What tells whether a catalogue was written to: it is another then."""
    found: list[int] = []
    for file in (path, log_path(path)):
        try:
            stat = file.stat()
            found += [stat.st_ino, stat.st_size, stat.st_mtime_ns]
        except OSError:
            found += [0, 0, 0]
    return tuple(found)
