"""What is asked of a process that answers a query, and what it may take."""

import tempfile
from dataclasses import dataclass
from pathlib import Path


def scratch_of(process: int) -> Path:
    """The folder of what a process that answers writes; gone with it, however that ends."""
    return Path(tempfile.gettempdir()) / f"zoolens-query-{process}"


@dataclass(frozen=True)
class Limits:
    """What a query may take: seconds, bytes of memory, bytes of its answer; threads."""

    seconds: float = 60.0
    memory: int = 1 << 30
    size: int = 1 << 32
    threads: int = 2


@dataclass(frozen=True)
class Asked:
    """A query: its text, the name of a format, the most rows, tables that came with it.

    uploads: VOTables, by the name of the table.
    """

    query: str
    form: str
    rows: int
    uploads: tuple[tuple[str, str], ...] = ()
