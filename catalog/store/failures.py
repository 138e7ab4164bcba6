"""What to tell a user where DuckDB fails: each kind of failure has its own true sentence."""

import errno
import fcntl
import re
from pathlib import Path

import duckdb

from zoolens.catalog.errors import CatalogBusy, CatalogError

# What may come of the file, the disk or the machine; other errors of DuckDB are mistakes of ours.
BLOCK_FAILURES = (duckdb.FatalException, duckdb.SerializationException)
_FAILURES = (
    *BLOCK_FAILURES,
    duckdb.IOException,
    duckdb.InternalException,
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
)
# Tables, columns or values that are not as Zoolens made them: another program was at them.
_OTHER_TABLES = (duckdb.CatalogException, duckdb.BinderException)
_ALTERED = (
    *_OTHER_TABLES,
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.OutOfRangeException,
)
READ_FAILURES = (*_FAILURES, *_ALTERED, UnicodeDecodeError)
# Depending on the moment, a full disk is also a failed transaction.
WRITE_FAILURES = (*_FAILURES, *_OTHER_TABLES, duckdb.TransactionException)

_NO_ROOM = re.compile(
    r"No space left|quota exceeded|File too large|Could not write|max_temp_directory_size"
    r"|Failed to create directory|Could not truncate|Read-only file system|duckdb_temp_",
    re.I,
)
_NOT_OPENED = re.compile(r"Cannot open (file|database)|Permission denied|version number")
_HARMED = re.compile(r"corrupt|checksum|replaying WAL|read enough|Could not read|end of file", re.I)
RESTORE = "restore it from a copy, together with that copy's .wal or, if it has none, without any"


def read_failure(path: Path, error: Exception) -> CatalogError:
    """The error for a read of a catalogue that DuckDB could not do."""
    reason = _reason(error)
    if isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in reason:
        return CatalogError(f"a query of {path} was interrupted; ask again")
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in reason:
        return CatalogError(
            f"a query of {path} needs more memory than it may have ({reason}); ask for less at a "
            "time, or free memory"
        )
    if "Could not set lock" in reason:
        return _not_locked(path, reason)
    if _NO_ROOM.search(reason):
        return CatalogError(
            f"a query of {path} did not fit into memory, nor onto the disk ({reason}); is the "
            "disk full, or the folder read-only?"
        )
    if isinstance(error, _ALTERED):
        return CatalogError(f"{path} is not as Zoolens made it ({reason}); {RESTORE}")
    if isinstance(error, duckdb.IOException) and _NOT_OPENED.search(reason):
        return CatalogError(f"{path} cannot be opened: {reason}")
    if isinstance(error, duckdb.IOException) and not _HARMED.search(reason):
        return CatalogError(
            f"{path} could not be read ({reason}); is its disk there? Then run again"
        )
    return damaged(path, reason)


def write_failure(path: Path, error: Exception) -> CatalogError:
    """The error for a write to a catalogue that DuckDB could not do."""
    reason = " ".join(str(error).split())
    if isinstance(error, duckdb.TransactionException) or _NO_ROOM.search(reason):
        return CatalogError(
            f"{path} could not be written ({reason}); is the disk full, or the folder "
            "read-only? Then run again"
        )
    return read_failure(path, error)


def damaged(path: Path, reason: str) -> CatalogError:
    """The error for a file that does not hold what it should."""
    return CatalogError(f"{path} is damaged ({reason}); {RESTORE}")


def _not_locked(path: Path, reason: str) -> CatalogError:
    """Who holds a file, if somebody does: some file systems have no locks."""
    holder = re.search(r"held in (.*?)\(PID ([1-9]\d*)\)", reason)
    if holder is None and _has_no_locks(path):
        return CatalogError(
            f"{path} is on a file system without locks, so that two jobs could write to it at "
            "once; move it to a local disk"
        )
    who = f"{holder[1]}(PID {holder[2]})" if holder else "another process, perhaps elsewhere"
    busy = CatalogBusy(f"{path} is in use by {who}; wait for it to end, or stop it")
    busy.pid = int(holder[2]) if holder else None
    return busy


def _has_no_locks(path: Path) -> bool:
    """Whether the system says so, asked for a lock. This process must not have the file open."""
    try:
        with path.open("rb") as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
    return False


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
