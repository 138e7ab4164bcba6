import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from zoolens.catalog.errors import CatalogError, QueryRefused
from zoolens.catalog.output.answer import write
from zoolens.catalog.store.store import Store
from zoolens.jobs.sql import sql


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


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
        "SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1",
    ],
)
def test_control_c_ends_a_query_that_would_not_end(path: Path, query: str) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, str(root / "cli.py"), "sql", query, "--catalog", str(path)]
    asked = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    asked.send_signal(signal.SIGINT)
    _, said = asked.communicate(timeout=60)
    assert asked.returncode == 130
    assert said.count("\n") == 1
