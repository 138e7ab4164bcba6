"""Connecting to a catalogue, and bringing its tables and views to this version."""

import re
from pathlib import Path
from typing import Any

import duckdb

from zoolens.catalog import paths
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.store.connection import is_shared, open_file
from zoolens.catalog.store.failures import RESTORE, read_failure, write_failure
from zoolens.catalog.store.own_columns import DEFINITIONS, OwnColumn
from zoolens.catalog.store.views import VIEWS, statements, views_sha256

# The newest migration. Alembic could say it, but that takes a second; a test compares the two.
HEAD = "0014"


def connect(
    path: Path, *, read_only: bool, settings: dict[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection to a catalogue, brought to this version; for writing, created if absent.

    If this process has another connection to the file, DuckDB has it open once for both, as
    that one opened it: `settings` then have no effect, and the connection may be for writing
    although `read_only` was asked for. Raises `CatalogBusy` at once if another process holds
    the file, and `CatalogError` if another connection of this one holds it in a way that cannot
    be shared, or if it is not a catalogue, damaged, or newer than this code.
    """
    if read_only and not path.exists():
        raise CatalogError(
            f"no catalogue at {path}; make one with: zoolens ingest VOTES (or --images FOLDER)"
        )
    connection = open_file(path, read_only, settings or {})
    try:
        version = _version(connection, path)
        current = version == HEAD and _views(connection) == views_sha256()
        shared = is_shared(connection)
    except duckdb.Error as error:
        connection.close()
        raise read_failure(path, error) from None
    except BaseException:
        connection.close()
        raise
    if current:
        return connection
    connection.close()
    if version is not None and not re.fullmatch(r"\d{4}", version):
        raise CatalogError(f"{path} has a schema {version!r} that no Zoolens gave it; {RESTORE}")
    if version is not None and version > HEAD:
        raise CatalogError(
            f"{path} was written by a newer Zoolens (schema {version}, this one knows {HEAD}); "
            "update Zoolens"
        )
    if shared:
        raise CatalogBusy(
            f"{path} has to be brought to this version of Zoolens, and another connection of "
            "this program holds it; close that one first"
        )
    _bring_here(path)
    return open_file(path, read_only, settings or {})


def written_schema(path: Path) -> str | None:
    """The last migration that a catalogue has had, which is left as it is; None for an empty file.

    Raises `CatalogBusy` if another process writes to it, `CatalogError` if it is none.
    """
    connection = open_file(path, True, {})
    try:
        return _version(connection, path)
    except duckdb.Error as error:
        raise read_failure(path, error) from None
    finally:
        connection.close()


def is_brought_here(path: Path) -> bool:
    """Whether a catalogue has the tables and views of this version; it is left as it is.

    Raises as `written_schema` does.
    """
    connection = open_file(path, True, {})
    try:
        return is_current(connection)
    except duckdb.Error as error:
        raise read_failure(path, error) from None
    finally:
        connection.close()


def is_current(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a catalogue that is open has the tables and views of this version."""
    try:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return version == (HEAD,) and _views(connection) == views_sha256()
    except duckdb.CatalogException:  # no such tables
        return False


def _bring_here(path: Path) -> None:
    """Bring a catalogue to this version, holding it, unless somebody else just did."""
    connection = open_file(path, False, {})
    try:
        if (version := _version(connection, path)) != HEAD:
            if version is not None:  # migrations leave views as they were at their time
                connection.execute("DELETE FROM setting WHERE name = 'views_sha256'")
            _upgrade(connection)
        if _views(connection) != views_sha256():
            _make_views(connection)
    except duckdb.Error as error:
        raise write_failure(path, error) from None
    finally:
        connection.close()


def _version(connection: duckdb.DuckDBPyConnection, path: Path) -> str | None:
    """The last migration that a catalogue has had; None for an empty file."""
    tables = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    if "alembic_version" in tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return "" if row is None else str(row[0])
    if tables:
        raise CatalogError(
            f"{path} holds other tables ({', '.join(sorted(tables)[:3])}) and is no Zoolens "
            "catalogue; choose another file"
        )
    return None


def _views(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The checksum of the SQL that made the views of a catalogue; None if there are none."""
    sql = "SELECT value FROM setting WHERE name = 'views_sha256'"
    row = connection.execute(sql).fetchone()
    return None if row is None else str(row[0])


def _make_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the public views again, in one transaction."""
    connection.execute("BEGIN")
    standing = connection.execute(
        "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    ours = {view.name for view in VIEWS}  # somebody else's views stay, wherever they are
    for schema, name in standing:
        if schema in ("main", "history") and name in ours:
            connection.execute(f'DROP VIEW "{schema}"."{name}"')
    connection.execute("CREATE SCHEMA IF NOT EXISTS history")
    own = [OwnColumn(*row) for row in connection.execute(DEFINITIONS, [0]).fetchall()]
    for statement in statements(own):
        connection.execute(statement)
    connection.execute("DELETE FROM setting WHERE name = 'views_sha256'")
    connection.execute("INSERT INTO setting VALUES ('views_sha256', ?)", [views_sha256()])
    connection.execute("COMMIT")


def _upgrade(held: duckdb.DuckDBPyConnection) -> None:
    """Run the migrations up to `HEAD`, in one transaction.

    They go over the connection that holds the file, so that nobody can come in between. Raises
    what DuckDB raises.
    """
    # imported here: it takes a second, and is rarely needed
    from alembic import command
    from alembic.config import Config
    from duckdb_engine import ConnectionWrapper
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(paths.MIGRATIONS).replace("%", "%%"))
    engine = create_engine("duckdb://", creator=lambda: ConnectionWrapper(held.cursor()))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise error.orig or error from None
    finally:
        engine.dispose()
