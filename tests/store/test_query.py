from pathlib import Path

import pyarrow as pa
import pytest

from zoolens.catalog.errors import CatalogError, QueryRefused
from zoolens.catalog.store.query import closed_query
from zoolens.catalog.store.store import Store


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sql") / "gz.duckdb"
    with Store.open(path, create=True) as store:
        run = store.begin("ingest", {})
        galaxies = pa.table({"galaxy_id": range(5), "iauname": [f"J{n}" for n in range(5)]})
        store.commit(run, "one", {"galaxy": galaxies})
        store.finish(run)
    return path


def _rows(path: Path, query: str | None) -> list[tuple[object, ...]]:
    with closed_query(path, query) as answer:
        return [tuple(row) for row in answer.rows]


def test_a_query_is_answered(path: Path) -> None:
    assert _rows(path, "SELECT iauname FROM galaxies WHERE galaxy_id > 2 ORDER BY 1;") == [
        ("J3",),
        ("J4",),
    ]


def test_without_a_query_it_tells_the_columns_of_every_view(path: Path) -> None:
    from zoolens.catalog.store.views import VIEWS

    told = {(row[0], row[1]): row[3] for row in _rows(path, None)}
    assert told == {
        (view.name, column): said.comment for view in VIEWS for column, said in view.columns.items()
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT nothing FROM galaxies", 'Referenced column "nothing" not found'),
        ("SELECT * FROM galaxy_zoo", "galaxy_zoo does not exist"),
        ("SELECT 1; SELECT 2", "one SELECT at a time"),
        ("DROP TABLE galaxy", "read-only"),
        ("DELETE FROM galaxy", "read-only"),
        ("COPY galaxy TO 'stolen.csv'", "read-only"),
        ("ATTACH 'other.duckdb'", "read-only"),
        ("SET enable_external_access = true", "read-only"),
        ("INSTALL httpfs", "read-only"),
        ("PRAGMA enable_profiling", "read-only"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration"),
        ("SELECT * FROM '/etc/passwd'", "does not exist"),
        ("SELECT CAST('x' AS INTEGER)", "Conversion Error"),
        ("--", "one SELECT at a time"),
    ],
)
def test_what_is_wrong_or_hostile_gets_one_message(path: Path, query: str, message: str) -> None:
    before = path.read_bytes()
    with pytest.raises(CatalogError, match=message):
        _rows(path, query)
    assert path.read_bytes() == before


def test_a_local_variable_is_not_a_table(path: Path) -> None:
    secret = pa.table({"key": [1]})
    with pytest.raises(CatalogError, match="secret does not exist"):
        _rows(path, "SELECT * FROM secret")
    assert secret.num_rows == 1


def test_times_with_a_zone_are_shown(path: Path) -> None:
    ((value,),) = _rows(path, "SELECT TIMESTAMPTZ '2026-01-02 03:04:05+00' AS at")
    assert str(value).startswith("2026-01-02")


def test_a_query_that_fails_among_its_rows_has_one_message(path: Path) -> None:
    query = "SELECT CASE WHEN range < 99000 THEN 1 ELSE error('boom') END FROM range(100000)"
    with pytest.raises(QueryRefused, match="boom") as caught:
        _rows(path, query)
    assert "pending query" not in str(caught.value)


def test_other_files_are_no_catalogue(tmp_path: Path) -> None:
    for name, content in (("t.csv", b"a,b\n1,2\n"), ("empty.duckdb", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CatalogError, match="is no catalogue"):
            _rows(tmp_path / name, "SELECT 1")
        assert (tmp_path / name).read_bytes() == content
