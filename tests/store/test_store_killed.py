"""Killed between and inside shards, a run is taken up with nothing lost, nothing twice."""

import random
import resource
import signal
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
import pytest

from tests.made.catalogues import blank
from tests.made.processes import killed, started, whole
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema

pytestmark = pytest.mark.slow


SHARDS, ROWS = 60, 200


def _work(path: Path, begun: Connection | None = None) -> None:
    """A job of the plainest kind: what is not in the ledger yet is done, shard by shard."""
    with Store.open(path) as store:
        run = store.begin("predict", {"seed": 1})
        if begun is not None:
            begun.send("begun")
        for shard in range(SHARDS):
            if store.committed(run, str(shard)):
                continue
            ids = range(shard * ROWS, (shard + 1) * ROWS)
            row = {"answer_id": 0, "samples": 1, "answers": 250, "concentrations": bytes(1000)}
            rows = [{"galaxy_id": galaxy, **row} for galaxy in ids]
            tables = {
                name: pa.Table.from_pylist(rows, schema=arrow_schema(name))
                for name in ("prediction", "posterior")
            }
            store.commit(run, str(shard), tables)
        store.finish(run)


@pytest.mark.timeout(200)
def test_a_job_killed_at_random_moments_ends_whole(tmp_path: Path) -> None:
    path = blank(tmp_path / "gz.duckdb")
    moments = random.Random(20260715)
    kills = 0
    for _ in range(12):
        reading, writing = Pipe(duplex=False)
        job = started(_work, path, writing)
        writing.close()
        reading.recv()
        time.sleep(moments.uniform(0, 0.4))
        kills += killed(job)
        with Store.open(path) as store:
            committed = store.value("SELECT count(*) FROM shard")
            assert store.value("SELECT count(*) FROM prediction") == committed * ROWS
            assert store.value("SELECT count(*) FROM posterior") == committed * ROWS
            complete = store.value("SELECT count(*) FROM run WHERE status = 'complete'")
        if complete:
            break
    _work(path)
    assert kills >= 3, "the job was killed in the midst of its work"
    with Store.open(path, read_only=True) as store:
        assert store.value("SELECT count(*) FROM shard") == SHARDS
        distinct = "SELECT count(DISTINCT galaxy_id) FROM prediction"
        assert store.value(distinct) == store.value("SELECT count(*) FROM prediction")
        assert store.value(distinct) == SHARDS * ROWS
        assert store.value("SELECT count(*) FROM run") == 1


def _work_on_a_full_disk(path: Path, told: Connection) -> None:
    """A limit on the size of a file refuses the write as a full disk would."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    try:
        _work(path)
    except CatalogError as error:
        told.send(str(error))


def _rows(path: Path) -> int:
    with Store.open(path, read_only=True) as store:
        return int(store.value("SELECT count(DISTINCT galaxy_id) FROM prediction"))


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    path = blank(tmp_path / "gz.duckdb")
    reading, writing = Pipe(duplex=False)
    job = started(_work_on_a_full_disk, path, writing)
    writing.close()
    assert "is the disk full" in reading.recv()
    assert whole(job)
    with Store.open(path) as store:
        committed = store.value("SELECT count(*) FROM shard")
        assert 0 < committed < SHARDS
        assert store.value("SELECT count(*) FROM prediction") == committed * ROWS
    _work(path)
    assert _rows(path) == SHARDS * ROWS
