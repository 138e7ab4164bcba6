import json
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.errors import CatalogError
from catalog.output import write
from catalog.store import Store
from jobs.sql import sql


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
    with sql(path, query) as answer:
        return [tuple(row) for row in answer.rows]


def test_a_query_is_answered(path: Path) -> None:
    assert _rows(path, "SELECT iauname FROM galaxies WHERE galaxy_id > 2 ORDER BY 1;") == [
        ("J3",),
        ("J4",),
    ]


def test_every_format_streams_the_same(path: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    query = "SELECT galaxy_id, iauname FROM galaxies ORDER BY 1"
    for form in ("json", "parquet", "csv"):
        with sql(path, query) as answer:
            write(answer, None, tmp_path / f"out.{form}")
    rows = json.loads((tmp_path / "out.json").read_text())
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == rows
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == [
        f"{row['galaxy_id']},{row['iauname']}" for row in rows
    ]


def test_without_a_query_it_tells_the_columns_of_every_view(path: Path) -> None:
    from catalog.views import VIEWS

    told = {(row[0], row[1]): row[3] for row in _rows(path, None)}
    assert told == {
        (view.name, column): text for view in VIEWS for column, text in view.columns.items()
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
