"""Users' own SQL over a catalogue: it can read the catalogue and nothing else."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from zoolens.catalog.deprecated import tell_of_query
from zoolens.catalog.errors import CatalogError, QueryRefused
from zoolens.catalog.output.answer import Answer
from zoolens.catalog.runtime.bounds import Bounds, bounded, out_of_memory
from zoolens.catalog.store.connection import CLOSED
from zoolens.catalog.store.failures import BLOCK_FAILURES, read_failure
from zoolens.catalog.store.snapshot import look
from zoolens.catalog.store.views import VIEWS

# DuckDB's prefix to the message if a query fails while its rows are being fetched.
_LATE = "Attempting to execute an unsuccessful or closed pending query result\nError: "

_NAMED = """FROM (FROM duckdb_columns() WHERE database_name = current_database()) c
JOIN (FROM duckdb_views() WHERE database_name = current_database()) v
    ON v.schema_name = c.schema_name AND v.view_name = c.table_name
WHERE c.schema_name = 'main' AND NOT v.internal"""
_DICTIONARY = f"""
SELECT c.table_name AS "view", c.column_name AS "column", lower(c.data_type) AS type, c.comment
{_NAMED} ORDER BY v.view_oid, c.column_index
"""
_ONE_VIEW = f"""
SELECT c.column_name AS "column", lower(c.data_type) AS type, c.comment
{_NAMED} AND v.view_name = '{{}}' ORDER BY c.column_index
"""
# The views, and the names of their columns: short, for a terminal.
OVERVIEW = f"""
SELECT v.view_name AS "view", string_agg(c.column_name, ', ' ORDER BY c.column_index) AS columns
{_NAMED} GROUP BY v.view_name, v.view_oid ORDER BY v.view_oid
"""
TIMEOUT = 3600.0  # seconds
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


# The steps whose results a query reads if it has the name of one of their views.
_STEPS = {view.name: view.job for view in VIEWS if view.job} | {"worst": "score"}


def steps_read(query: str | None) -> set[str]:
    """The jobs whose views a query names; none if it reads `history`."""
    words = set(re.findall(r"\w+", (query or "").lower()))
    return set() if "history" in words else {job for view, job in _STEPS.items() if view in words}


def _warn(catalog: Path, connection: duckdb.DuckDBPyConnection, query: str | None) -> None:
    """Warn of outdated steps whose views a query names, and of what it names that is to go."""
    tell_of_query(query)
    if named := steps_read(query):
        from zoolens.catalog.store.outdated import warn_of  # loads more than most queries need
        from zoolens.catalog.store.store import Store

        warn_of(Store(catalog, connection), *named)


def closed(memory: float | None = None) -> dict[str, Any]:
    """Settings of a connection for users' own SQL; memory: GB, DuckDB's own limit unless given."""
    limit = {} if memory is None else {"memory_limit": f"{max(1, round(memory * 1e6))}KB"}
    return {**limit, **CLOSED}


@contextmanager
def closed_query(
    catalog: Path,
    query: str | None,
    *,
    memory: float | None = None,
    timeout: float = TIMEOUT,
    end: Callable[[str], object] | None = None,
) -> Iterator[Answer]:
    """The answer to one SELECT; without a query, the data dictionary of the views.

    query: may also be the name of a public view, whose columns it then shows. memory: what it
    may take, GB, DuckDB's own limit unless given; timeout: seconds until the last row is read.
    end: called, with the reason, where DuckDB does not heed that it is to stop.

    Rows stream while the context is open. If this process has another connection to the
    catalogue, the query may use files, extensions and memory as that one may. Raises
    `QueryRefused` with DuckDB's own message if the query is wrong, `CatalogError` for
    anything that is not one query, or that takes too much.
    """
    connection = look(catalog, closed(memory)).connection
    try:
        _warn(catalog, connection, query)
        with answered(connection, catalog, query, memory, timeout, end) as answer:
            yield answer
    finally:
        connection.close()


@contextmanager
def answered(
    connection: duckdb.DuckDBPyConnection,
    catalog: Path,
    query: str | None,
    memory: float | None,
    timeout: float,
    end: Callable[[str], object] | None,
) -> Iterator[Answer]:
    """`closed_query` over a connection to a catalogue, or to a survey, that is closed in."""
    try:
        connection.execute("BEGIN TRANSACTION READ ONLY")  # EXPLAIN ANALYZE runs what it explains
        held = _memory_limit(connection) if memory is None else round(memory * 1e9)
        bounds = Bounds(timeout, held)
        # some of DuckDB's functions take memory that it does not count, and heed no interrupt
        with bounded(bounds, connection.interrupt, end), _as_user_error(catalog, bounds):
            result = connection.execute(_statement(connection, query))
            columns = [column[0] for column in result.description or ()]
            yield Answer(columns, _rows(result, catalog, bounds), lambda: result.to_arrow_reader())
    finally:
        connection.interrupt()  # else closing waits for the end of a query that nobody needs


def _statement(connection: duckdb.DuckDBPyConnection, query: str | None) -> duckdb.Statement:
    """The one query that there is. Raises `CatalogError` if there is none, or more than one."""
    if query is None:
        query = _DICTIONARY
    elif query.strip() in {view.name for view in VIEWS}:
        query = _ONE_VIEW.format(query.strip())
    statements = connection.extract_statements(query)
    kinds = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if not statements:
        raise CatalogError("there is no query; give one SELECT")
    if len(statements) != 1 or statements[0].type not in kinds:
        raise CatalogError(
            "the catalogue is read-only, one SELECT at a time"
            + ("; write PIVOT with IN (...)" if len(statements) == 2 else "")
        )
    return statements[0]


def _memory_limit(connection: duckdb.DuckDBPyConnection) -> int:
    """Bytes that DuckDB may hold, by default four fifths of the machine's memory."""
    row = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    number, unit = str(row and row[0]).split()
    return round(float(number) * _UNITS[unit])


def _rows(
    result: duckdb.DuckDBPyConnection, catalog: Path, bounds: Bounds
) -> Iterator[tuple[Any, ...]]:
    with _as_user_error(catalog, bounds):
        while rows := result.fetchmany(10_000):
            yield from rows


@contextmanager
def _as_user_error(catalog: Path, bounds: Bounds) -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, CatalogError, OSError) as error:  # OSError: through Arrow
        exceeded = bounds.exceeded
        if "Out of Memory Error" in str(error):
            exceeded = exceeded or out_of_memory(bounds.memory)
        if exceeded is not None:
            raise CatalogError(f"the query was stopped: {exceeded}") from None
        if isinstance(error, BLOCK_FAILURES) or "Corrupt database" in str(error):
            raise read_failure(catalog, error) from None
        if isinstance(error, duckdb.Error):
            raise QueryRefused(str(error).removeprefix(_LATE)) from None
        raise
