"""A map over a cluster whose results come in order, in bounded memory.

No more parts are with Dask than workers have threads, so that a part which kills its worker takes
no other with it; a few more wait here. A thread hands them on, and settles what comes back, while
whoever asked is busy with results.
"""

import pickle
import time
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from secrets import token_hex
from threading import Condition, Thread
from typing import Any, Protocol

from zoolens.catalog.cluster.connecting import DEATHS
from zoolens.catalog.cluster.team import Team
from zoolens.catalog.cluster.working import BROKEN, DONE, FULL, UNFIT, Answer
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.computing import Failed
from zoolens.catalog.runtime.progress import remark
from zoolens.catalog.runtime.signals import raise_if_interrupted

GOES_ON = "the same command goes on"
AHEAD = 4  # parts per thread of a worker, begun or done before they are asked for
_LEAST = 16  # or so many
_TRIES = 3  # of a part
_HOPELESS = 5  # parts that fail one after the other, so that it is not they
_LOOK = 1.0  # seconds between two looks at the workers


class Pack(Protocol):
    """Makes the task of a part."""

    def __call__(self, item: bytes, /) -> bytes: ...


class _Part:
    """A part on its way: its number and task, and the workers at which it failed."""

    __slots__ = ("failed_at", "number", "only", "task")

    def __init__(self, number: int, task: bytes) -> None:
        self.number, self.task = number, task
        self.failed_at: list[str] = []
        self.only: set[str] | None = None  # the workers that may have it, if not all


def ordered(team: Team, pack: Pack, items: Iterable[Any], label: str) -> Generator[Any, None, None]:
    """The results of parts, or `Failed`, in the order of the items.

    Close the generator if it is left early. Raises `CatalogError` where no part can be done.
    """
    course, parts = _Course(team, label), enumerate(items)
    begun, ended = 0, False
    try:
        for asked in range(10**18):
            while not ended and begun < asked + max(_LEAST, AHEAD * team.threads):
                number, item = next(parts, (begun, None))
                ended = item is None
                if not ended:
                    course.give(_Part(number, pack(pickle.dumps(item))))
                    begun += 1
            if asked == begun:
                return
            yield course.result(asked)
    finally:
        course.end()


class _Course:
    """What one map has with Dask, and the thread that sees to it."""

    def __init__(self, team: Team, label: str) -> None:
        # its own name: a worker may still be at what an earlier map gave up
        self._team, self._name = team, f"{label}-{token_hex(4)}"
        self._waiting: deque[_Part] = deque()
        self._out: dict[Any, _Part] = {}  # by Dask's future
        self._ended: SimpleQueue[Any] = SimpleQueue()  # futures, or None to wake the thread
        self._results: dict[int, Any] = {}
        self._news = Condition()
        self._error: BaseException | None = None
        self._closing = False
        self._submitted = self._hopeless = 0
        self._looked = time.monotonic()
        self._thread = Thread(target=self._see_to_it, daemon=True)
        self._thread.start()

    def give(self, part: _Part) -> None:
        self._waiting.append(part)
        self._ended.put(None)

    def result(self, number: int) -> Any:
        with self._news:
            while number not in self._results:
                if self._error is not None:
                    raise self._error
                self._news.wait(0.5)
                raise_if_interrupted()
            return self._results.pop(number)

    def end(self) -> None:
        self._closing = True
        self._ended.put(None)
        self._thread.join()
        if self._out:
            with suppress(Exception):  # the scheduler may be what was lost
                self._team.client.cancel([*self._out], force=True)
        self._out.clear()

    def _see_to_it(self) -> None:
        try:
            while not self._closing:
                self._hand_on()
                self._settle(self._come_back())
                if time.monotonic() - self._looked > _LOOK:
                    self._look()
        except BaseException as error:  # for the thread that asks
            with self._news:
                self._error = error
                self._news.notify_all()

    def _come_back(self) -> list[Any]:
        """Futures that ended; waits a moment for one."""
        ended = []
        with suppress(Empty):
            ended.append(self._ended.get(timeout=_LOOK))
            while True:
                ended.append(self._ended.get_nowait())
        return [future for future in ended if future is not None]

    def _hand_on(self) -> None:
        while self._waiting and len(self._out) < self._team.threads:
            part = self._waiting.popleft()
            self._submitted += 1
            part.only = self._team.fit_for(part.failed_at)
            future = self._team.client.submit(
                self._team.entrance,
                part.task,
                key=(self._name, self._submitted),
                workers=None if part.only is None else [*part.only],
                pure=False,
            )
            self._out[future] = part
            future.add_done_callback(self._ended.put)

    def _settle(self, futures: list[Any]) -> None:
        known = [future for future in futures if future in self._out]
        done = [future for future in known if future.status == "finished"]
        try:
            answers = self._team.results(done)
        except Exception:  # that of a worker which died since is computed again
            answers = [None] * len(done)
        found = dict(zip(done, answers, strict=True))
        for future in known:
            part = self._out.pop(future)
            if future.status == "error":
                self._died(part, future)
            elif found.get(future) is None:
                self._again(part)
            else:
                self._answered(part, found[future])

    def _answered(self, part: _Part, answer: Answer) -> None:
        kind, worker, value = answer
        if kind == DONE:
            self._hopeless = 0
            self._team.praise(worker)
            self._found(part, value)
        elif kind == UNFIT:
            self._team.refuse(worker, value)
            self._again(part)
        elif kind == FULL:
            raise CatalogError(
                f"the disk of the parts is full ({value}); with room made for it, {GOES_ON}"
            )
        elif kind == BROKEN:
            part.failed_at.append(worker)
            if self._team.blame(worker, part.number, value):
                part.failed_at.remove(worker)
            if len(part.failed_at) == _TRIES:
                self._give_up(part, value)
            else:
                self._again(part)

    def _died(self, part: _Part, future: Any) -> None:
        from distributed import KilledWorker

        error = future.exception()
        if isinstance(error, KilledWorker):
            self._give_up(part, f"{DEATHS} workers died at it, as for lack of memory")
            return
        part.failed_at.append("")  # a task that did not begin: nobody says where
        if len(part.failed_at) == _TRIES:
            self._give_up(part, " ".join(f"{type(error).__name__}: {error}".split())[:200])
        else:
            self._again(part)

    def _again(self, part: _Part) -> None:
        self._waiting.appendleft(part)

    def _give_up(self, part: _Part, reason: str) -> None:
        self._hopeless += 1
        if self._hopeless == _HOPELESS:
            raise CatalogError(
                f"{_HOPELESS} parts failed one after the other, the last one so: {reason}; once "
                f"that is mended, {GOES_ON}"
            )
        remark(f"a part failed {_TRIES} times, and the rest goes on: {reason}")
        self._found(part, Failed(reason))

    def _found(self, part: _Part, result: Any) -> None:
        with self._news:
            self._results[part.number] = result
            self._news.notify_all()

    def _look(self) -> None:
        """Heed workers that came, went or are paused; their parts are for others."""
        stuck = {*self._team.refuse_paused()}
        there = self._team.look()
        self._looked = time.monotonic()
        for future, part in [*self._out.items()]:
            gone = part.only is not None and part.only.isdisjoint(there)
            if gone or future.key in stuck:
                del self._out[future]
                future.cancel()
                self._again(part)
