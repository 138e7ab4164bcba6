"""A whole ingest, killed at random moments."""

import random
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests.made.processes import killed, started, whole
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow


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


def _zoolens(*arguments: object) -> None:
    from zoolens.cli import app

    app([str(argument) for argument in arguments])


@pytest.mark.timeout(280)
def test_a_whole_ingest_killed_at_random_moments_ends_as_if_never_killed(
    data: Path, checkpoint: Path, tmp_path: Path
) -> None:
    command = [
        *("ingest", data / "gzd5_votes.csv", "--images", data / "images"),
        *("--model", checkpoint, "--size", 64, "--samples", 5, "--quiet", "--catalog"),
    ]
    assert whole(started(int))  # the first waits for imports
    begun = time.monotonic()
    assert whole(started(_zoolens, *command, tmp_path / "whole.duckdb"))
    took = time.monotonic() - begun
    gz = tmp_path / "killed.duckdb"
    moments = random.Random(7)
    kills = 0
    for _ in range(4):
        job = started(_zoolens, *command, gz)
        time.sleep(moments.uniform(0.2, 0.95) * took)
        kills += killed(job)
    assert kills
    assert whole(started(_zoolens, *command, gz))
    expected, resumed = _content(tmp_path / "whole.duckdb"), _content(gz)
    for name, rows in expected.items():
        assert resumed[name].equals(rows), name
    assert verify(gz).errors == 0
