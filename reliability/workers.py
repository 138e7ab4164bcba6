"""Processes in which cases run: with a bound on memory, and killed if they hang."""

import faulthandler
import os
import resource
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

from reliability.cases import Case, Verdict, failed, judged
from reliability.world import World
from tests.made.processes import started

MEMORY = 3 * 2**30  # bytes that a case may take beyond what the worker had, of addresses
RESIDENT = 1536 * 2**20  # bytes that it may really use
PATIENCE = 120.0  # seconds, on a machine that may be busy
_CASES = 200  # after which a worker is replaced


class Worker:
    """A process that judges cases, one after the other; replaced if it crashes or hangs."""

    def __init__(self, world: World, jobs: str = "reliability.campaigns") -> None:
        """jobs: the module whose `JOBS` has the jobs of each campaign."""
        self.world, self._jobs = world, jobs
        self._start()

    def _start(self) -> None:
        ours, theirs = Pipe()
        self._process = started(_serve, theirs, self.world, self._jobs)
        theirs.close()
        self._pipe, self._judged = ours, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def judge(self, case: Case, folder: Path) -> Verdict:
        """The verdict on a case, whose files are made in `folder`."""
        if self._judged == _CASES:
            self._end()
            self._start()
        self._judged += 1
        try:
            self._pipe.send((case.campaign, case.job, case.number, case.seed, folder))
            if self._pipe.poll(PATIENCE):
                verdict: Verdict = self._pipe.recv()
                return verdict
            words = f"hangs: not done within {PATIENCE:g} s"
        except (EOFError, ConnectionError):
            self._process.join()
            words = f"crashes: the process ended with {self._process.exitcode}"
        self._end()
        self._start()
        return failed(words)


def _serve(pipe: Connection, world: World, module: str) -> None:
    jobs = import_module(module).JOBS
    faulthandler.disable()
    _silence()
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            *facts, folder = pipe.recv()
        except EOFError:
            return
        case = Case(*facts)
        folder.mkdir(parents=True)
        _forget_peak()
        before = _peak()
        verdict = judged(lambda: jobs[case.campaign][case.job].run(case, world, folder))  # noqa: B023
        if _peak() - before > RESIDENT:
            verdict = failed(f"memory: {(_peak() - before) / 2**20:,.0f} MiB")
        pipe.send(verdict)


def _silence() -> None:
    """Libraries' warnings are not what is judged here."""
    from zoolens.catalog.runtime.progress import set_quiet

    set_quiet(True)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The most memory that this process has used since it was forgotten, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0
