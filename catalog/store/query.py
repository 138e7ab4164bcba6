"""Users' own SQL over a catalogue: it can read the catalogue and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from zoolens.catalog.errors import CatalogError, QueryRefused
from zoolens.catalog.output.answer import Answer
from zoolens.catalog.store.connection import CLOSED
from zoolens.catalog.store.failures import BLOCK_FAILURES, read_failure
from zoolens.catalog.store.snapshot import look

# DuckDB's prefix to the message if a query fails while its rows are being fetched.
_LATE = "Attempting to execute an unsuccessful or closed pending query result\nError: "

_DICTIONARY = """
SELECT c.table_name AS "view", c.column_name AS "column", lower(c.data_type) AS type, c.comment
FROM duckdb_columns() c
JOIN duckdb_views() v ON v.schema_name = c.schema_name AND v.view_name = c.table_name
WHERE c.schema_name = 'main' AND NOT v.internal
ORDER BY v.view_oid, c.column_index
"""


@contextmanager
def closed_query(catalog: Path, query: str | None) -> Iterator[Answer]:
    """The answer to one SELECT; without a query, the data dictionary of the views.

    Rows stream while the context is open. If this process has another connection to the
    catalogue, the query may use files and extensions as that one may. Raises
    `QueryRefused` with DuckDB's own message if the query is wrong, `CatalogError` for
    anything that is not one query.
    """
    connection = look(catalog, CLOSED).connection
    try:
        connection.execute("BEGIN TRANSACTION READ ONLY")  # EXPLAIN ANALYZE runs what it explains
        with _as_user_error(catalog):
            statements = connection.extract_statements(query or _DICTIONARY)
            kinds = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
            if len(statements) != 1 or statements[0].type not in kinds:
                raise CatalogError(
                    "the catalogue is read-only, one SELECT at a time"
                    + ("; write PIVOT with IN (...)" if len(statements) == 2 else "")
                )
            result = connection.execute(statements[0])
            columns = [column[0] for column in result.description or ()]
        yield Answer(columns, _rows(result, catalog), lambda: result.to_arrow_reader())
    finally:
        connection.interrupt()  # else closing waits for the end of a query that nobody needs
        connection.close()


def _rows(result: duckdb.DuckDBPyConnection, catalog: Path) -> Iterator[tuple[Any, ...]]:
    with _as_user_error(catalog):
        while rows := result.fetchmany(10_000):
            yield from rows


@contextmanager
def _as_user_error(catalog: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        if isinstance(error, BLOCK_FAILURES) or "Corrupt database" in str(error):
            raise read_failure(catalog, error) from None
        raise QueryRefused(str(error).removeprefix(_LATE)) from None
