from pathlib import Path

import pyarrow as pa
import pytest

from zoolens.catalog.errors import CatalogError, QueryRefused
from zoolens.catalog.output.answer import write
from zoolens.catalog.store.query import OVERVIEW, closed_query
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


def test_the_name_of_a_view_asks_for_its_columns(path: Path) -> None:
    from zoolens.catalog.store.views import VIEWS

    for view in VIEWS:
        told = [(name, comment) for name, _, comment in _rows(path, f" {view.name}\n")]
        assert told == [(name, said.comment) for name, said in view.columns.items()]


def test_an_overview_has_every_view_and_column(path: Path) -> None:
    from zoolens.catalog.store.views import VIEWS

    with closed_query(path, OVERVIEW) as answer:
        told = dict(map(tuple, answer.rows))
    assert told == {view.name: ", ".join(view.columns) for view in VIEWS}


@pytest.mark.parametrize(
    ("query", "bounds", "message"),
    [
        (
            "SELECT count(*) FROM range(100000000000) a WHERE hash(range) = 1",
            {"timeout": 0.2},
            "it took more than 0.2 s; allow it more",
        ),
        ("SELECT range FROM range(100000000000)", {"timeout": 0.2}, "it took more than 0.2 s"),
        (
            "SELECT list(range) FROM range(100000000)",
            {"memory": 0.1},
            "it took more than 0.1 GB of memory",
        ),
    ],
)
def test_a_query_that_takes_too_much_is_stopped(
    path: Path, query: str, bounds: dict[str, float], message: str
) -> None:
    with (
        pytest.raises(CatalogError, match=f"the query was stopped: {message}"),
        closed_query(path, query, **bounds) as answer,  # type: ignore[arg-type]
    ):
        for _ in answer.rows:
            pass


def test_a_query_that_is_stopped_while_it_is_written_is_told(path: Path, tmp_path: Path) -> None:
    query = "SELECT range FROM range(100000000000)"
    for form in ("csv", "parquet"):
        with (
            pytest.raises(CatalogError, match="the query was stopped: it took more than"),
            closed_query(path, query, timeout=0.2) as answer,
        ):
            write(answer, form, tmp_path / "out")
    assert not [*tmp_path.iterdir()]


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
        ("--", "there is no query"),
        (" ", "there is no query"),
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


@pytest.mark.slow
def test_other_files_are_no_catalogue(tmp_path: Path) -> None:
    for name, content in (("t.csv", b"a,b\n1,2\n"), ("empty.duckdb", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CatalogError, match="is no catalogue"):
            _rows(tmp_path / name, "SELECT 1")
        assert (tmp_path / name).read_bytes() == content
