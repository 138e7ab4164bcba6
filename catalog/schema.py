"""Connecting to a catalogue file and bringing its schema to this version."""

from pathlib import Path

import duckdb

from catalog import paths
from catalog.errors import CatalogBusy, CatalogError

# The newest migration; a test compares it with Alembic's own head, which takes
# a second to ask for.
HEAD = "0001"


def connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, with the user's mistakes told as `CatalogError`."""
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error):
            holder = str(error).partition("held in ")[2].partition(". ")[0] or "another process"
            raise CatalogBusy(
                f"{path} is in use by {holder}; wait for it to end, or stop it"
            ) from None
        raise CatalogError(f"{path} cannot be opened: {str(error).splitlines()[0]}") from None
    except duckdb.Error as error:
        raise CatalogError(f"{path} is no DuckDB file: {str(error).splitlines()[0]}") from None


def schema_version(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The migration a catalogue stands at; None for an empty file.

    Raises `CatalogError` for a DuckDB file that is no catalogue.
    """
    tables = {row[0] for row in connection.execute("SHOW TABLES").fetchall()}
    if "alembic_version" in tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if row is not None:
            return str(row[0])
    elif tables:
        raise CatalogError("it holds tables of something else, and is no Zoolens catalogue")
    return None


def migrate(path: Path) -> None:
    """Bring a catalogue, or an empty file, to `HEAD`.

    Raises `CatalogError` where it is newer than this code or something else.
    """
    with connect(path, read_only=False) as connection:
        try:
            version = schema_version(connection)
        except CatalogError as error:
            raise CatalogError(f"{path} cannot be used: {error}") from None
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise CatalogError(
            f"{path} was written by a newer Zoolens (schema {version}, this one knows {HEAD}); "
            "update Zoolens"
        )
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    config = Config()
    config.set_main_option("script_location", str(paths.MIGRATIONS).replace("%", "%%"))
    engine = create_engine(f"duckdb:///{path}")
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
