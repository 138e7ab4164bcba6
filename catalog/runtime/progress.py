"""Progress on stderr: a bar in a terminal, a line now and then in the log of a long job.

Every step of work passes through here, so this is where a Ctrl-C that a library swallowed takes
effect.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic as _now

from zoolens.catalog.runtime.signals import raise_if_interrupted

_FIRST, _LAST = 30.0, 600.0  # seconds between two lines, at least and at most

_quiet = False


def set_quiet(quiet: bool) -> None:
    """Silence every bar of this process (`--quiet`)."""
    global _quiet
    _quiet = quiet


def is_quiet() -> bool:
    """Whether this process shows only results."""
    return _quiet


def remark(text: str) -> None:
    """A line on stderr, unless this process is to be quiet."""
    if not _quiet and sys.stderr is not None:
        print(f"zoolens: {text}", file=sys.stderr, flush=True)


def notice(sentence: str) -> None:
    """Say on stderr what a user has to know to read the results, quiet or not."""
    print(f"zoolens: {sentence}", file=sys.stderr, flush=True)


class Bar:
    """What a job moves forward; it ends the job where Ctrl-C was swallowed."""

    def __init__(self, show: Callable[[int], object] | None = None) -> None:
        self._show = show

    def advance(self, steps: int = 1) -> None:
        raise_if_interrupted()
        if self._show is not None:
            self._show(steps)


@contextmanager
def progress(description: str, total: int) -> Iterator[Bar]:
    """Progress over `total` steps on stderr, with rate and time left."""
    if _quiet or sys.stderr is None:
        yield Bar()
        return
    if not sys.stderr.isatty():
        yield Bar(_Log(description, total).advance)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        task = bars.add_task(description, total=total)
        yield Bar(lambda steps: bars.advance(task, steps))


class _Log:
    """Lines on a step of a long job: the first after `_FIRST` seconds of work, then ever rarer.

    The job may be of many short steps, so these times are of the process. Work begins anew
    where nothing has moved for long, as in a notebook.
    """

    _begun = _next = _moved = -inf

    def __init__(self, description: str, total: int) -> None:
        self._description, self._total, self._done = description, total, 0
        self._step_begun = now = _now()
        if now - _Log._moved > _FIRST:
            _Log._begun, _Log._next = now, now + _FIRST
        _Log._moved = now

    def advance(self, steps: int) -> None:
        self._done += steps
        _Log._moved = now = _now()
        if now < _Log._next:
            return
        _Log._next = now + min(max(_FIRST, (now - _Log._begun) / 5), _LAST)
        share = 100 * self._done // max(1, self._total)
        done = f"{self._description}: {self._done:,} of {self._total:,} ({share} %)"
        if not self._done:  # nothing of it has come through yet: no pace is known
            remark(done)
            return
        each = max(now - self._step_begun, 1e-9) / self._done
        pace = f"{1 / each:,.1f} per second" if each <= 1 else f"{each:,.1f} s each"
        remark(f"{done}, {pace}, {_span((self._total - self._done) * each)} left")


def _span(seconds: float) -> str:
    """A time as people say it: `50 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
