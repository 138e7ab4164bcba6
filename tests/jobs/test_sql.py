import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from tests.made.terminal import zoolens
from zoolens.catalog.output.answer import write
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import VIEWS
from zoolens.cli import app
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


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_query_that_heeds_no_interrupt_ends_with_its_process(path: Path) -> None:
    """DuckDB looks for an interrupt between rows, and one such row takes minutes."""
    query = "SELECT levenshtein(repeat('ab', 200000), repeat('ba', 200000))"
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, str(root / "cli.py"), "sql", query, "--catalog", str(path)]
    asked = subprocess.run([*command, "--timeout", "0.5"], capture_output=True, text=True)
    assert asked.returncode == 1
    assert asked.stderr == (
        "zoolens: the query was stopped: it took more than 0.5 s; allow it more (timeout)\n"
    )
    # and Ctrl-C twice
    job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for wait in (1.5, 0.7):
        time.sleep(wait)
        job.send_signal(signal.SIGINT)
    said = job.communicate(timeout=30)[1]
    assert job.returncode == 130
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "query",
    ["-- what is it?\nSELECT 42 AS n", "--\nSELECT 42 AS n", "/* a */ SELECT 42 AS n -- b", "-"],
)
def test_a_query_may_begin_with_a_comment_or_come_from_elsewhere(path: Path, query: str) -> None:
    result = CliRunner().invoke(
        app,
        ["sql", query, "--format", "csv", "--catalog", str(path)],
        input="-- from a file\nSELECT 42 AS n",
    )
    assert (result.exit_code, result.stdout) == (0, "n\n42\n")


def test_options_are_options_still(path: Path) -> None:
    result = zoolens("sql", "SELECT 1", "--fromat", "csv", "--catalog", path)
    assert result.exit_code == 2


def test_without_a_query_a_terminal_gets_every_view_at_a_glance(path: Path, tmp_path: Path) -> None:
    shown = zoolens("sql", "--catalog", path).stdout
    assert {view.name for view in VIEWS} <= {line.partition(" ")[0] for line in shown.splitlines()}
    assert "more rows" not in shown
    assert "zoolens sql VIEW" in shown
    assert "weighted_ce" in zoolens("sql", "worst", "--catalog", path).stdout
    zoolens("sql", "--catalog", path, "--out", tmp_path / "all.csv")
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[0] == "view,column,type,comment"
    assert len(lines) == 1 + sum(len(view.columns) for view in VIEWS)
