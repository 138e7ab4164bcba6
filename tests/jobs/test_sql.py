import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

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
