"""Queries in processes: what they may take, how they end, and that nothing of them is left."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.serve.asking import BROKEN, FAILED, MEMORY, Asked, Limits
from zoolens.catalog.serve.errors import status_of
from zoolens.catalog.serve.workers import Answering, Busy, End, Failed, Full, Workers

_MANY = "SELECT COUNT(*) FROM " + ", ".join(f"votes v{n}" for n in range(6))
_WIDE = "SELECT a.iauname FROM votes a, votes b, votes c ORDER BY b.count, a.label"
_LONG = "SELECT a.iauname FROM votes a, votes b, votes c"


def _with(work: Callable[[Workers], Coroutine[Any, Any, Any]], most: int = 2, **more: Any) -> Any:
    async def run() -> Any:
        workers = Workers(most, **more)
        try:
            return await work(workers)
        finally:
            workers.close()

    return asyncio.run(run())


async def _ask(workers: Workers, path: Path, query: str, limits: Limits, rows: int = 10) -> bytes:
    async with workers.answering(path, Asked(query, "csv", rows), limits) as answer:
        await answer.begin()
        return b"".join([part async for part in answer.parts()])


def _children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


@pytest.mark.slow
def test_queries_end_by_themselves_or_by_their_limits(full_gz: Path) -> None:
    async def work(workers: Workers) -> None:
        plenty = Limits()
        body = await _ask(workers, full_gz, "SELECT COUNT(*) FROM galaxies", plenty)
        assert body == b"count\n30\n"
        with pytest.raises(CatalogError, match="it took more than 1 s"):
            await _ask(workers, full_gz, _MANY, Limits(seconds=1.0))
        with pytest.raises(CatalogError, match=r"more than 0\.06 GB of memory"):
            await _ask(workers, full_gz, _WIDE, Limits(memory=60_000_000), 10**7)
        with pytest.raises(CatalogError, match="no table galaxie"):
            await _ask(workers, full_gz, "SELECT ra FROM galaxie", plenty)
        await asyncio.sleep(0.5)
        assert workers.running == 0
        assert _children(workers._process.pid) == []

    _with(work)


@pytest.mark.slow
def test_who_leaves_ends_their_query(full_gz: Path) -> None:
    async def work(workers: Workers) -> None:
        asked = Asked(_LONG, "csv", 10**9)
        async with workers.answering(full_gz, asked, Limits()) as answer:
            await answer.begin()
            assert workers.running == 1
        for _ in range(100):
            if not workers.running:
                break
            await asyncio.sleep(0.05)
        assert _children(workers._process.pid) == []

    _with(work)


@pytest.mark.slow
def test_too_many_are_told_to_come_again(full_gz: Path) -> None:
    async def work(workers: Workers) -> None:
        async with workers.answering(full_gz, Asked(_LONG, "csv", 10**9), Limits()) as answer:
            await answer.begin()
            waiting = asyncio.ensure_future(_ask(workers, full_gz, "SELECT 1", Limits()))
            await asyncio.sleep(0.05)
            with pytest.raises(Busy, match="too many queries wait"):
                await _ask(workers, full_gz, "SELECT 1", Limits())
            with pytest.raises(Busy, match="longer than"):
                await waiting
        assert await _ask(workers, full_gz, "SELECT 1", Limits()) == b"col1\n1\n"

    _with(work, 1, waiting=1, patience=0.3)


@pytest.mark.slow
def test_where_the_forking_process_dies_queries_fail_and_it_shows(full_gz: Path) -> None:
    async def work(workers: Workers) -> None:
        asked = Asked(_MANY, "csv", 10)
        async with workers.answering(full_gz, asked, Limits()) as answer:
            await asyncio.sleep(1.0)
            os.kill(workers._process.pid, 9)
            with pytest.raises(CatalogError, match="the server ended it"):
                await answer.begin()
        workers._process.wait(60)  # which is told before it has quite ended
        assert not workers.alive

    _with(work)


def test_an_order_that_a_dead_process_never_read_fails_like_the_others(
    full_gz: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(workers: Workers) -> None:
        os.kill(workers._process.pid, signal.SIGSTOP)
        asked = Asked("SELECT COUNT(*) FROM votes", "csv", 10)
        async with workers.answering(full_gz, asked, Limits()) as answer:
            os.kill(workers._process.pid, 9)
            with pytest.raises(CatalogError, match="the server ended it"):
                await asyncio.wait_for(answer.begin(), 60)

    _with(work)
    assert not caplog.records  # nor does the loop of events complain


@pytest.mark.parametrize(
    ("end", "kind", "said"),
    [
        (End(1), Failed, "failed at this query; its log says why"),
        (End(FAILED), Failed, "failed at this query; its log says why"),
        (End(-signal.SIGSEGV), Failed, "failed at this query; its log says why"),
        (End(MEMORY), CatalogError, "more than 1.07 GB of memory"),
        (End(-signal.SIGABRT), CatalogError, "more than 1.07 GB of memory"),
        (End(-signal.SIGKILL), CatalogError, "the machine had no memory left"),
        (End(-signal.SIGALRM), CatalogError, "more than 60 s"),
        (End(BROKEN, "row 7 is none"), CatalogError, "^row 7 is none$"),
        (End(None), Failed, "the server ended it"),
    ],
)
def test_each_end_is_told_as_what_it_was(end: End, kind: type[CatalogError], said: str) -> None:
    with pytest.raises(CatalogError, match=said) as caught:
        asyncio.run(_begun(b"", end))
    assert caught.type is kind


async def _begun(said: bytes, end: End) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(said)
    reader.feed_eof()
    ended = asyncio.get_running_loop().create_future()
    ended.set_result(end)
    await Answering(reader, ended, Limits()).begin()


@pytest.mark.parametrize(
    ("more", "kind", "status"),
    [({}, CatalogError, 400), ({"absent": True}, UnknownName, 404), ({"full": True}, Full, 507)],
)
def test_a_refusal_has_the_status_of_what_was_lacking(
    more: dict[str, bool], kind: type[CatalogError], status: int
) -> None:
    said = json.dumps({"status": "error", "message": "there is none", **more}) + "\n"
    with pytest.raises(CatalogError, match=r"^there is none$") as caught:
        asyncio.run(_begun(said.encode(), End(0)))
    assert caught.type is kind
    assert status_of(caught.value)[0] == status
