"""Killed between and inside shards, a job resumes with nothing lost, nothing twice."""

import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from zoolens.catalog.store.store import Store
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

SHARDS, ROWS = 60, 200

# A job of the plainest kind: what is not in the ledger yet is done, shard by shard.
_JOB = f"""
import sys
from pathlib import Path
import pyarrow as pa
from zoolens.catalog.store.store import Store
with Store.open(Path(sys.argv[1])) as store:
    run = store.begin("predict", {{"seed": 1}})
    print("begun", flush=True)
    done = store.shards(run)
    for shard in range({SHARDS}):
        if str(shard) not in done:
            ids = [shard * {ROWS} + row for row in range({ROWS})]
            rows = pa.table({{"galaxy_id": ids, "answer_id": [0] * {ROWS}}})
            blobs = pa.table({{"galaxy_id": ids, "samples": [1] * {ROWS}, "answers": [250] * {ROWS},
                              "concentrations": [bytes(1000)] * {ROWS}}})
            store.commit(run, str(shard), {{"prediction": rows, "posterior": blobs}})
    store.finish(run)
"""


@pytest.mark.timeout(200)
def test_a_job_killed_at_random_moments_ends_whole(tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    with Store.open(path, create=True):
        pass
    moments = random.Random(20260715)
    kills = 0
    for _ in range(12):
        job = subprocess.Popen(
            [sys.executable, "-c", _JOB, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert job.stdout is not None
        job.stdout.readline()
        time.sleep(moments.uniform(0, 0.4))
        job.kill()
        kills += job.wait() == -9
        with Store.open(path) as store:
            committed = store.value("SELECT count(*) FROM shard")
            assert store.value("SELECT count(*) FROM prediction") == committed * ROWS
            assert store.value("SELECT count(*) FROM posterior") == committed * ROWS
            complete = store.value("SELECT count(*) FROM run WHERE status = 'complete'")
        if complete:
            break
    subprocess.run([sys.executable, "-c", _JOB, str(path)], check=True, stdout=subprocess.DEVNULL)
    assert kills >= 3, "the job was killed in the midst of its work"
    with Store.open(path, read_only=True) as store:
        assert store.value("SELECT count(*) FROM shard") == SHARDS
        distinct = "SELECT count(DISTINCT galaxy_id) FROM prediction"
        assert store.value(distinct) == store.value("SELECT count(*) FROM prediction")
        assert store.value(distinct) == SHARDS * ROWS
        assert store.value("SELECT count(*) FROM run") == 1


_FULL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
"""


def _rows(path: Path) -> int:
    with Store.open(path, read_only=True) as store:
        return int(store.value("SELECT count(DISTINCT galaxy_id) FROM prediction"))


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of a file refuses the write as a full disk would."""
    path = tmp_path / "gz.duckdb"
    with Store.open(path, create=True):
        pass
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK + _JOB, str(path)], capture_output=True, text=True
    )
    assert "CatalogError" in done.stderr
    assert "is the disk full" in done.stderr
    with Store.open(path) as store:
        committed = store.value("SELECT count(*) FROM shard")
        assert 0 < committed < SHARDS
        assert store.value("SELECT count(*) FROM prediction") == committed * ROWS
    subprocess.run([sys.executable, "-c", _JOB, str(path)], check=True, capture_output=True)
    assert _rows(path) == SHARDS * ROWS


# What a catalogue holds, without the times at which it was written.
_CONTENT = {
    "galaxy": "SELECT galaxy_id, iauname, ra, dec FROM galaxy ORDER BY ALL",
    "image": "SELECT * EXCLUDE run_id FROM image ORDER BY ALL",
    "vote": "SELECT * EXCLUDE run_id FROM vote ORDER BY ALL",
    "reject": "SELECT * EXCLUDE run_id FROM reject ORDER BY ALL",
    "prediction": "SELECT * EXCLUDE run_id FROM prediction ORDER BY ALL",
    "posterior": "SELECT * EXCLUDE run_id FROM posterior ORDER BY ALL",
    "loss": "SELECT * EXCLUDE run_id FROM loss ORDER BY ALL",
    "question_loss": "SELECT * EXCLUDE run_id FROM question_loss ORDER BY ALL",
}


def _content(path: Path) -> dict[str, pa.Table]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {name: connection.execute(sql).to_arrow_table() for name, sql in _CONTENT.items()}


@pytest.mark.timeout(280)
def test_a_whole_ingest_killed_at_random_moments_ends_as_if_never_killed(
    data: Path, checkpoint: Path, tmp_path: Path
) -> None:
    def command(catalog: Path) -> list[str]:
        return [
            *(sys.executable, "-m", "cli", "ingest", str(data / "gzd5_votes.csv")),
            *("--images", str(data / "images"), "--model", str(checkpoint)),
            *("--samples", "5", "--catalog", str(catalog), "--quiet"),
        ]

    def run(catalog: Path) -> None:
        subprocess.run(command(catalog), check=True)

    started = time.monotonic()
    run(tmp_path / "whole.duckdb")
    took = time.monotonic() - started
    killed = tmp_path / "killed.duckdb"
    moments = random.Random(7)
    for _ in range(4):
        job = subprocess.Popen(command(killed))
        time.sleep(moments.uniform(0.2, 0.95) * took)
        job.kill()
        job.wait()
    run(killed)
    whole, resumed = _content(tmp_path / "whole.duckdb"), _content(killed)
    for name, rows in whole.items():
        assert resumed[name].equals(rows), name
    assert verify(killed).errors == 0
