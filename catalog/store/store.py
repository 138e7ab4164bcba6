"""The catalogue file: open, migrate, lock, and the ledger of runs.

All bulk data goes in and out as Arrow. A job's work is cut into shards; a shard's
tables and its row in the ledger commit together, so a killed job resumes where it
stopped, with nothing lost and nothing twice.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import numpy as np
import pyarrow as pa

from zoolens.catalog import decision_tree
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.runtime.files import checksum, stamp
from zoolens.catalog.store.schema import connect, damaged, is_shared
from zoolens.catalog.store.views import newest

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


@dataclass(frozen=True)
class Run:
    """One run of a job, as the ledger has it.

    `complete` is True where an earlier, identical run already finished: the job
    then only adds what has come since. `again` is True where another run of the job was
    asked for in between, so that the views come to show this one once more.
    """

    run_id: int
    job: str
    config: Mapping[str, Any]
    model_sha256: str | None
    complete: bool
    again: bool = False


class Store:
    """An open catalogue; a context manager that always closes it."""

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

    def reader(self) -> "Store":
        """The same catalogue, as committed, for another thread to read; close it after use."""
        return Store(self.path, self._connection.cursor())

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The answer to a query as an Arrow table."""
        with self._telling_damage():
            return self._connection.execute(sql, list(parameters)).to_arrow_table()

    def batches(self, sql: str, parameters: Sequence[Any], rows: int) -> pa.RecordBatchReader:
        """The answer to a query as it comes, so many rows at a time.

        For answers that do not fit in memory; to be read to the end before the next query.
        """
        with self._telling_damage():
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
        with self._telling_damage():
            row = self._connection.execute(sql, list(parameters)).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def _telling_damage(self) -> Iterator[None]:
        """DuckDB checks what it reads: a block that is not as it was written is an error."""
        try:
            yield
        except _DAMAGE as error:
            raise damaged(self.path, error) from error

    @property
    def tree(self) -> DecisionTree:
        """The decision tree of this catalogue.

        Raises `CatalogError` where nothing was ingested yet.
        """
        name = self.value("SELECT value FROM setting WHERE name = 'tree'")
        if name is None:
            raise CatalogError(f"{self.path} is empty; fill it with: zoolens ingest VOTES")
        rows = self._connection.execute(
            "SELECT question, answer, asked_after FROM answer ORDER BY answer_id"
        ).fetchall()
        return decision_tree.from_rows(name, rows)

    def newest_run(self, job: str) -> int:
        """The run that the public views of a job show.

        Raises `CatalogError` where no run of the job is complete.
        """
        run_id = self.value(newest(job))
        if run_id is None:
            raise CatalogError(f"{self.path} has no complete {job} run; do first: zoolens {job}")
        return int(run_id)

    def run(self, run_id: int) -> Run:
        """A run by number."""
        row = self._connection.execute(
            "SELECT job, config, model_sha256, status FROM run WHERE run_id = ?", [run_id]
        ).fetchone()
        if row is None:
            raise UnknownName(f"no run {run_id} in {self.path}")
        return Run(run_id, row[0], json.loads(row[1]), row[2], row[3] == "complete")

    # --- writing

    def begin(
        self,
        job: str,
        config: Mapping[str, Any],
        *,
        model_sha256: str | None = None,
        origin: Mapping[str, str] | None = None,
    ) -> Run:
        """The run for this work: a new one, or the one that did or began it before.

        The same job with the same configuration (checksums of its inputs among
        it), model and code is the same run, so that what was interrupted resumes
        and what came since is added. `origin`, the paths that the inputs came from,
        is recorded in the configuration of a new run but tells no runs apart.
        """
        canonical = json.dumps({**config, "origin": dict(origin or {})}, sort_keys=True)
        identity = json.dumps([job, config, model_sha256, code_version()], sort_keys=True)
        fingerprint = hashlib.sha256(identity.encode()).hexdigest()
        found = self.value("SELECT max(run_id) FROM run WHERE fingerprint = ?", [fingerprint])
        if found is not None:
            return self._again(self.run(int(found)))
        run_id = int(self.value("SELECT coalesce(max(run_id), 0) + 1 FROM run"))
        now = _now()
        self.execute(
            "INSERT INTO run VALUES (?, ?, ?, 'running', ?, NULL, ?, ?, ?, ?)",
            [run_id, job, fingerprint, now, canonical, model_sha256, code_version(), now],
        )
        return self.run(run_id)

    def _again(self, run: Run) -> Run:
        """A run that is asked for again: unless it is the last one of its job, it becomes that."""
        last = self.value("SELECT max_by(run_id, asked_at) FROM run WHERE job = ?", [run.job])
        if last == run.run_id:
            return run
        self.execute("UPDATE run SET asked_at = ? WHERE run_id = ?", [_now(), run.run_id])
        return replace(run, again=run.complete)

    def set_tree(self, tree: DecisionTree) -> None:
        """Give an empty catalogue its tree, whole or not at all.

        Raises `CatalogError` where it already has another one.
        """
        name = self.value("SELECT value FROM setting WHERE name = 'tree'")
        if name is not None:
            if self.tree != tree:
                raise CatalogError(
                    f"{self.path} holds {name} votes, not {tree.name}; "
                    "keep another tree in another --catalog"
                )
            return
        rows = [
            (int(q), question.name, answer, f"{question.name}_{answer}", question.asked_after)
            for q, question in enumerate(tree.questions)
            for answer in question.answers
        ]
        answers = pa.table(
            {
                "answer_id": list(range(len(rows))),
                "question_id": [row[0] for row in rows],
                "question": [row[1] for row in rows],
                "answer": [row[2] for row in rows],
                "label": [row[3] for row in rows],
                "asked_after": [",".join(row[4]) for row in rows],
            }
        )
        settings = pa.table({"name": ["tree"], "value": [tree.name]})
        with self.transaction():
            self._insert("answer", answers)
            self._insert("setting", settings)

    def shards(self, run: Run) -> set[str]:
        """Names of the shards of a run that are committed."""
        rows = self._connection.execute("SELECT name FROM shard WHERE run_id = ?", [run.run_id])
        return {row[0] for row in rows.fetchall()}

    def commit(self, run: Run, name: str, tables: Mapping[str, pa.Table]) -> None:
        """Append a shard's tables and its ledger row in one transaction.

        tables: by table name, without the column `run_id`, which is added. Raises
        `ValueError` where the shard is already there, `CatalogError` where the disk did not
        take it.
        """
        if name in self.shards(run):
            raise ValueError(f"shard {name} of run {run.run_id} is already committed")
        rows = 0
        try:
            with self.transaction():
                for table, given in tables.items():
                    number = pa.array(np.full(len(given), run.run_id, np.int32))
                    self._insert(table, given.append_column("run_id", number))
                    rows += len(given)
                ledger = {"run_id": [run.run_id], "name": [name], "rows": [rows]}
                self._insert("shard", pa.table({**ledger, "committed_at": [_now()]}))
        except CatalogError:
            # a full disk at a checkpoint reports failure although the commit holds
            self._connection.close()
            self._connection = _connect_to_write(self.path)
            if name not in self.shards(run):
                raise

    def finish(self, run: Run) -> None:
        """Mark a run complete: from now on the public views show it."""
        self.execute(
            "UPDATE run SET status = 'complete', finished_at = ? WHERE run_id = ?",
            [_now(), run.run_id],
        )

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

    # --- files beside the catalogue

    def note_file(self, path: Path, sha256: str) -> None:
        """Remember what a file beside the catalogue was like when it had a checksum."""
        noted = json.dumps({"sha256": sha256, "stamp": stamp(path)})
        with self.transaction():
            self.execute("DELETE FROM setting WHERE name = ?", [_file_setting(path)])
            self.execute("INSERT INTO setting VALUES (?, ?)", [_file_setting(path), noted])

    def file_is_sound(self, path: Path, sums: Collection[str]) -> bool:
        """Whether a file beside the catalogue is there and has one of some checksums.

        It is read from end to end, unless its size and time of change are still those
        that were noted when it was written.
        """
        found = stamp(path)
        if found is None:
            return False
        noted = json.loads(
            self.value("SELECT value FROM setting WHERE name = ?", [_file_setting(path)]) or "{}"
        )
        if noted.get("stamp") == [*found] and noted.get("sha256") in sums:
            return True
        return checksum(path) in sums

    def _insert(self, table: str, rows: pa.Table) -> None:
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


def _file_setting(path: Path) -> str:
    # not the catalogue's own name, under which it may be copied
    return f"file {''.join(path.suffixes[-2:])}"


def code_version() -> str:
    """Version of the installed Zoolens."""
    try:
        return version("zoolens")
    except PackageNotFoundError:
        return "unknown"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
