"""A write-ahead log is replayed upon the file that left it, and upon no other."""

import shutil
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests.made.catalogues import blank
from tests.made.processes import killed, started
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.log import has_log, log_path
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema

ROWS = 50


def _commit(store: Store, shards: range) -> None:
    run = store.begin("predict", {"seed": 1})
    for shard in shards:
        ids = range(shard * ROWS, (shard + 1) * ROWS)
        rows = [{"galaxy_id": galaxy, "answer_id": 0} for galaxy in ids]
        table = pa.Table.from_pylist(rows, schema=arrow_schema("prediction"))
        store.commit(run, str(shard), {"prediction": table})


def _work(path: Path, shards: range, told: Connection | None = None) -> None:
    """Commit shards; then, if somebody listens, tell it and wait to be killed."""
    with Store.open(path) as store:
        _commit(store, shards)
        if told is not None:
            told.send("committed")
            told.recv()


def _killed(path: Path, shards: range) -> None:
    here, there = Pipe()
    job = started(_work, path, shards, there)
    here.recv()
    assert killed(job)
    assert has_log(path)


def _rows(path: Path, *, read_only: bool = True) -> int:
    """Rows of a catalogue, which are those of its ledger."""
    with Store.open(path, read_only=read_only) as store:
        rows = store.value("SELECT count(*) FROM prediction")
        assert rows == store.value("SELECT coalesce(sum(rows), 0) FROM shard")
        assert rows == store.value("SELECT count(DISTINCT galaxy_id) FROM prediction")
        return int(rows)


def _put(path: Path, copy: Path) -> None:
    """A copy in the place of a catalogue; its log stays as it is."""
    shutil.copyfile(copy, path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return blank(tmp_path / "gz.duckdb")


def _copy(path: Path, name: str) -> Path:
    return Path(shutil.copyfile(path, path.with_name(name)))


def _bytes(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), log_path(path).read_bytes()


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.slow
def test_a_killed_job_goes_on_from_its_own_log(path: Path, *, read_only: bool) -> None:
    _work(path, range(2))
    _killed(path, range(2, 5))
    assert _rows(path, read_only=read_only) == 5 * ROWS
    _killed(path, range(5, 6))  # a job that finds a log and is killed as well
    assert _rows(path, read_only=read_only) == 6 * ROWS
    _work(path, range(6, 8))
    assert _rows(path) == 8 * ROWS


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.slow
def test_a_copy_of_any_moment_is_not_mixed_with_a_later_log(path: Path, *, read_only: bool) -> None:
    copies = [_copy(path, "empty")]
    for shard in range(3):
        _work(path, range(shard, shard + 1))
        copies.append(_copy(path, f"after {shard}"))
    _killed(path, range(3, 5))
    at_last, log = _bytes(path)
    for copy in copies:
        _put(path, copy)
        before = _bytes(path)
        with pytest.raises(CatalogError, match=r"gz\.duckdb\.wal was not left by") as caught:
            _rows(path, read_only=read_only)
        assert "\n" not in str(caught.value)
        assert _bytes(path) == before
    log_path(path).unlink()
    assert _rows(path, read_only=read_only) == 3 * ROWS  # the copy without a log
    path.write_bytes(at_last)
    log_path(path).write_bytes(log)
    assert _rows(path) == 5 * ROWS


@pytest.mark.slow
def test_the_log_of_another_catalogue_is_refused(path: Path, tmp_path: Path) -> None:
    other = blank(tmp_path / "other.duckdb")
    _work(other, range(3))
    _killed(path, range(3))
    shutil.copyfile(log_path(path), log_path(other))
    with pytest.raises(CatalogError, match=r"other\.duckdb\.wal was not left by"):
        _rows(other)
    shutil.copyfile(blank(tmp_path / "fresh.duckdb"), other)
    with pytest.raises(CatalogError, match="was not left by"):
        _rows(other)


@pytest.mark.slow
def test_a_log_that_the_file_holds_already_is_refused(path: Path) -> None:
    _work(path, range(1))
    _killed(path, range(1, 3))
    log = log_path(path).read_bytes()
    _work(path, range(3, 4))
    assert not has_log(path)
    log_path(path).write_bytes(log)
    with pytest.raises(CatalogError, match="was not left by"):
        _rows(path)


def test_each_log_of_a_long_job_has_its_mark(path: Path) -> None:
    """Checkpoints within a job end one log and begin the next."""
    with Store.open(path) as store:
        store.execute("SET checkpoint_threshold = '4kB'")
        copies = []
        for shard in range(12):
            _commit(store, range(shard, shard + 1))
            copies.append(_copy(path, f"during {shard}"))
        store.execute("SET checkpoint_threshold = '1GB'")
        _commit(store, range(12, 13))
        log = log_path(path).read_bytes()
        last = path.read_bytes()
    assert len(set(map(Path.read_bytes, copies))) > 2, "there were checkpoints"
    for copy in copies:
        shutil.copyfile(copy, path)
        log_path(path).write_bytes(log)
        if copy.read_bytes() == last:
            assert _rows(path) == 13 * ROWS
        else:
            with pytest.raises(CatalogError, match="was not left by"):
                _rows(path)


def test_a_log_without_a_mark_is_replayed_unless_rows_would_stand_twice(path: Path) -> None:
    """Other clients write logs too, and so did a Zoolens without marks."""
    _work(path, range(2))
    copy = path.read_bytes()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS n")
        log = log_path(path).read_bytes()
    path.write_bytes(copy)
    log_path(path).write_bytes(log)
    with Store.open(path, read_only=True) as store:
        assert store.rows("FROM mine") == [(1,)]
    with duckdb.connect(str(path)) as connection:
        connection.execute("CHECKPOINT")
        connection.execute("INSERT INTO shard SELECT * FROM shard LIMIT 1")
        log = log_path(path).read_bytes()
        copy = path.read_bytes()
    path.write_bytes(copy)
    log_path(path).write_bytes(log)
    with pytest.raises(CatalogError, match="was not left by"):
        _rows(path)


@pytest.mark.slow
def test_a_damaged_log_is_told_in_one_line(path: Path) -> None:
    _work(path, range(1))
    _killed(path, range(1, 3))
    log = log_path(path)
    harmed = bytearray(log.read_bytes())
    harmed[len(harmed) // 2] ^= 0x55
    log.write_bytes(harmed)
    with pytest.raises(CatalogError, match=r"is damaged .*with that copy's \.wal") as caught:
        _rows(path)
    assert "\n" not in str(caught.value)


def test_nothing_is_written_by_looking(path: Path) -> None:
    before = path.read_bytes()
    with Store.open(path):
        pass
    assert path.read_bytes() == before
