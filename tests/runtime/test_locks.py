"""Who holds a file, as the system lists it."""

import fcntl
import os
from pathlib import Path

import duckdb
import pytest

from tests.made.processes import started, whole
from zoolens.catalog.runtime import locks
from zoolens.catalog.runtime.locks import holders

pytestmark = pytest.mark.skipif(
    not Path("/proc/locks").exists(), reason="this system does not list its locks"
)


def test_nobody_holds_a_file_that_is_not_open(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("a")
    assert holders(file) == []
    assert holders(tmp_path / "absent") is None


def test_a_job_of_duckdb_is_found_and_gone_after_it(tmp_path: Path) -> None:
    path = tmp_path / "gz.duckdb"
    with duckdb.connect(str(path)):
        (held,) = holders(path) or []
        assert (held.process, held.writes, held.here) == (os.getpid(), True, True)
        assert str(held) == f"process {os.getpid()} (this one) writes"
    assert holders(path) == []


def _hold(path: Path, told: Path) -> None:
    with path.open("rb") as file:
        fcntl.lockf(file, fcntl.LOCK_SH)
        told.write_text(" ".join(map(str, holders(path) or [])))


@pytest.mark.slow
def test_who_only_reads_is_told_from_who_writes(tmp_path: Path) -> None:
    path, told = tmp_path / "a", tmp_path / "told"
    path.write_text("a")
    assert whole(process := started(_hold, path, told))
    assert told.read_text() == f"process {process.pid} (this one) reads"


def test_of_lines_of_the_system_those_of_the_file_count(tmp_path: Path) -> None:
    facts = tmp_path.stat()
    device = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    lines = [
        f"1: POSIX  ADVISORY  READ 1 {device} 0 EOF",
        f"2: POSIX  ADVISORY  WRITE 1 {device} 9 9",
        f"2: -> POSIX  ADVISORY  WRITE 77 {device} 9 9",  # waits for it
        f"3: OFDLCK ADVISORY  READ -1 {device} 0 EOF",
        f"4: POSIX  ADVISORY  WRITE 5 {device}1 0 EOF",
        "5: nonsense",
    ]
    found = [(one.process, one.writes) for one in locks._held(facts, lines)]
    assert found == [(1, True), (None, False)]
