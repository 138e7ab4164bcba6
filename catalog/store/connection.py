"""Opening a DuckDB file, also where this process has it open already.

DuckDB opens a file once per process, with the settings of the first connection to it, and
locks it against other processes. Closing the file anywhere in the process gives up that lock
(POSIX), so nothing else in the process may open it while DuckDB has it.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any

import duckdb

from zoolens.catalog import paths
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.runtime.files import check_file
from zoolens.catalog.store.failures import read_failure
from zoolens.catalog.store.log import has_log, refuse_foreign_log

_LOCK, _ACCESS = "lock_configuration", "enable_external_access"
# Settings for a user's own SQL: it can read the catalogue and nothing else on the machine.
CLOSED: dict[str, Any] = {
    _ACCESS: False,
    "allow_community_extensions": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "temp_directory": "",
    _LOCK: True,
}

_HEADERS = 3 * 4096  # bytes that DuckDB writes first into a new file
_LOOKS = 25  # at a file that is shorter
_MOMENTS = 10  # that a file may be longer and not yet what it will be
_UNFINISHED = "not a valid DuckDB database"
# Held from looking whether a file is open here until it is: no other thread may open it then.
_ONE_AT_A_TIME = Lock()


def is_shared(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether this process has other connections to the file, which share its settings."""
    row = connection.execute("SELECT count FROM duckdb_connection_count()").fetchone()
    return row is not None and row[0] > 1


def open_file(path: Path, read_only: bool, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection to a DuckDB file, whatever it holds; for writing, it is created if absent.

    Raises as `catalog.store.schema.connect` does.
    """
    if path.exists():
        check_file(path, "catalogue")
    try:
        with _ONE_AT_A_TIME:
            return _open(path, read_only, settings)
    except duckdb.ConnectionException:
        for_writing = "" if read_only else "read-only, or "
        raise CatalogBusy(
            f"{path} is open in this program, {for_writing}with settings of its own; close that "
            "connection first"
        ) from None
    except duckdb.BinderException:
        raise CatalogBusy(
            f"{path} is attached to another connection of this program; DETACH it there first"
        ) from None
    except duckdb.Error as error:
        raise read_failure(path, error) from None


def attach_file(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a DuckDB file to a connection, to be read there under a name.

    Nothing else in this process may open it while it is attached: what does would give up its lock.
    Raises as `catalog.store.schema.connect` does.
    """
    if path.exists():
        check_file(path, "catalogue")
    try:
        with _ONE_AT_A_TIME:
            refuse_other(path)
            if paths.open_here(path) is not None:
                raise CatalogBusy(f"{path} is open in this program; close that connection first")
            _refuse_foreign_log(path)
            connection.execute(attaching(path, name))
    except duckdb.Error as error:
        raise read_failure(path, error) from None


def attaching(path: Path, name: str) -> str:
    """SQL that attaches a file under a name, to read it."""
    text, quoted = str(path).replace("'", "''"), name.replace('"', '""')
    return f"""ATTACH '{text}' AS "{quoted}" (READ_ONLY)"""


def _open(path: Path, read_only: bool, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A new connection, or one more to a file that this process has open already."""
    refuse_other(path)
    held = paths.open_here(path)
    if held is not None:
        connection = _join(path, read_only, held)
        if is_shared(connection):
            return connection
        # whoever has the file open does not have it by DuckDB
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.close()
    _refuse_foreign_log(path)
    return _set_up(_connected(path, read_only, settings), settings)


def refuse_other(path: Path) -> None:
    """Raises `CatalogError` if a file is no database of DuckDB's."""
    if not _is_database(path):
        raise CatalogError(f"{path} is no catalogue, nor any DuckDB file; choose another file")


def _refuse_foreign_log(path: Path) -> None:
    """Raises `CatalogError` if the log beside a file that is not open here is not its own."""
    if has_log(path):
        with duckdb.connect(str(path), read_only=True) as connection:
            refuse_foreign_log(connection, path)


def _connected(path: Path, read_only: bool, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A new connection; waits a moment for a file that another process has just begun."""
    for _ in range(_MOMENTS):
        try:
            return duckdb.connect(str(path), read_only=read_only, config=_config(settings))
        except duckdb.IOException as error:
            if _UNFINISHED not in str(error):
                raise
            time.sleep(0.05)
    return duckdb.connect(str(path), read_only=read_only, config=_config(settings))


def _set_up(
    connection: duckdb.DuckDBPyConnection, settings: dict[str, Any]
) -> duckdb.DuckDBPyConnection:
    _quieten(connection)
    if settings.get(_LOCK):
        connection.execute("SET lock_configuration = true")
    return connection


def connect_to_none(settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection without a file of its own, to attach some to; `close_in` it then."""
    open_ = {name: value for name, value in settings.items() if name not in (_LOCK, _ACCESS)}
    connection = duckdb.connect(config=open_)
    _quieten(connection)
    return connection


def close_in(connection: duckdb.DuckDBPyConnection, settings: dict[str, Any]) -> None:
    """Let a connection read what is attached to it and nothing else, if the settings say so."""
    for name in (_ACCESS, _LOCK):
        if name in settings:
            connection.execute(f"SET {name} = {settings[name]}")


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether this process has a file not open; it will not open it while the context is."""
    with _ONE_AT_A_TIME:
        yield paths.open_here(path) is None


def connect_to_copy(path: Path, settings: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection to a file that nobody else can know, whose folder will not stay.

    Raises what DuckDB raises.
    """
    scratch = Path(tempfile.gettempdir()) / f"zoolens-{token_hex(8)}.tmp"  # made if it is needed
    config = {"temp_directory": str(scratch), **_config(settings)}
    free = config.pop(_ACCESS, True)  # closed too early, DuckDB would not follow the links
    connection = duckdb.connect(str(path), read_only=True, config=config)
    if not free:
        connection.execute(f"SET {_ACCESS} = false")
    return _set_up(connection, settings)


def _join(path: Path, read_only: bool, held: int) -> duckdb.DuckDBPyConnection:
    """A connection to a file that this process has open, with the settings that it has there.

    DuckDB does not say what those settings are, so each possibility is tried. Writing is tried
    first: it fails if the file is attached to another database of this process. Reading would
    not: DuckDB would open the file twice, and closing one would give up the lock of the other.
    held: a descriptor of the file.
    """
    ways: list[tuple[bool, dict[str, Any]]] = [(False, {})]
    if read_only:
        ways += [(True, {}), (True, _config(CLOSED))]
    for mode, config in ways:
        try:
            connection = duckdb.connect(str(path), read_only=mode, config=config)
        except duckdb.ConnectionException:
            continue
        except duckdb.BinderException:
            _lock_again(held)
            raise
        with suppress(duckdb.InvalidInputException):  # where the configuration is locked
            _quieten(connection)
        return connection
    raise duckdb.ConnectionException


def _lock_again(held: int) -> None:
    """Lock a file again: DuckDB drops the lock when it finds the file attached elsewhere."""
    import fcntl  # here and not above: only systems with such locks have it

    for_writing = fcntl.fcntl(held, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
    with suppress(OSError):  # another process was faster
        fcntl.lockf(held, (fcntl.LOCK_EX if for_writing else fcntl.LOCK_SH) | fcntl.LOCK_NB)


def _config(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings to connect with; the one that locks them comes last."""
    return {name: value for name, value in settings.items() if name != _LOCK}


def _quieten(connection: duckdb.DuckDBPyConnection) -> None:
    # DuckDB draws its own progress bar on standard output if a query takes seconds. By the PRAGMA:
    # SET fails in a notebook without ipywidgets
    connection.execute("PRAGMA disable_progress_bar")


def _is_database(path: Path) -> bool:
    """Whether a file is a DuckDB database; DuckDB also opens other files, as tables to read."""
    try:
        for _ in range(_LOOKS):
            if paths.is_database(path):
                return True
            if path.stat().st_size >= _HEADERS:
                return False
            time.sleep(0.02)  # another process may be creating it
    except OSError:  # absent, or unreadable: DuckDB then says what is wrong
        return True
    return False
