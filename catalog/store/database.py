"""A connection to the catalogue file: queries as Arrow, transactions, bounded memory.

DuckDB checks what it reads, and says what it could not write: both become one line
that tells what to do.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.connection import damaged, is_shared
from zoolens.catalog.store.schema import connect

_ROW_GROUP = 122_880  # rows that DuckDB compresses and writes as one
_MEMORY_A_THREAD = 128  # MiB, for what queries hold and keep
# MiB that wait in DuckDB's log until the disk has them all in place. A shard of losses is
# above DuckDB's own 16, and would be waited for each time.
_LOG = 64
# What DuckDB raises where a file is not as it was written.
_DAMAGE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)
# What DuckDB raises, by its stage, where a disk is full or gone.
_DISK_ERRORS = (duckdb.TransactionException, duckdb.FatalException, duckdb.IOException)


class Database:
    """An open catalogue file; a context manager that always closes it."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, create: bool = False, read_only: bool = False) -> Self:
        """Open the catalogue at `path`, migrating it to this version first.

        Raises `CatalogBusy` at once where another process holds it, `CatalogError`
        where it does not exist (and `create` is off), is no catalogue, or is newer
        than this code.
        """
        if path.is_dir():
            raise CatalogError(f"{path} is a folder; --catalog takes a file such as gz.duckdb")
        if not path.exists():
            if not create:
                raise CatalogError(f"no catalogue at {path}; make one with: zoolens ingest VOTES")
            if not path.parent.is_dir():
                raise CatalogError(f"no folder {path.parent} to put {path.name} in")
        return cls(path, connect(path, read_only=True) if read_only else _connect_to_write(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    # --- reading

    def reader(self) -> Self:
        """The same catalogue, as committed, for another thread to read; close it after use."""
        return type(self)(self.path, self._connection.cursor())

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The answer to a query as an Arrow table."""
        with self._damage_as_error():
            return self._connection.execute(sql, list(parameters)).to_arrow_table()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a query of a few rows, as Python's own values."""
        with self._damage_as_error():
            return self._connection.execute(sql, list(parameters)).fetchall()

    def batches(self, sql: str, parameters: Sequence[Any], rows: int) -> pa.RecordBatchReader:
        """The answer to a query as it comes, so many rows at a time.

        For answers that do not fit in memory; to be read to the end before the next query.
        """
        with self._damage_as_error():
            return self._connection.execute(sql, list(parameters)).to_arrow_reader(rows)

    def bound_memory(self, scratch: Path) -> None:
        """Hold queries to the memory of jobs; what does not fit goes to the folder `scratch`.

        Left to itself DuckDB keeps what it has read, up to most of the machine's memory. A
        file that others of this process hold stays as they set it.
        """
        if is_shared(self._connection):
            return
        quoted = str(scratch).replace("'", "''")
        self._connection.execute(f"SET temp_directory = '{quoted}'")
        _bound_memory(self._connection)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first value of the first row, or None."""
        with self._damage_as_error():
            row = self._connection.execute(sql, list(parameters)).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def _damage_as_error(self) -> Iterator[None]:
        """DuckDB checks what it reads: a block that is not as it was written is an error."""
        try:
            yield
        except _DAMAGE as error:
            raise damaged(self.path, error) from error

    # --- writing

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """One writing statement, for what stays inside the database.

        Raises `CatalogError` where the disk did not take it.
        """
        try:
            self._connection.execute(sql, list(parameters))
        except _DISK_ERRORS as error:
            raise self._not_written(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Statements that hold together or not at all.

        Raises `CatalogError` where the disk did not take them.
        """
        self._connection.execute("BEGIN")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            # the failed statement may have ended the transaction already
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            if isinstance(error, _DISK_ERRORS):
                raise self._not_written(error) from error
            raise

    def _not_written(self, error: duckdb.Error) -> CatalogError:
        told = " ".join(str(error).split())
        return CatalogError(
            f"{self.path} could not be written ({told}); is the disk full, or the folder "
            "read-only? Then run again"
        )

    def reconnect(self) -> None:
        """Open the file again: what failed may have ended the connection."""
        self._connection.close()
        self._connection = _connect_to_write(self.path)

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table, by the names of their columns."""
        # cut up, so that each part is written by a core of its own
        parts = rows.to_batches(max_chunksize=_ROW_GROUP)
        self._connection.register("incoming", pa.Table.from_batches(parts, rows.schema))
        self._connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM incoming')
        self._connection.unregister("incoming")


def _connect_to_write(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection for jobs, whose memory does not grow with the catalogue."""
    connection = connect(path, read_only=False)
    if not is_shared(connection):
        connection.execute(f"SET checkpoint_threshold = '{_LOG}MiB'")
        _bound_memory(connection)
    return connection


def _bound_memory(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SELECT current_setting('threads')")
    threads = (connection.fetchone() or (1,))[0]
    connection.execute(f"SET memory_limit = '{max(256, _MEMORY_A_THREAD * threads)}MiB'")
