from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.serve.tap.jobs import JobStore, stamp
from zoolens.catalog.serve.workers import Failed


def test_jobs_outlive_the_store_and_damaged_ones_go(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs")
    job = store.make(10.0, 60.0)
    job.parameters["QUERY"] = "SELECT 'é'"
    store.save(job)
    damaged = store.make(10.0, 60.0)
    store.save(damaged)
    (store.folder(damaged) / "job.json").write_text("{")
    again = JobStore(tmp_path / "jobs")
    assert again.all() == [job]
    assert not store.folder(damaged).exists()
    again.delete(job)
    assert not again.folder(job).exists()
    with pytest.raises(UnknownName, match="no job"):
        again.get(job.number)


def test_a_job_is_over_when_its_time_has_come(tmp_path: Path) -> None:
    job = JobStore(tmp_path).make(10.0, 60.0)
    assert not job.is_over
    job.destruction = stamp(datetime.now(UTC) - timedelta(seconds=1))
    assert job.is_over


def test_there_are_only_so_many(tmp_path: Path) -> None:
    store = JobStore(tmp_path, most=1)
    store.make(1.0, 1.0)
    with pytest.raises(CatalogError, match="1 jobs already"):
        store.make(1.0, 1.0)


def test_a_deleted_job_is_not_saved_again(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.make(1.0, 1.0)
    store.delete(job)
    store.save(job)
    assert list(tmp_path.iterdir()) == []


def test_all_together_take_so_much_of_the_disk_and_none_goes_early(tmp_path: Path) -> None:
    store = JobStore(tmp_path, disk=1000)
    job = store.make(1.0, 3600.0)
    store.save(job)
    store.result(job).write_bytes(b"x" * 600)
    store.take(job)
    other = store.make(1.0, 3600.0)
    with pytest.raises(CatalogError, match="the first of them goes at 2"):
        store.grow(other, 500)
    store.take(other)  # whose result is gone
    store.make(1.0, 1.0)
    store.result(job).write_bytes(b"x" * 1000)
    store = JobStore(tmp_path, disk=1000)
    with pytest.raises(CatalogError, match="take all of 1e-06 GB; delete some"):
        store.make(1.0, 1.0)
    store.delete(job)
    store.make(1.0, 1.0)


def test_a_disk_that_takes_no_job_is_told_of_without_its_folder(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.make(1.0, 1.0)
    (store.folder(job) / "job.json").mkdir()
    with pytest.raises(Failed, match="the job could not be written") as caught:
        store.save(job)
    assert str(tmp_path) not in str(caught.value)
