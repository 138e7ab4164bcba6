"""What a process that answers has given up: no files, no sockets, no core, an end."""

import io
import json
import os
import resource
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from multiprocessing import Pipe
from pathlib import Path

import pytest
from astropy.io.votable import parse

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve import child
from zoolens.catalog.serve.asking import (
    BROKEN,
    FAILED,
    MEMORY,
    Asked,
    Limits,
    reason_of,
    scratch_of,
)
from zoolens.catalog.serve.opening import opened_to_ask
from zoolens.catalog.store.published import votable_type


def _forked(work: object) -> int:
    """How a forked process ends that does some work."""
    process = os.fork()
    if not process:
        code = 1
        try:
            work()  # type: ignore[operator]
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_while_a_query_runs_nothing_can_be_opened() -> None:
    with child._no_new_files():
        with pytest.raises(OSError, match="Too many open files"):
            Path("/etc/hostname").read_bytes()
        with pytest.raises(OSError, match="Too many open files"):
            socket.socket()
    socket.socket().close()


def test_an_alarm_ends_it_whatever_it_does() -> None:
    def work() -> None:
        child._give_up(Limits(seconds=0.2))
        while True:
            pass

    assert _forked(work) == -signal.SIGALRM


def test_memory_and_files_are_bounded_by_the_kernel() -> None:
    def work() -> None:
        child._give_up(Limits(memory=1 << 26, size=1000))
        with pytest.raises(MemoryError):
            bytearray(1 << 31)
        assert resource.getrlimit(resource.RLIMIT_FSIZE) == (1000, 1000)
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)

    assert _forked(work) == 0


def test_it_says_how_it_went_before_it_answers(full_gz: Path) -> None:
    said = list(child._said(full_gz, Asked("SELECT 1 AS a", "csv", 1), Limits()))
    assert said[0] == b'{"status": "ok"}\n'
    assert b"".join(said[1:]) == b"a\n1\n"
    (refusal,) = child._said(full_gz, Asked("SELECT x", "csv", 1), Limits())
    assert b'"status": "error"' in refusal


def test_columns_are_as_they_are_said_to_be(full_gz: Path) -> None:
    with opened_to_ask(full_gz, "", memory=1 << 28, threads=1) as (foreign, _):
        tables = [table for table in foreign.tables if table.columns]
    for table in tables:
        asked = Asked(f"SELECT * FROM {table.full}", "votable/td", 1)
        said = b"".join(child._said(full_gz, asked, Limits())).split(b"\n", 1)[1]
        fields = parse(io.BytesIO(said)).get_first_table().fields
        given = [(field.name, field.datatype, field.arraysize, field.xtype) for field in fields]
        assert given == [(column.name, *votable_type(column)) for column in table.columns]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyError("of ours"), FAILED),
        (MemoryError(), MEMORY),
        (OSError(12, "Cannot allocate memory"), MEMORY),
        (RuntimeError("std::bad_alloc"), MEMORY),
        (CatalogError("row 7 is none"), BROKEN),
    ],
)
def test_only_what_lacked_memory_is_said_to_and_a_fault_is_told_in_full(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def parts(*_: object) -> None:
        raise error

    monkeypatch.setattr(child, "_parts", parts)
    _, writing = Pipe(duplex=False)
    process = os.fork()
    if not process:
        child.run("gz.duckdb", Asked("SELECT 1", "csv", 1), Limits(), writing)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == code
    assert ("KeyError: 'of ours'" in capfd.readouterr().err) == (code == FAILED)
    assert reason_of(process).exists() == (code == BROKEN)
    shutil.rmtree(scratch_of(process), ignore_errors=True)


def test_an_answer_that_has_begun_is_not_ended_with_words(
    full_gz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object) -> Iterator[bytes]:
        yield b"a\n"
        raise CatalogError("row 7 is none")

    monkeypatch.setattr(child, "_answer", answer)
    said = child._said(full_gz, Asked("SELECT 1 AS a", "csv", 1), Limits())
    assert [next(said), next(said)] == [b'{"status": "ok"}\n', b"a\n"]
    with pytest.raises(CatalogError, match="row 7 is none"):
        next(said)


def test_a_full_disk_is_said_to_be_full(
    full_gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.parquet").symlink_to("/dev/full")  # in which FITS collects its rows
    monkeypatch.setattr(child, "_scratch", lambda: nullcontext(tmp_path))
    (said,) = child._said(full_gz, Asked("SELECT 1 AS a", "fits", 1), Limits())
    told = json.loads(said)
    assert told["full"]
    assert told["message"] == "the answer could not be written: No space left on device"
