"""The workers of a cluster: who is there, who is fit, and what they agree on."""

import pickle
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from zoolens.catalog.cluster.asked import Asked, Queue
from zoolens.catalog.cluster.connecting import Said
from zoolens.catalog.cluster.working import (
    DONE,
    PACKAGES,
    Needed,
    Task,
    entrance,
    surroundings,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.progress import remark
from zoolens.catalog.runtime.signals import raise_if_interrupted
from zoolens.catalog.store.store import code_version

_BLAMES = 3  # parts in a row that fail at one worker and not at others
_SAY = 60.0  # seconds of waiting between two words about it
_ANSWER = 300.0  # seconds in which a worker has loaded its models
_PAUSED = 10.0  # seconds between two looks at who is paused
_FETCHED = 60.0  # seconds in which a result has come, if its worker is still there


class Team:
    """Workers by address; methods are called by one thread at a time.

    threads: of those that are fit. needed: what each is to see.
    """

    def __init__(self, client: Any, asked: Asked, said: Said) -> None:
        self.client, self._asked, self._said = client, asked, said
        self.needed = Needed()
        self.entrance = entrance()
        self.refused: dict[str, str] = {}
        self._blamed: defaultdict[str, set[int]] = defaultdict(set)
        self._there: dict[str, int] = {}
        self._alone = time.monotonic()  # since when nobody is fit
        self._paused: set[str] = set()
        self._paused_looked = time.monotonic()
        self.threads = 0

    def await_first(self) -> None:
        """Wait for a worker. Raises `CatalogError` if none comes."""
        said = time.monotonic()
        while not self.look():
            raise_if_interrupted()
            time.sleep(0.1)
            if not isinstance(self._asked, Queue):
                continue
            if self._said.last:
                raise CatalogError(f"{self._asked.file}: no job could begin: {self._said.last}")
            if time.monotonic() - said > _SAY:
                said = time.monotonic()
                remark(f"waiting for the first of {self._asked.jobs:,} jobs to begin")

    def look(self) -> set[str]:
        """Heed who came and went; who is fit. Raises `CatalogError` if nobody is for long."""
        if self.client.status != "running":
            raise _lost()
        try:
            self._there = dict(self.client.nthreads())
        except (OSError, TimeoutError, RuntimeError):
            raise _lost() from None
        gone = (self.refused.keys() | self._blamed.keys()) - self._there.keys()
        for worker in gone - self.refused.keys():
            del self._blamed[worker]
        fit = self._there.keys() - self.refused.keys()
        self.threads = sum(self._there[worker] for worker in fit)
        if fit:
            self._alone = time.monotonic()
        elif self._there or time.monotonic() - self._alone > self._asked.patience:
            raise self._nobody()  # all are refused, or none came
        return set(fit)

    def fit_for(self, failed_at: Iterable[str]) -> set[str] | None:
        """Workers that may have a part which failed at some; None if any may."""
        unfit = self.refused.keys() & self._there.keys()
        others = self._there.keys() - unfit
        elsewhere = others - {*failed_at}
        if elsewhere and elsewhere != others:
            return set(elsewhere)
        return set(others) if unfit and others else None

    def refuse(self, worker: str, reason: str) -> None:
        """Give a worker nothing more to do, and say so once."""
        if worker not in self.refused:
            self.refused[worker] = reason
            remark(f"worker {worker} is left out: {reason}")
            self.look()

    def refuse_paused(self) -> list[Any]:
        """Refuse workers that stay paused by Dask for lack of memory; keys of what they had to do.

        Dask has them go on once they have given up results that they keep, of which parts leave
        none: what a part needs to be computed is not given up.
        """
        if time.monotonic() - self._paused_looked < _PAUSED:
            return []
        self._paused_looked = time.monotonic()
        workers = self.client.scheduler_info()["workers"]
        paused = {one for one, told in workers.items() if told["status"] == "paused"}
        stay, self._paused = paused & self._paused - self.refused.keys(), paused
        keys = [key for one in self.client.processing([*stay]).values() for key in one]
        for one in stay:
            used, limit = workers[one]["metrics"]["memory"], workers[one]["memory_limit"]
            self.refuse(
                one,
                f"Dask has paused it for lack of memory, of which it has {limit / 1e9:.1f} GB and "
                f"takes {used / 1e9:.1f}; give workers more, or ask for fewer",
            )
        return keys

    def praise(self, worker: str) -> None:
        """A part was done there."""
        self._blamed.pop(worker, None)

    def blame(self, worker: str, part: int, reason: str) -> bool:
        """A part failed there; whether it is the worker's fault."""
        self._blamed[worker].add(part)
        others = self._there.keys() - self.refused.keys() - self._blamed.keys()
        if len(self._blamed[worker]) >= _BLAMES and others:
            self.refuse(worker, f"{_BLAMES} parts in a row failed there, the last so: {reason}")
        return worker in self.refused

    def task(self, function: bytes, item: bytes) -> bytes:
        """A part of work, as workers take it."""
        return Task(code_version(), self.needed, function, item).packed()

    def everywhere(
        self, function: Callable[[Any], Any], item: Any = None, *, tries: int = 3
    ) -> dict[str, Any]:
        """What each fit worker makes of an item; who cannot is refused.

        Raises `CatalogError` if none can.
        """
        self.await_first()
        task = self.task(pickle.dumps(function), pickle.dumps(item))
        asked = {
            worker: self.client.submit(self.entrance, task, workers=[worker], pure=False)
            for worker in self.look()
        }
        ends = time.monotonic() + _ANSWER
        while any(not future.done() for future in asked.values()):
            raise_if_interrupted()
            self.refuse_paused()
            there = self.look()
            asked = {worker: one for worker, one in asked.items() if worker in there}
            if time.monotonic() > ends:
                for worker in [worker for worker, one in asked.items() if not one.done()]:
                    self.refuse(worker, f"it does not answer within {_ANSWER:.0f} s")
            time.sleep(0.02)
        found = {}
        for worker, future in asked.items():
            if future.status != "finished":
                self.refuse(worker, _why(future))
                continue
            try:
                kind, _, value = future.result(timeout=_FETCHED)
            except TimeoutError:  # it went away with its result
                continue
            if kind == DONE:
                found[worker] = value
            else:
                self.refuse(worker, value)
        if found:
            return found
        if self.refused or tries == 1:
            raise self._nobody()
        return self.everywhere(function, item, tries=tries - 1)  # they went away meanwhile

    def results(self, futures: list[Any]) -> list[Any]:
        """Those of futures that ended well. Raises `TimeoutError` if workers went with theirs."""
        fetch = partial(self.client.gather, futures, asynchronous=True)
        return self.client.sync(fetch, callback_timeout=_FETCHED) if futures else []

    def agreed(self, choose: Callable[[], str]) -> str:
        """What all workers choose. Raises `CatalogError` if they do not agree."""
        chosen = self.everywhere(partial(_call, choose))
        by_choice = {choice: worker for worker, choice in chosen.items()}
        if len(by_choice) > 1:
            differing = ", ".join(f"{one} on {worker}" for one, worker in sorted(by_choice.items()))
            raise CatalogError(f"--cluster: workers differ: {differing}; say which, as in --engine")
        return str(next(iter(by_choice)))

    def tell_versions(self) -> None:
        """Say which workers have other packages than this process."""
        here = surroundings(None)
        for worker, found in self.everywhere(surroundings).items():
            other = [f"{name} {found[name]}" for name in PACKAGES if found[name] != here[name]]
            if other:
                mine = ", ".join(f"{name} {here[name]}" for name in PACKAGES)
                remark(
                    f"worker {worker} has {', '.join(other)}, and this process {mine}: the last "
                    "digits may differ"
                )
                break

    def _nobody(self) -> CatalogError:
        if self.refused:
            worker, reason = next(reversed(self.refused.items()))
            return CatalogError(f"--cluster: no worker can do this; {worker}: {reason}")
        return CatalogError(
            f"--cluster: no worker came and stayed within {self._asked.patience:.0f} s; see that "
            "they start and have the memory, and the same command goes on"
        )


def _call(choose: Callable[[], str], _: None) -> str:
    return choose()


def _why(future: Any) -> str:
    if future.status != "error":
        return "it went away"
    error = future.exception()
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _lost() -> CatalogError:
    return CatalogError(
        "--cluster: the scheduler is gone; once it runs again, the same command goes on"
    )
