"""The catalogues of a survey under one connection: attached to look at, with views over all.

A view over all has the rows of the same view of every piece, and a column that names the piece,
since run numbers are each piece's own. It is made from the SQL of the piece's view, in which every
table is written with the piece's name and the runs that show as numbers: views of an attached file
do not find the tables of their own file, and DuckDB plans hundreds of such numbers in less time
than hundreds of queries for them.
"""

import os
import re
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb

from zoolens.catalog.errors import CatalogBusy
from zoolens.catalog.runtime.bounds import allow_files
from zoolens.catalog.store.connection import attach_file, attaching, close_in, connect_to_none
from zoolens.catalog.store.dictionary import PIECE
from zoolens.catalog.store.failures import read_failure
from zoolens.catalog.store.own_columns import DEFINITIONS, OwnColumn, quoted
from zoolens.catalog.store.schema import connect, is_current
from zoolens.catalog.store.shown import shown
from zoolens.catalog.store.snapshot import copied
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import UNRANKED, VIEWS, PublicView, comment_on_column, own_view

_BY_NAME = {view.name: view for view in VIEWS}
# What a view reads from, outside of quotes; names in our own SQL are lower case, words upper.
_SOURCE = re.compile(r"\"[^\"]*\"|'[^']*'|\b(FROM|JOIN)\s+(?:(history)\.)?([a-z_]+)\b")
_COMPARED = 2_000_000  # names compared at a time
_RANK = "row_number() OVER (ORDER BY weighted_ce DESC, iauname) AS rank"
# Words of a query that may ask about any view without its name.
_ABOUT_VIEWS = re.compile(r"duckdb_\w+|pg_\w+|information_schema|query|query_table|show|sqlite_\w+")


class Together:
    """An open survey; a context manager. Nothing else in this process may open its pieces.

    pieces: the catalogues by the names that they are attached under, in which a piece is asked
    alone: `FROM "Norder=2/Npix=37".main.galaxy`.
    """

    def __init__(self, pieces: Mapping[str, Path], settings: Mapping[str, Any]) -> None:
        """Attach all pieces, each as `look` has it, also while another process writes to it.

        settings: of the connection; those that close it in hold from `close_in` on. Raises as
        `catalog.store.schema.connect` does, if any piece is not there or cannot be read.
        """
        self.pieces = pieces
        self._settings = dict(settings)
        allow_files(len(pieces))
        self.connection = connect_to_none(self._settings)
        try:
            for name, path in pieces.items():
                _attach(self.connection, path, name)
        except BaseException:
            self.connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()

    def stores(self) -> Generator[tuple[str, Store], None, None]:
        """Each piece by name, to be read before the next is asked for."""
        try:
            for name, path in self.pieces.items():
                self.connection.execute(f"USE {quoted(name)}")
                yield name, Store(path, self.connection)
        finally:
            self.connection.execute("USE memory")

    def close_in(self) -> None:
        """From now on only what is attached can be read, if the settings say so."""
        close_in(self.connection, self._settings)

    def galaxies_twice(self, column: str) -> int:
        """How many values of a column of `galaxy` stand in several pieces.

        They are compared a part at a time, by their hashes: all would not fit in memory.
        """
        galaxies = " UNION ALL ".join(
            f"SELECT {column} AS value, {i} AS piece FROM {quoted(name)}.main.galaxy"
            for i, name in enumerate(self.pieces)
        )
        total = self._value(f"SELECT count(*) FROM ({galaxies})")
        parts = 1 + total // _COMPARED
        return sum(
            self._value(
                f"SELECT count(*) FROM (SELECT 1 FROM ({galaxies}) "
                f"WHERE hash(value) % {parts} = {part} "
                "GROUP BY value HAVING min(piece) < max(piece))"
            )
            for part in range(parts)
        )

    def _value(self, sql: str) -> int:
        ((value,),) = self.connection.execute(sql).fetchall()
        return int(value)

    def pieces_with(self, iauname: str) -> list[str]:
        """The pieces that show a galaxy of a name; of views `galaxies` must be made."""
        sql = "SELECT piece FROM memory.galaxies WHERE iauname = ? ORDER BY piece"
        return [name for (name,) in self.connection.execute(sql, [iauname]).fetchall()]

    def make_views(self, query: str | None = None) -> list[str]:
        """The public views over all pieces, in `main` and `history`, with their comments.

        query: only those views that it can ask. Returns which own columns, of these views, have
        another type or unit in one piece than in another, a sentence each.
        """
        wanted = _named(query)
        self.connection.execute("CREATE SCHEMA IF NOT EXISTS history")
        facts = {name: _facts(store, wanted) for name, store in self.stores()}
        own = {column.name: column for one in facts.values() for column in one.own[::-1]}
        for name in wanted:
            view = own_view([*own.values()]) if name == "own" else _BY_NAME[name]
            for schema in ("main",) if view.job is None else ("main", "history"):
                parts = [_of_piece(view, schema, *piece) for piece in facts.items()]
                made = f"memory.{schema}"
                sql = _together(view, parts)
                self.connection.execute(f"CREATE VIEW {made}.{name} AS {sql}")
                comments = view.comments(made)
                if has_piece(view):
                    comments.append(comment_on_column(made, name, PIECE))
                self.connection.execute(";".join(comments))
        return _unlike({name: one.own for name, one in facts.items()})


def open_together(
    pieces: Mapping[str, Path], settings: Mapping[str, Any] | None = None
) -> Together:
    """The catalogues of a survey, by name, under one connection."""
    return Together(pieces, settings or {})


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a catalogue, brought to this version; or a copy of it while it is written to."""
    for _ in range(2):
        try:
            attach_file(connection, path, name)
        except CatalogBusy as busy:
            if busy.pid in (None, os.getpid()):
                raise
            if copied(path, busy, partial(_attach_copy, connection, name)) is not None:
                return
            attach_file(connection, path, name)
        try:
            if _is_current(connection, name):
                return
        except duckdb.Error as error:
            raise read_failure(path, error) from None
        connection.execute(f"DETACH {quoted(name)}")
        connect(path, read_only=True).close()
    raise CatalogBusy(f"{path} is being changed by another program; ask again")


def _attach_copy(connection: duckdb.DuckDBPyConnection, name: str, copy: Path) -> bool | None:
    """Attach a copy; None if it is torn, or not of this version yet."""
    try:
        connection.execute(attaching(copy, name))
    except duckdb.Error:
        return None
    with suppress(duckdb.Error):
        if _is_current(connection, name):
            return True
    connection.execute(f"DETACH {quoted(name)}")
    return None


def _is_current(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    connection.execute(f"USE {quoted(name)}")
    try:
        return is_current(connection)
    finally:
        connection.execute("USE memory")


def _named(query: str | None) -> Collection[str]:
    """The views that a query can ask: those whose names are in it; all, if none is."""
    words = [] if query is None else re.findall(r"\w+", query.lower())
    found = [view.name for view in VIEWS if view.name in words]
    if not found or any(map(_ABOUT_VIEWS.fullmatch, words)):
        return [view.name for view in VIEWS]
    return found


class _Facts(NamedTuple):
    """The runs of each job that a piece shows, and the columns of the user's own that it has."""

    runs: dict[str, int | None]
    own: list[OwnColumn]


def _unlike(own: Mapping[str, Sequence[OwnColumn]]) -> list[str]:
    """Own columns, by piece, that have another type or unit than in the first piece with them."""
    first: dict[str, tuple[str, OwnColumn]] = {}
    said: dict[str, str] = {}
    for piece, columns in own.items():
        for column in columns:
            other, before = first.setdefault(column.name, (piece, column))
            if (before.type, before.unit) != (column.type, column.unit):
                told = f"{_of_type(column)} in {piece}, and {_of_type(before)} in {other}"
                said.setdefault(column.name, f"your column {column.name!r} is {told}")
    return [*said.values()]


def _of_type(column: OwnColumn) -> str:
    return f"{column.type} in {column.unit}" if column.unit else f"{column.type} without a unit"


def _facts(store: Store, views: Collection[str]) -> _Facts:
    """What some views over a piece need."""
    jobs = {job for view in views if (job := "score" if view == "worst" else _BY_NAME[view].job)}
    runs = {job: store.value(shown(job)) for job in jobs}
    own = store.rows(DEFINITIONS, [0]) if "own" in views else []
    return _Facts(runs, [OwnColumn(*row) for row in own])


def has_piece(view: PublicView) -> bool:
    """Whether rows tell their piece: not the answers, of which all have the same."""
    return view.name != "answers" and PIECE.name not in map(str.lower, view.columns)


def _of_piece(view: PublicView, schema: str, piece: str, facts: _Facts) -> str:
    """The query of a view for the rows of one piece."""
    sql = view.sql if schema == "history" else view.shown_sql
    if view.name == "worst":
        sql = UNRANKED
    elif view.name == "own":
        sql = own_view(facts.own).sql
    for job, run in facts.runs.items():
        sql = sql.replace(f"({shown(job)})", "NULL" if run is None else str(run))
    sql = _SOURCE.sub(partial(_qualified, quoted(piece)), sql)
    named = f", '{piece}' AS {PIECE.name}" if has_piece(view) else ""
    return f"SELECT *{named} FROM ({sql})"


def _qualified(piece: str, found: re.Match[str]) -> str:
    word, history, name = found.groups()
    if word is None:
        return found[0]
    if history is None:
        return f"{word} {piece}.main.{name}"
    inner = _SOURCE.sub(partial(_qualified, piece), _BY_NAME[name].sql)
    return f"{word} ({inner})"


def _together(view: PublicView, parts: list[str]) -> str:
    """The query of a view over all pieces."""
    if view.name == "answers":  # of the first that has a tree
        some = " UNION ALL ".join(f"SELECT *, {i} AS i FROM ({one})" for i, one in enumerate(parts))
        return f"SELECT * EXCLUDE (i) FROM ({some}) QUALIFY i = min(i) OVER () ORDER BY answer_id"
    every = " UNION ALL ".join(parts)
    if view.name == "own":  # each piece may have other columns
        every = " UNION ALL BY NAME ".join(parts)
        return f"SELECT {', '.join(map(quoted, _columns(view)))} FROM ({every})"
    return f"SELECT {_RANK}, * FROM ({every})" if view.name == "worst" else every


def _columns(view: PublicView) -> list[str]:
    return [*view.columns, *([PIECE.name] if has_piece(view) else [])]
