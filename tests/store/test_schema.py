from importlib import import_module
from pathlib import Path

import duckdb
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from zoolens.catalog import paths
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store import schema, views
from zoolens.catalog.store.dictionary import COLUMNS
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import metadata

# What a schema is, whichever way it was made.
_DESCRIPTIONS = {
    "columns": """SELECT c.schema_name, c.table_name, c.column_name, c.column_index, c.data_type,
        c.is_nullable, c.column_default, c.comment FROM duckdb_columns() c
        WHERE NOT c.internal AND c.table_name <> 'alembic_version' ORDER BY ALL""",
    "constraints": """SELECT table_name, constraint_type, constraint_text FROM duckdb_constraints()
        WHERE table_name <> 'alembic_version' ORDER BY ALL""",
    "indexes": """SELECT table_name, index_name, sql FROM duckdb_indexes()
        WHERE table_name <> 'alembic_version' ORDER BY ALL""",
    "views": """SELECT schema_name, view_name, sql, comment FROM duckdb_views()
        WHERE NOT internal ORDER BY ALL""",
}


def _describe(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: connection.execute(sql).fetchall() for name, sql in _DESCRIPTIONS.items()}


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    path = tmp_path / "gz.duckdb"
    with Store.open(path, create=True):
        pass
    return path


def test_migrations_build_what_the_code_declares(migrated: Path, tmp_path: Path) -> None:
    declared = tmp_path / "declared.duckdb"
    engine = create_engine(f"duckdb:///{declared}")
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA history")
        for statement in views.statements():
            connection.exec_driver_sql(statement)
    engine.dispose()
    assert _describe(migrated) == _describe(declared)


@pytest.mark.slow
def test_an_older_catalogue_is_brought_here_with_its_data(tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    first = import_module("zoolens.migrations.versions.0001_first_schema")
    with duckdb.connect(str(path)) as connection:
        for statement in first.STATEMENTS:
            connection.execute(statement)
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        connection.execute(
            "INSERT INTO run VALUES (1, 'ingest', 'f', 'complete', now(), now(), '{}', NULL, '0.1')"
        )
        connection.execute("INSERT INTO galaxy VALUES (7, 'J7', 1.5, -2.5, 1)")
        connection.execute("INSERT INTO image VALUES (1, 7, 'a.png', NULL, 'PNG', 9, 8, 'ff')")
        connection.execute(
            "INSERT INTO answer VALUES (0, 0, 'bar', 'yes', 'bar_yes', ''), "
            "(1, 0, 'bar', 'no', 'bar_no', ''), (2, 1, 'odd', 'yes', 'odd_yes', '')"
        )
        # of the first question, 1 of 5 gave an answer outside the tree
        connection.execute(
            "INSERT INTO vote VALUES (1, 7, 0, 3, 5), (1, 7, 1, 1, 5), (1, 7, 2, 4, 4)"
        )
        connection.execute(
            "INSERT INTO saliency_stat VALUES (1, 7, 0, 0.5, 0.1, 0.9, 2, 3, 4.5, -1.5)"
        )
        for reason in ("negative count: bar_yes is -1", "contradictory total: 3", "so it was said"):
            connection.execute("INSERT INTO reject VALUES (1, 'v.csv', 3, 'J7', ?)", [reason])
    with Store.open(path) as store:
        assert store.arrow("SELECT * FROM galaxies").to_pylist() == [
            {
                "galaxy_id": 7,
                "iauname": "J7",
                "ra": 1.5,
                "dec": -2.5,
                "image": "a.png",
                "image_member": None,
                "image_format": "PNG",
                "image_height": 9,
                "image_width": 8,
                "image_sha256": "ff",
                "split": None,
            }
        ]
        assert store.rows("SELECT label, count, total, fraction FROM votes ORDER BY label") == [
            ("bar_no", 1, 5, None),
            ("bar_yes", 3, 5, None),
            ("odd_yes", 4, 4, 1),
        ]
        assert store.rows(
            "SELECT label, of, on_target, increase, decrease, on_galaxy, predicted, baseline "
            "FROM history.saliency_stats"
        ) == [("bar_yes", "concentration", 0.5, 4.5, -1.5, None, None, None)]
        assert store.rows("SELECT kind, refused FROM rejects ORDER BY kind") == [
            ("contradictory total", False),
            ("negative count", True),
            ("other", True),
        ]
    new = tmp_path / "new.duckdb"
    with Store.open(new, create=True):
        pass
    assert _describe(path) == _describe(new)


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(paths.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_newer_catalogue_is_refused(migrated: Path) -> None:
    with duckdb.connect(str(migrated)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = migrated.read_bytes()
    with pytest.raises(
        CatalogError, match=rf"newer Zoolens \(schema 9999, this one knows {schema.HEAD}\)"
    ):
        Store.open(migrated)
    assert migrated.read_bytes() == before


def test_a_failed_migration_leaves_nothing(tmp_path: Path) -> None:
    """A schema of the same name is in the way of the last statements."""
    path = tmp_path / "gz.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA history")
    with pytest.raises(Exception, match="history"):
        Store.open(path)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SHOW TABLES").fetchall() == []


def test_a_truncated_catalogue_is_refused(migrated: Path) -> None:
    whole = migrated.read_bytes()
    migrated.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CatalogError):
        Store.open(migrated)


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE stars (name VARCHAR)")
    with pytest.raises(CatalogError, match=r"holds other tables \(stars\)"):
        Store.open(path, create=True)


def test_a_view_of_ones_own_survives_the_remaking_of_ours(migrated: Path) -> None:
    with duckdb.connect(str(migrated)) as connection:
        connection.execute("CREATE VIEW mine AS SELECT count(*) AS n FROM galaxies")
        connection.execute("CREATE SCHEMA my")
        for name in ("my.losses", "history.mine"):
            connection.execute(f"CREATE VIEW {name} AS SELECT 7 AS n")
        connection.execute("DROP VIEW worst")
        connection.execute("CREATE VIEW worst AS SELECT 1 AS wrong")
        connection.execute("UPDATE setting SET value = 'older' WHERE name = 'views_sha256'")
    with Store.open(migrated, read_only=True) as store:
        assert store.rows("FROM mine") == [(0,)]
        assert store.rows("FROM my.losses") == store.rows("FROM history.mine") == [(7,)]
        described = [name for name, *_ in store.rows("DESCRIBE worst")]
        assert described == list(COLUMNS["worst"])
        noted = store.value("SELECT value FROM setting WHERE name = 'views_sha256'")
        assert noted == views.views_sha256()


def test_views_that_are_as_they_should_be_are_not_made_again(migrated: Path) -> None:
    before = migrated.read_bytes()
    for read_only in (True, False):
        with Store.open(migrated, read_only=read_only):
            pass
    assert migrated.read_bytes() == before
