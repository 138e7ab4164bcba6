"""A catalogue open for one query of a stranger's: TAP's tables, functions, and an uploaded table.

What a query may do is decided before (`catalog.serve.adql.translate`); here DuckDB is closed once
more: it has no files, extensions, variables or settings, and reads the catalogue alone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.store import private
from zoolens.catalog.store.connection import CLOSED
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.functions import AS_MAPS, SHAPE, SIMILARITIES, maps
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.overview import JOBS, Overview, overview
from zoolens.catalog.store.own_columns import DEFINITIONS, OwnColumn, quoted
from zoolens.catalog.store.published import UPLOADS, Published, published, tap_schema, uploaded
from zoolens.catalog.store.query import steps_read
from zoolens.catalog.store.snapshot import look
from zoolens.catalog.store.sphere import MACROS
from zoolens.catalog.store.store import Store

# Where names of each kind are: the column, and the table.
_NAMES = {
    "galaxy": ("iauname", "galaxies"),
    "question": ("question", "answers"),
    "label": ("label", "answers"),
}


class Foreign:
    """A catalogue, or a survey, that is open for one query; tables: those that may be asked."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, tables: list[Published]) -> None:
        self._connection, self.tables = connection, tables

    def add_macros(self) -> None:
        """Make the functions of `catalog.store.sphere` known."""
        for macro in MACROS:
            self._connection.execute(macro)

    def add_functions(self, macros: Collection[str], reads: Collection[str]) -> None:
        """Make functions of `catalog.store.functions` known, which read some tables.

        Raises `CatalogError` where there is no such table.
        """
        if lacking := sorted({*reads} - self._columns.keys()):
            raise CatalogError(f"there is no table {lacking[0]} here, which the function needs")
        for name in macros & SIMILARITIES.keys():
            self._connection.execute(SIMILARITIES[name])
        if macros - SIMILARITIES.keys():
            for macro in maps(blobs=self._columns["saliency"]["mean"].type == "BLOB"):
                self._connection.execute(macro)

    def check_name(self, kind: str, name: str) -> None:
        """Raises `UnknownName` for a galaxy, question or label that is not there."""
        column, view = _NAMES[kind]
        known = f"FROM main.{view} WHERE {column} IS NOT NULL"
        sql = f"SELECT 1 {known} AND {column} = ? LIMIT 1"
        if self._connection.execute(sql, [name]).fetchone() is None:
            near = self._connection.execute(
                f"SELECT DISTINCT {column}, jaro_winkler_similarity({column}, ?) {known} "
                "ORDER BY 2 DESC, 1 LIMIT 3",
                [name],
            ).fetchall()
            hint = f"; nearest: {', '.join(str(row[0]) for row in near)}" if near else ""
            raise UnknownName(f"no {kind} {name!r}{hint}")

    def sized(self, columns: Sequence[Column]) -> list[Column]:
        """Columns of an answer, those of maps with the size of all maps, if they have one."""
        if not any(column.arraysize == AS_MAPS for column in columns):
            return [*columns]
        size = self._columns["saliency"]["mean"].arraysize
        if not size:
            shapes = self._connection.execute(SHAPE).fetchall()
            size = "x".join(map(str, shapes[0])) if len(shapes) == 1 else ""
        return [
            column._replace(arraysize=size) if column.arraysize == AS_MAPS else column
            for column in columns
        ]

    @property
    def _columns(self) -> dict[str, dict[str, Column]]:
        """The columns of the tables in the first schema, by name."""
        return {
            table.name: {column.name: column for column in table.columns}
            for table in self.tables
            if table.schema == "zoolens"
        }

    def add_views(self, used: set[str]) -> None:
        """Make what is in place of tables that a query uses, by whole name (`store.private`)."""
        for view in private.views(self.tables, used):
            self._connection.execute(view)

    def add_tap_schema(self, written: Callable[[str], str]) -> None:
        """Make the tables of TAP_SCHEMA; written: as `tap_schema` has it."""
        self.add(tap_schema([t for t in self.tables if t.schema != UPLOADS], written))

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Make tables, by name, that last as long as the connection."""
        for name, rows in tables.items():
            self._connection.register("given", rows)
            self._connection.execute(f"CREATE TEMP TABLE {quoted(name)} AS SELECT * FROM given")
            self._connection.unregister("given")

    def add_upload(self, name: str, rows: pa.Table) -> None:
        """Make an uploaded table `tap_upload.<name>`."""
        table = uploaded(name, rows.schema)
        self.add({table.place[1]: rows})
        self.tables.append(table)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query of our own."""
        return self._connection.execute(sql).fetchall()

    def answer(
        self, sql: str, rows: int, parameters: Mapping[str, Any] | None = None
    ) -> pa.RecordBatchReader:
        """The answer to a query, as it arrives, at most `rows` rows at a time.

        parameters: what stands for `$name` in a query of our own. Raises what DuckDB raises.
        """
        self._connection.execute("BEGIN TRANSACTION READ ONLY")
        return self._connection.execute(sql, dict(parameters or {})).to_arrow_reader(rows)


@contextmanager
def opened(path: Path, query: str = "", *, memory: int, threads: int) -> Iterator[Foreign]:
    """A catalogue open for one query; memory: bytes that DuckDB may hold.

    Warns (`Outdated`) of what the query reads that was made before the present votes or images.
    Raises as `catalog.store.schema.connect` does.
    """
    with _looked(path, settings_of(memory, threads)) as connection:
        store = Store(path, connection)
        warn_of(store, *sorted(steps_read(query)))
        yield Foreign(connection, private.without_folders(published(_own(store))))


def look_over(path: Path, *, memory: int) -> tuple[list[Published], Overview]:
    """The tables that others may ask of a catalogue, and what it holds.

    Warns (`Outdated`) of all that was made before the present votes or images.
    """
    with _looked(path, settings_of(memory, 1)) as connection:
        store = Store(path, connection)
        warn_of(store, *JOBS)
        return published(_own(store)), overview(store)


@contextmanager
def _looked(path: Path, settings: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = look(path, settings).connection
    try:
        yield connection
    finally:
        connection.close()


def _own(store: Store) -> list[OwnColumn]:
    return [OwnColumn(*row) for row in store.rows(DEFINITIONS, [0])]


def settings_of(memory: int, threads: int) -> dict[str, Any]:
    """Settings of a connection for a query that may take so many bytes and threads."""
    return {"memory_limit": f"{memory // 1000}KB", "threads": threads, **CLOSED}
