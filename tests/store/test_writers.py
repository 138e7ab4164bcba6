"""Jobs that begin at one moment, in one process and in several: one works, the others are told."""

import multiprocessing
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import duckdb
import pytest

from tests.made.catalogues import blank, catalogue, random_counts
from tests.made.processes import started
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.writers import begin_writing, end_writing, writes_here
from zoolens.jobs.patience import patiently
from zoolens.jobs.reports import PredictReport


def test_one_job_of_a_process_writes_at_a_time(tmp_path: Path) -> None:
    path, link = blank(tmp_path / "gz.duckdb"), tmp_path / "link.duckdb"
    link.symlink_to(path)
    begin_writing(path)
    assert writes_here(link)
    with pytest.raises(CatalogBusy, match="another job of this program"):
        begin_writing(link)
    end_writing(link)
    assert not writes_here(path)
    with Store.open(path):
        for again in (path, link):
            with pytest.raises(CatalogBusy, match="another job of this program"):
                Store.open(again)
        with Store.open(path, read_only=True) as reader:
            assert reader.value("SELECT count(*) FROM galaxies") == 0
    with Store.open(path):
        pass


def test_a_store_that_could_not_be_opened_or_was_forgotten_keeps_nobody_away(
    tmp_path: Path,
) -> None:
    path = tmp_path / "gz.duckdb"
    path.write_bytes(b"x" * 20_000)
    for _ in range(2):
        with pytest.raises(CatalogError, match="nor any DuckDB file"):
            Store.open(path)
    blank(path)
    Store.open(path)
    with Store.open(path):
        pass


def test_threads_do_not_take_each_others_runs_for_abandoned(tmp_path: Path) -> None:
    path = blank(tmp_path / "gz.duckdb")
    together = threading.Barrier(4)
    told: list[str] = []

    def work(seed: int) -> None:
        together.wait()
        try:
            with Store.open(path) as store:
                run = store.begin("predict", {"seed": seed})
                store.finish(run)
                told.append("done")
        except CatalogBusy:
            told.append("busy")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(told)) in (["busy", "done"], ["done"])
    assert len(told) == 4
    with Store.open(path, read_only=True) as store:
        assert len(store.complete_runs("predict")) == told.count("done")


def test_a_later_job_waits_for_a_reader_of_the_same_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    reader = duckdb.connect(str(path), read_only=True)
    monkeypatch.setattr("time.sleep", lambda _: reader.close())
    report = PredictReport(1, 0, 0, 0, None, (), changed=False)

    def job() -> PredictReport:
        with Store.open(path):
            return report

    assert patiently(job) is report


def _race(path: Path, together: Barrier, told: Connection) -> None:
    together.wait()
    try:
        with Store.open(path, create=True) as store:
            told.send(store.value("SELECT count(*) FROM galaxies"))
    except CatalogBusy:
        told.send("busy")
    except BaseException as error:
        told.send(repr(error))


def _raced(path: Path, racers: int) -> list[object]:
    together = multiprocessing.get_context("forkserver").Barrier(racers)
    pipes = [Pipe() for _ in range(racers)]
    jobs = [started(_race, path, together, there) for _, there in pipes]
    told = [here.recv() for here, _ in pipes]
    for job in jobs:
        job.join()
    return told


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["new", "old", "other views"])
def test_processes_that_begin_or_migrate_a_catalogue_at_one_moment(
    tmp_path: Path, kind: str
) -> None:
    from importlib import import_module

    first = import_module("zoolens.migrations.versions.0001_first_schema")
    for number in range(4):
        path = tmp_path / f"{number}.duckdb"
        if kind == "old":
            with duckdb.connect(str(path)) as connection:
                for statement in first.STATEMENTS:
                    connection.execute(statement)
                connection.execute("CREATE TABLE alembic_version (version_num VARCHAR NOT NULL)")
                connection.execute("INSERT INTO alembic_version VALUES ('0001')")
        elif kind == "other views":
            with duckdb.connect(str(blank(path))) as connection:
                connection.execute("DELETE FROM setting WHERE name = 'views_sha256'")
        told = _raced(path, 3)
        assert set(told) <= {0, "busy"}
        assert 0 in told
        with Store.open(path, read_only=True) as store:
            assert store.value("SELECT count(*) FROM galaxies") == 0


def _migrate_on_a_full_disk(path: Path, told: Connection) -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
    try:
        Store.open(path, create=True)
    except BaseException as error:
        told.send((type(error).__name__, str(error)))


@pytest.mark.slow
def test_a_disk_that_is_full_while_a_catalogue_is_made_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    here, there = Pipe()
    started(_migrate_on_a_full_disk, path, there).join()
    kind, told = here.recv()
    assert kind == "CatalogError"
    assert "is the disk full" in told
    assert "\n" not in told
    with Store.open(path, create=True) as store:
        assert store.value("SELECT count(*) FROM galaxies") == 0
