"""One job of this process at a time writes to a catalogue.

DuckDB's lock keeps other processes away; connections of one process share the file. Two jobs on
it would take each other's unfinished work for abandoned.
"""

import os
from pathlib import Path
from threading import Lock

from zoolens.catalog.errors import CatalogBusy

_GUARD = Lock()
_WRITTEN: set[Path] = set()


def begin_writing(path: Path) -> None:
    """Keep other jobs of this process from writing. Raises `CatalogBusy` if one writes."""
    with _GUARD:
        if path.resolve() in _WRITTEN:
            busy = CatalogBusy(
                f"another job of this program writes to {path}; wait for it to end, or stop it"
            )
            busy.pid = os.getpid()
            raise busy
        _WRITTEN.add(path.resolve())


def end_writing(path: Path) -> None:
    """Let other jobs write again."""
    with _GUARD:
        _WRITTEN.discard(path.resolve())


def writes_here(path: Path) -> bool:
    """Whether a job of this process writes to a catalogue."""
    with _GUARD:
        return path.resolve() in _WRITTEN
