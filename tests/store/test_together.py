"""Views over all pieces of a survey; the catalogue that it was cut from is the oracle."""

import shutil
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
import pytest

from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.store.connection import CLOSED
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.together import open_together
from zoolens.catalog.store.views import VIEWS
from zoolens.catalog.survey.folder import open_survey
from zoolens.jobs.keep import keep

from ..made.catalogues import blank
from ..made.own_tables import own_table
from ..made.processes import killed, started

SCHEMAS = [("main", view.name) for view in VIEWS]
SCHEMAS += [("history", view.name) for view in VIEWS if view.job]


def _sorted(table: pa.Table) -> list[tuple[object, ...]]:
    dropped = [name for name in ("run_id", "piece") if name in table.column_names]
    rows = table.drop_columns(dropped).to_pylist()
    return sorted(tuple(map(repr, row.values())) for row in rows)


@pytest.mark.parametrize(("schema", "view"), SCHEMAS)
def test_a_view_has_the_rows_of_the_whole(
    full_gz: Path, full_survey: Path, schema: str, view: str
) -> None:
    with Store.open(full_gz, read_only=True) as store:
        whole = store.arrow(f"FROM {schema}.{view}")
    with open_together(open_survey(full_survey).named) as survey:
        survey.make_views(f"FROM {schema}.{view}")
        found = survey.connection.execute(f"FROM {schema}.{view}").to_arrow_table()
    extra = [] if view == "answers" else ["piece"]
    assert found.column_names == [*whole.column_names, *extra]
    if view == "runs":  # every piece has all of the whole's, of its own votes
        ran = {(job, status) for job, status, *_ in _sorted(whole)}
        assert {(job, status) for job, status, *_ in _sorted(found)} == ran
    elif view == "rejects":
        assert set(_sorted(found)) == set(_sorted(whole))
    else:
        assert _sorted(found) == _sorted(whole), "a row is of a galaxy, or of a run, never of many"
        absent = view in ("own", "estimates", "estimate_maps", "evaluations")
        assert len(whole) or absent, "give full_gz rows of it, or name it among these"


def test_a_view_is_described_as_in_one_catalogue(full_survey: Path) -> None:
    with open_together(open_survey(full_survey).named) as survey:
        survey.make_views()
        told = survey.connection.execute(
            "SELECT table_name, column_name, comment FROM duckdb_columns() "
            "WHERE database_name = 'memory' AND schema_name = 'main'"
        ).fetchall()
    described = {(view, column): said for view, column, said in told}
    for view in VIEWS:
        for name, column in view.columns.items():
            assert described.pop((view.name, name)) == column.comment
    assert {column for _, column in described} == {"piece"}


@pytest.mark.slow
def test_only_the_views_that_a_query_can_ask_are_made(full_survey: Path) -> None:
    made = "SELECT view_name FROM duckdb_views() WHERE database_name = 'memory' AND NOT internal"
    for query, views in (
        ('SELECT 1 FROM "LOSSES" JOIN galaxies', {"losses", "galaxies"}),
        ("SELECT 1", {view.name for view in VIEWS}),
        ("SELECT sql FROM duckdb_views() WHERE 'losses' = ''", {view.name for view in VIEWS}),
        ("FROM query_table('los' || 'ses'), votes", {view.name for view in VIEWS}),
    ):
        with open_together(open_survey(full_survey).named) as survey:
            survey.make_views(query)
            assert {name for (name,) in survey.connection.execute(made).fetchall()} == views


def test_the_user_s_own_columns_may_be_of_some_pieces(tmp_path: Path) -> None:
    pieces = {name: _with_galaxies(tmp_path / f"{name}.duckdb", name) for name in "abc"}
    keep(pieces["a"], own_table(tmp_path / "a.csv", {"iauname": ["a0"], "z": [0.5]}), ["z"])
    keep(
        pieces["b"],
        own_table(tmp_path / "b.csv", {"iauname": ["b1"], "x FROM galaxy": [7]}),
        ["x FROM galaxy"],
    )
    with open_together(pieces) as survey:
        survey.make_views("FROM own")
        answer = survey.connection.execute("SELECT * EXCLUDE (galaxy_id) FROM own ORDER BY piece")
        assert [column[0] for column in answer.description or ()] == [
            "iauname",
            "z",
            "x FROM galaxy",
            "piece",
        ]
        assert answer.fetchall() == [("a0", 0.5, None, "a"), ("b1", None, 7, "b")]


def test_a_column_called_piece_stays_the_user_s(tmp_path: Path) -> None:
    pieces = {name: _with_galaxies(tmp_path / f"{name}.duckdb", name) for name in "ab"}
    keep(
        pieces["b"],
        own_table(tmp_path / "b.csv", {"iauname": ["b1"], "Piece": ["mine"]}),
        ["Piece"],
    )
    with open_together(pieces) as survey:
        survey.make_views("FROM own")
        assert survey.connection.execute("SELECT iauname, piece FROM own").fetchall() == [
            ("b1", "mine")
        ]


def _with_galaxies(path: Path, prefix: str) -> Path:
    with Store.open(blank(path)) as store:
        run = store.begin("ingest", {})
        names = [f"{prefix}{n}" for n in range(2)]
        store.commit(run, "all", {"galaxy": pa.table({"galaxy_id": [1, 2], "iauname": names})})
        store.finish(run)
    return path


def test_what_is_attached_can_be_read_and_nothing_else(full_survey: Path) -> None:
    with open_together(open_survey(full_survey).named, CLOSED) as survey:
        survey.make_views("FROM galaxies")
        survey.close_in()
        assert survey.connection.execute("SELECT count(*) FROM galaxies").fetchone() == (30,)
        for query in (
            "FROM read_csv('/etc/passwd')",
            "ATTACH '/tmp/other.duckdb'",
            "SET enable_external_access = true",
            "SET memory_limit = '1TB'",
        ):
            with pytest.raises(Exception, match=r"disabled by configuration|locked"):
                survey.connection.execute(query)


def test_a_piece_that_is_missing_damaged_or_no_catalogue_is_named(
    full_survey: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(full_survey, tmp_path / "dr1")
    pieces = open_survey(folder).named
    name, path = [*pieces.items()][2]
    whole = path.read_bytes()
    for content in (None, b"", b"galaxies", whole[: len(whole) // 2]):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CatalogError, match=f"{name}.duckdb"):
            open_together(pieces)


def test_a_piece_that_this_program_has_open_is_not_opened_twice(full_survey: Path) -> None:
    pieces = open_survey(full_survey).named
    first = next(iter(pieces.values()))
    with Store.open(first, read_only=True), pytest.raises(CatalogBusy, match="in this program"):
        open_together(pieces)
    with open_together(pieces), pytest.raises(CatalogBusy, match="of this program"):
        Store.open(first, read_only=True)


@pytest.mark.slow
def test_a_piece_of_an_earlier_version_is_brought_to_this_one(
    full_survey: Path, tmp_path: Path
) -> None:
    pieces = open_survey(shutil.copytree(full_survey, tmp_path / "dr1")).named
    with Store.open([*pieces.values()][1]) as store:
        store.execute("DELETE FROM setting WHERE name = 'views_sha256'")
        store.execute("DROP VIEW votes")
    with open_together(pieces) as survey:
        survey.make_views("FROM votes")
        found = survey.connection.execute("SELECT count(DISTINCT galaxy_id) FROM votes")
        assert found.fetchone() == (30,)


def _hold(path: Path, told: Connection) -> None:
    """Commit something and go on writing."""
    with Store.open(path) as store:
        store.begin("predict", {"samples": 99})
        told.send("begun")
        told.recv()


@pytest.mark.slow
def test_a_piece_that_is_written_to_is_shown_as_it_was(
    full_survey: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pieces = open_survey(shutil.copytree(full_survey, tmp_path / "dr1")).named
    name, path = [*pieces.items()][3]
    here, there = Pipe()
    job = started(_hold, path, there)
    try:
        assert here.recv() == "begun"
        with open_together(pieces, CLOSED) as survey:
            survey.make_views("FROM runs, galaxies")
            survey.close_in()
            count = survey.connection.execute("SELECT count(*) FROM galaxies").fetchone()
            running = survey.connection.execute("SELECT piece FROM runs WHERE status = 'running'")
            assert (count, running.fetchall()) == ((30,), [(name,)])
    finally:
        assert killed(job)
    assert f"{path} is being written by process {job.pid}" in capsys.readouterr().err
