"""A look at a catalogue that another process writes to: committed, whole, and told."""

import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb
import pytest

import zoolens
from tests.made.catalogues import (
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.processes import killed, started
from zoolens.catalog.errors import CatalogBusy
from zoolens.catalog.store import snapshot
from zoolens.catalog.store.checks import offences
from zoolens.catalog.store.connection import CLOSED
from zoolens.catalog.store.log import log_path
from zoolens.catalog.store.snapshot import keeping, look
from zoolens.catalog.store.store import Store
from zoolens.jobs.status import status

GALAXIES = 400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(tmp_path / "gz.duckdb", random_counts(GALAXIES))


def _write(path: Path, told: Connection, checkpoint: str = "1GB", shards: int = GALAXIES) -> None:
    """Predict galaxy after galaxy, or wait after some of them."""
    alpha = random_concentrations(GALAXIES)
    with Store.open(path) as store:
        store.execute(f"SET checkpoint_threshold = '{checkpoint}'")
        for galaxy in range(shards):
            add_predictions(store, alpha[[galaxy]], galaxy_ids=[galaxy], shard=f"{galaxy}")
            if galaxy == 2:
                told.send("begun")
        store.begin("predict", {"samples": 99})  # not done: it is at work
        told.send("waiting")
        told.recv()


@contextmanager
def _writing(path: Path, *settings: object, until: str = "waiting") -> Iterator[int]:
    here, there = Pipe()
    job = started(_write, path, there, *settings)
    try:
        while here.recv() != until:
            pass
        assert job.pid is not None
        yield job.pid
    finally:
        assert killed(job)


def _leftovers(path: Path) -> list[str]:
    ours = [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("zoolens-")]
    return [*ours, *(name for name in os.listdir(path.parent) if name != f"{path.name}.wal")]


@pytest.mark.slow
def test_it_is_the_committed_state_and_says_so(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _leftovers(path)
    with _writing(path, "1GB", 5) as process:
        with pytest.raises(CatalogBusy):
            Store.open(path, read_only=True)
        with Store.look(path) as store:
            assert store.value("SELECT count(DISTINCT galaxy_id) FROM predictions") == 5
            assert _leftovers(path) == before
        told = capsys.readouterr().err
        assert re.fullmatch(
            rf"zoolens: \S+ is being written by process {process}; this is its state of "
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n",
            told,
        )
        gz = zoolens.open(path)
        assert gz.sql("SELECT count(*) AS n FROM galaxies")["n"].tolist() == [GALAXIES]
    capsys.readouterr()
    with Store.look(path) as store:
        assert store.value("SELECT count(DISTINCT galaxy_id) FROM predictions") == 5
    assert capsys.readouterr().err == ""
    assert _leftovers(path) == before


@pytest.mark.slow
def test_a_user_query_of_a_copy_reads_nothing_else(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with _writing(path, "1GB", 3):
        found = look(path, CLOSED)
        with pytest.raises(duckdb.PermissionException):
            found.connection.execute(f"FROM '{tmp_path / 'secret.csv'}'")
        found.connection.close()


@pytest.mark.slow
def test_a_query_that_does_not_fit_into_memory_goes_to_the_disk(path: Path) -> None:
    with _writing(path, "1GB", 3), Store.look(path) as store:
        store.value("SELECT 1")
        connection = look(path).connection
        connection.execute("SET memory_limit = '60MB'; SET threads = 1")
        sql = "SELECT count(*) FROM (SELECT DISTINCT range, hash(range) FROM range(3000000))"
        assert connection.execute(sql).fetchone() == (3_000_000,)
        connection.close()


@pytest.mark.slow
def test_all_looks_within_one_see_the_same(path: Path) -> None:
    with _writing(path, "1GB", GALAXIES, until="begun"):
        with zoolens.open(path) as gz:
            sql = "SELECT count(*) AS n FROM predictions"
            first = gz.sql(sql)["n"].tolist()
            time.sleep(0.3)
            assert gz.sql(sql)["n"].tolist() == first
            with Store.look(path) as store:
                assert store.value(sql) == first[0]
        with keeping(path) as later:
            assert later.connection.execute(sql).fetchall() > [(first[0],)]


@pytest.mark.slow
def test_status_calls_a_run_running_while_a_process_is_at_work_on_it(path: Path) -> None:
    def state() -> list[str]:
        return status(path).runs["status"].to_pylist()

    with _writing(path, "1GB", 3):
        assert state() == ["complete", "complete", "running"]
        assert not [text for text in status(path).advice if "interrupted" in text]
    assert state() == ["complete", "complete", "interrupted"]
    with duckdb.connect(str(path)):  # it holds the file, and works on nothing
        assert state()[-1] == "interrupted"
    with Store.open(path) as store:
        store.begin("predict", {"samples": 99})
        assert state()[-1] == "running"
    assert state()[-1] == "interrupted"


@pytest.mark.slow
def test_where_no_copy_can_be_made_it_is_busy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with _writing(path, "1GB", 3):
        monkeypatch.setattr(snapshot, "_copy_bytes", full)
        with pytest.raises(CatalogBusy, match="in use by"):
            look(path)
        monkeypatch.undo()
        monkeypatch.setattr(snapshot, "_PATIENCE", 0)
        with pytest.raises(CatalogBusy, match="in use by"):
            look(path)


@pytest.mark.slow
def test_a_checkpoint_while_it_is_copied_is_noticed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the writer had done one after the copy of the log."""
    copies: list[str] = []
    copy_bytes = snapshot._copy_bytes

    def overtaken(source, target, look_again):  # type: ignore[no-untyped-def]
        copy_bytes(source, target, look_again)
        if copies == [f"{path}.wal"]:
            with path.open("rb+") as live:
                live.seek(4096)
                block = live.read(8192)
                live.seek(4096)
                live.write(block[4096:] + block[:4096])
        copies.append(source.name)
        look_again()

    with _writing(path, "1GB", 3):
        monkeypatch.setattr(snapshot, "_copy_bytes", overtaken)
        look(path).connection.close()
    assert copies.count(str(path)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", ["1kB", "40kB", "1GB"])
def test_every_look_at_a_busy_catalogue_is_sound(path: Path, checkpoint: str) -> None:
    seen = []
    with _writing(path, checkpoint, until="begun"):
        for _ in range(12):
            with Store.look(path) as store:
                if store.writer is None:
                    break
                found = offences(store)
                assert [check for check, count in found.items() if count] == []
                seen.append(store.value("SELECT count(DISTINCT galaxy_id) FROM prediction"))
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    with Store.open(path, read_only=True) as store:
        assert [check for check, count in offences(store).items() if count] == []
    assert not log_path(path).with_suffix(".wal.checkpoint").exists()
