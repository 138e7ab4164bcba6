"""A connection to the catalogue file: queries as Arrow, transactions, bounded memory.

What DuckDB finds damaged, and what it could not write, becomes an error of one line that
says what to do.
"""

import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.store.connection import is_shared
from zoolens.catalog.store.failures import (
    READ_FAILURES,
    WRITE_FAILURES,
    read_failure,
    write_failure,
)
from zoolens.catalog.store.log import begin_log
from zoolens.catalog.store.schema import connect
from zoolens.catalog.store.snapshot import look
from zoolens.catalog.store.writers import begin_writing, end_writing, writes_here

_ROW_GROUP = 122_880  # rows that DuckDB compresses and writes together
_MEMORY_A_THREAD = 128  # MiB, for what queries hold and keep
# MiB that DuckDB's write-ahead log may hold before a checkpoint. Its default of 16 is less than
# a shard of losses, so every such shard would wait for a checkpoint.
_LOG = 64


class Database:
    """An open catalogue file; a context manager that always closes it."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.writer: int | None = None  # the process that writes to it while `look` looks
        self._let_go: Callable[[], object] | None = None
        self._connection = connection
        self._in_transaction = False
        self._has_written = False
        self._merges = True

    @classmethod
    def open(cls, path: Path, *, create: bool = False, read_only: bool = False) -> Self:
        """Open the catalogue at `path`, migrating it to this version first.

        Raises `CatalogBusy` at once if another process holds it, `CatalogError`
        if it does not exist (and `create` is off), is not a catalogue, or is newer
        than this code.
        """
        _refuse_absent(path, create=create)
        if read_only:
            return cls(path, connect(path, read_only=True))
        begin_writing(path)
        try:
            database = cls(path, _connect_to_write(path))
        except BaseException:
            end_writing(path)
            raise
        database._let_go = weakref.finalize(database, end_writing, path)
        return database

    @classmethod
    def look(cls, path: Path) -> Self:
        """Open the catalogue at `path` to look at: also while another process writes to it.

        What it shows then is a copy of the last committed state, which is said on stderr.
        Raises as `open` does.
        """
        _refuse_absent(path)
        found = look(path)
        database = cls(path, found.connection)
        database.writer = found.writer or (os.getpid() if writes_here(path) else None)
        return database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
        if self._let_go is not None:
            self._let_go()

    # --- reading

    def reader(self) -> Self:
        """The same catalogue, as committed, for another thread to read; close it after use."""
        return type(self)(self.path, self._connection.cursor())

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The answer to a query as an Arrow table."""
        with self._failing_in_one_line():
            return self._connection.execute(sql, list(parameters)).to_arrow_table()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The answer to a query of a few rows, as Python values."""
        with self._failing_in_one_line():
            return self._connection.execute(sql, list(parameters)).fetchall()

    def batches(self, sql: str, parameters: Sequence[Any], rows: int) -> pa.RecordBatchReader:
        """The answer to a query as it arrives, at most `rows` rows at a time.

        For answers that do not fit in memory. Read it to the end before the next query.
        """
        with self._failing_in_one_line():
            found = self._connection.execute(sql, list(parameters)).to_arrow_reader(rows)
        return pa.RecordBatchReader.from_batches(found.schema, self._readable(found))

    def _readable(self, batches: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        """The same batches; what DuckDB fails at meanwhile comes from Arrow, as `OSError`."""
        while True:
            try:
                batch = batches.read_next_batch()
            except StopIteration:
                return
            except (OSError, pa.ArrowException) as error:
                raise read_failure(self.path, duckdb.IOException(str(error))) from error
            yield batch

    def bound_memory(self, scratch: Path) -> None:
        """Limit queries to the memory that jobs have; the rest goes to the folder `scratch`.

        By default DuckDB keeps what it has read, up to most of the machine's memory. If this
        process has other connections to the file, nothing is changed.
        """
        if is_shared(self._connection):
            return
        quoted = str(scratch).replace("'", "''")
        self._connection.execute(f"SET temp_directory = '{quoted}'")
        _bound_memory(self._connection)

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first value of the first row, or None."""
        with self._failing_in_one_line():
            row = self._connection.execute(sql, list(parameters)).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def _failing_in_one_line(self) -> Iterator[None]:
        """Turn what fails by the file, the disk or the machine into `CatalogError`."""
        try:
            yield
        except READ_FAILURES as error:
            raise read_failure(self.path, error) from error

    # --- writing

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one writing statement, for changes that need no data from outside the database.

        Raises `CatalogError` if the disk did not take it.
        """
        try:
            self._before_write()
            self._connection.execute(sql, list(parameters))
        except WRITE_FAILURES as error:
            raise write_failure(self.path, error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A block whose statements all take effect, or none.

        Raises `CatalogError` if the disk did not take them.
        """
        try:
            self._before_write()
            self._connection.execute("BEGIN")
            self._in_transaction = True
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            # the failed statement may have ended the transaction already
            with suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
            if isinstance(error, WRITE_FAILURES):
                raise write_failure(self.path, error) from error
            raise
        finally:
            self._in_transaction = False

    def _before_write(self) -> None:
        """See to it that the log that the write goes to begins with its mark."""
        if not self._in_transaction:
            begin_log(self._connection, self.path, first=not self._has_written)
            self._has_written = True

    def reconnect(self) -> None:
        """Open the file again, because a failure may have ended the connection."""
        self._connection.close()
        self._connection = _connect_to_write(self.path)
        if not self._merges:
            self.append_only()

    def append_only(self) -> None:
        """Leave what checkpoints have written as it lies, until this is closed.

        By default a checkpoint merges what lies in less than a row group with what is new, and
        writes both again. Rows of 4 kB, as of posteriors, are then written three times, and half
        a gigabyte of them is held in memory. What is deleted keeps its place in the file.
        """
        self._merges = False
        self._connection.execute("SET max_vacuum_tasks = 0")

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table, by the names of their columns."""
        self._before_write()
        # in parts, so that several cores write
        parts = rows.to_batches(max_chunksize=_ROW_GROUP)
        self._connection.register("incoming", pa.Table.from_batches(parts, rows.schema))
        self._connection.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM incoming')
        self._connection.unregister("incoming")


def _refuse_absent(path: Path, *, create: bool = False) -> None:
    """Raises `CatalogError` if no catalogue is at a path, nor may be created there."""
    if path.is_dir():
        raise CatalogError(f"{path} is a folder without a survey.json; {_instead(path)}")
    if not path.exists():
        if not create:
            raise CatalogError(
                f"no catalogue at {path}; make one with: zoolens ingest VOTES (or --images FOLDER)"
            )
        if not path.parent.is_dir():
            raise CatalogError(f"no folder {path.parent} to put {path.name} in")


def _instead(folder: Path) -> str:
    """What to give in place of a folder that is no survey."""
    inside = sorted(path for path in folder.glob("*.duckdb") if path.is_file())
    surveys = sorted(path.parent for path in folder.glob("*/survey.json"))
    if len(inside) + len(surveys) == 1:
        return f"did you mean --catalog {(inside + surveys)[0]}?"
    if inside or surveys:
        there = few([path.name for path in inside + surveys])
        return (
            f"give one of the catalogues in it, such as --catalog {(inside + surveys)[0]}: {there}"
        )
    for above in folder.resolve().parents:
        if (above / "survey.json").is_file():
            return f"it lies in a survey: --catalog {above}"
    return (
        "--catalog takes a file such as gz.duckdb, or the folder of a survey, which zoolens ingest "
        "TABLE --survey --catalog FOLDER makes"
    )


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
