"""A Dask cluster in processes of its own, to be killed, stopped and starved."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

import psutil

from tests.made.processes import started

MEMORY = 2500 * 2**20  # bytes of a worker: what it imports takes half, at 0.8 Dask pauses it


@dataclass
class Site:
    """A scheduler and workers of one thread, each with a nanny that replaces it."""

    port: int = 0
    scheduler: BaseProcess | None = None
    nannies: list[BaseProcess] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start(self, workers: int = 2) -> None:
        """Start all of it anew."""
        self.stop()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.scheduler = started(_schedule, self.port)
        for _ in range(workers):
            self.add()

    def add(self, preload: tuple[str, ...] = ()) -> None:
        """One more worker."""
        self.nannies.append(started(_work, self.address, preload))

    def stop(self) -> None:
        """Kill all of it."""
        workers = self.workers()
        for process in (*self.nannies, *([self.scheduler] if self.scheduler else [])):
            process.kill()
            process.join()
        for pid in workers:  # else they would end by themselves, in a moment
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.scheduler, self.nannies = None, []

    def workers(self) -> list[int]:
        """Process numbers of the workers that run."""
        found = []
        for nanny in self.nannies:
            with suppress(psutil.Error):
                children = psutil.Process(nanny.pid).children()
                found += [one.pid for one in children if "spawn_main" in " ".join(one.cmdline())]
        return found

    def signal(self, pid: int, number: int) -> bool:
        """Send a signal to a worker; whether it was there."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False


@contextmanager
def site() -> Iterator[Site]:
    """A cluster of two workers that ends with the block."""
    made = Site()
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _schedule(port: int) -> None:
    from distributed import Scheduler

    async def run() -> None:
        async with Scheduler(
            host="127.0.0.1", port=port, dashboard=False, allowed_failures=2
        ) as scheduler:
            await scheduler.finished()

    _silence()
    asyncio.run(run())


def _work(address: str, preload: tuple[str, ...]) -> None:
    from distributed import Nanny

    async def run() -> None:
        async with Nanny(
            address,
            nthreads=1,
            host="127.0.0.1",
            memory_limit=MEMORY,
            preload=[*preload],
            env={"DASK_LOGGING__DISTRIBUTED": "critical", "PYTHONWARNINGS": "ignore"},
        ) as nanny:
            await nanny.finished()

    _silence()
    asyncio.run(run())


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def eat(share: float) -> int:
    """On a worker: take memory until its nanny ends it."""
    held = bytearray(int(share * MEMORY))
    held[::4096] = b"\1" * len(held[::4096])
    time.sleep(20)
    return len(held)
