"""What a process that answers has given up: no files, no sockets, no core, an end."""

import io
import os
import resource
import signal
import socket
from pathlib import Path

import pytest
from astropy.io.votable import parse

from zoolens.catalog.serve import child
from zoolens.catalog.serve.asking import Asked, Limits
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
