"""The tables of a release in one DuckDB file, from which they are served.

Each Parquet file becomes a table of its name, and `described` says what the tables and columns
hold, as the files' own schemas do. Maps, which are lists of rows, become lists, row-major.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.store.connection import connect_to_copy
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.foreign import Foreign, settings_of
from zoolens.catalog.store.overview import Overview
from zoolens.catalog.store.own_columns import quoted
from zoolens.catalog.store.published import VOTABLE, Published, standard_tables

NAME = "release.duckdb"
_DESCRIBED = "described"
_GRID = "FLOAT[][]"
_TREE = "SELECT question, answer, label, asked_after FROM answers ORDER BY rowid"


class ReleasedTable(NamedTuple):
    """A table of a release: its name, its Parquet file, and what a row is."""

    name: str
    file: Path
    row: str


def save_release(tables: Sequence[ReleasedTable], about: str, out: Path) -> None:
    """Save the tables of a release as one file, whole or not at all.

    about: what the release is, in a sentence. Raises `CatalogError` for what is no table.
    """
    with replacing(out) as part:
        part.unlink()  # DuckDB makes its own
        try:
            with duckdb.connect(str(part)) as connection:
                said = [row for table in tables for row in _saved(connection, table, about)]
                columns = zip(*said, strict=True)
                given = pa.table([pa.array(values, pa.string()) for values in columns], _SAID)
                connection.register("given", given)
                connection.execute(f"CREATE TABLE {_DESCRIBED} AS SELECT * FROM given")
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise CatalogError(f"the release cannot be served: {reason}") from None


_SAID = ["about", "name", "row", "column", "type", "description", "unit", "ucd", "arraysize"]


def _saved(
    connection: duckdb.DuckDBPyConnection, table: ReleasedTable, about: str
) -> Iterator[tuple[str, ...]]:
    """Save a table; what it and its columns hold."""
    name, file = quoted(table.name), [str(table.file)]
    found = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", file).fetchall()
    kinds = {str(row[0]): str(row[1]) for row in found}
    listed = ", ".join(
        f"flatten({quoted(column)}) AS {quoted(column)}" if kind == _GRID else quoted(column)
        for column, kind in kinds.items()
    )
    connection.execute(f"CREATE TABLE {name} AS SELECT {listed} FROM read_parquet(?)", file)
    with pq.ParquetFile(table.file) as parquet:
        schema = parquet.schema_arrow
    for field, (column, kind) in zip(schema, kinds.items(), strict=True):
        size = ""
        if kind == _GRID:
            size, kind = _size(connection, table.file, column), "FLOAT[]"
        if kind not in VOTABLE:
            raise CatalogError(f"column {column} of table {table.name} is of type {kind}")
        said = meaning(field)
        words = (said.description, said.unit, said.ucd)
        yield (about, table.name, table.row, column, kind, *words, size)


def _size(connection: duckdb.DuckDBPyConnection, file: Path, column: str) -> str:
    """The size of all grids of a column, width by height; empty if they differ."""
    grid = quoted(column)
    sizes = connection.execute(
        f"SELECT DISTINCT len({grid}[1]), len({grid}) FROM read_parquet(?) "
        f"WHERE {grid} IS NOT NULL LIMIT 2",
        [str(file)],
    ).fetchall()
    return "x".join(map(str, sizes[0])) if len(sizes) == 1 else ""


@contextmanager
def opened_release(path: Path, query: str = "", *, memory: int, threads: int) -> Iterator[Foreign]:
    """What `save_release` saved, open for one query; memory: bytes that DuckDB may hold.

    Raises `CatalogError` if it cannot be read.
    """
    try:
        connection = connect_to_copy(path, settings_of(memory, threads))
    except duckdb.Error as error:
        raise CatalogError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    try:
        yield Foreign(connection, _published(connection))
    finally:
        connection.close()


def look_over_release(path: Path, *, memory: int) -> tuple[list[Published], Overview]:
    """The tables that others may ask of a release, and what it holds; there are no runs in it."""
    with opened_release(path, memory=memory, threads=1) as foreign:
        held = {table.name: table for table in foreign.tables if not table.standard}
        named = {column.name for column in held["galaxies"].columns}
        placed = "count(CASE WHEN dec IS NOT NULL THEN ra END)" if {"ra", "dec"} <= named else "0"
        ((galaxies, positions),) = foreign.rows(f"SELECT count(*), {placed} FROM galaxies")
        tree = foreign.rows(_TREE) if "answers" in held else []
        filled = {name for name in held if foreign.rows(f"SELECT 1 FROM {quoted(name)} LIMIT 1")}
    answers = tuple(
        (question, answer, label, tuple(filter(None, (after or "").split(","))))
        for question, answer, label, after in tree
    )
    return foreign.tables, Overview(galaxies, positions, False, answers, (), frozenset(filled))


def _published(connection: duckdb.DuckDBPyConnection) -> list[Published]:
    rows = connection.execute(f"SELECT * FROM {_DESCRIBED} ORDER BY rowid").fetchall()
    columns: dict[tuple[str, str, str], list[Column]] = {}
    for about, name, row, column, kind, words, unit, ucd, size in rows:
        made = Column(column, kind, words, unit, ucd, arraysize=size)
        columns.setdefault((name, row, about), []).append(made)
    tables = [
        Published("zoolens", name, f"One row per {row}.", tuple(held), ("main", name), about=about)
        for (name, row, about), held in columns.items()
    ]
    return tables + standard_tables()
