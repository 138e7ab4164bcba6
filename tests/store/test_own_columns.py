"""The view of columns of one's own, and what it says of them."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.store.own_columns import OwnColumn, own_sql, quoted
from zoolens.catalog.store.own_rows import begin_keep, column_table, finish_keep, own_columns
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema

COLUMNS = [
    OwnColumn("z", "FLOAT", 1, "", "src.redshift", "the galaxy's redshift"),
    OwnColumn('od"d; --', "DOUBLE", 2, "mag", "", "it's odd"),
    OwnColumn("select", "BIGINT", 1, "", "", "a reserved word"),
    OwnColumn("good", "BOOLEAN", 2, "", "", "x"),
    OwnColumn("text", "VARCHAR", 1, "", "", "y"),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(catalogue(tmp_path / "gz.duckdb", random_counts(3)))


def _keep(store: Store, rows: list[dict[str, object]], what: str = "a") -> int:
    run = begin_keep(store, {"what": what}, {})
    table = pa.Table.from_pylist(rows, schema=arrow_schema("own_row"))
    store.commit(run, "all", {"own_column": column_table(COLUMNS), "own_row": table})
    finish_keep(store, run)
    return run.run_id


def _row(galaxy: int, z: float) -> dict[str, object]:
    return {"galaxy_id": galaxy, "numbers": [z, None], "integers": [2**63 - 1, 1], "texts": ["t"]}


def test_a_view_of_any_names_with_their_types_and_words(store: Store) -> None:
    with store:
        _keep(store, [_row(1, 0.5)])
        told = (
            "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = 'own'"
        )
        assert store.rows(told)[2:] == [
            ("z", "FLOAT", "the galaxy's redshift"),
            ('od"d; --', "DOUBLE", "it's odd, mag"),
            ("select", "BIGINT", "a reserved word"),
            ("good", "BOOLEAN", "x"),
            ("text", "VARCHAR", "y"),
        ]
        assert store.rows("FROM own") == [(1, "G0001", 0.5, None, 2**63 - 1, True, "t")]
        assert own_columns(store) == COLUMNS


def test_an_older_row_has_no_value_of_a_later_column(store: Store) -> None:
    with store:
        _keep(store, [{"galaxy_id": 0, "numbers": [0.5], "integers": [], "texts": []}])
        assert store.rows("SELECT * EXCLUDE (galaxy_id, iauname) FROM own") == [
            (0.5, None, None, None, None)
        ]


def test_it_is_made_again_with_its_columns_when_the_views_change(store: Store) -> None:
    path = store.path
    with store:
        _keep(store, [_row(1, 0.5)])
        store.execute("DELETE FROM setting WHERE name = 'views_sha256'")
        store.execute("DROP VIEW own")
    with Store.open(path) as again:
        assert again.rows('SELECT z, "select" FROM own') == [(0.5, 2**63 - 1)]


def test_quoting() -> None:
    assert quoted('a"b') == '"a""b"'
    assert "AS" not in own_sql(())
