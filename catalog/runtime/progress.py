"""Progress: a bar in a terminal or notebook, a line now and then in the log of a long job.

Every step of work passes through here, so this is where a Ctrl-C that a library swallowed takes
effect.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic as _now

from zoolens.catalog.runtime.notebook_bar import in_kernel, is_watched, notebook_bar
from zoolens.catalog.runtime.signals import raise_if_interrupted

_FIRST, _LAST = 30.0, 600.0  # seconds between two lines, at least and at most

_quiet = False
_step: "Callable[[int], Bar] | None" = None  # makes bars that move another one


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

    def __init__(
        self,
        show: Callable[[int, str], object] | None = None,
        passed: Callable[[int], object] | None = None,
    ) -> None:
        self._show, self._passed = show, passed

    def advance(self, steps: int = 1, now: str = "") -> None:
        """now: what is being done, if it is no longer what it was."""
        raise_if_interrupted()
        if self._show is not None:
            self._show(steps, now)

    def passed(self, steps: int) -> None:
        """Move past steps that were done before: they tell nothing of the pace."""
        if self._passed is not None:
            self._passed(steps)


class Whole:
    """A line for work of several shares, such as the pieces of a survey: one rate, one time left.

    Steps of work within a share move it; what they do not move is passed as the share ends.
    """

    def __init__(self, bar: Bar) -> None:
        self._bar, self._left = bar, 0

    @contextmanager
    def share(self, steps: int, *, done: bool = False) -> Iterator[None]:
        """A share of so many steps. done: it was done elsewhere, just now."""
        self._left = steps
        yield
        (self._bar.advance if done else self._bar.passed)(self._left)
        self._left = 0

    def step(self, total: int) -> Bar:
        """The bar of a step of work within the share, which may find some of it done."""
        self._move(max(0, self._left - total), self._bar.passed)
        return Bar(lambda steps, _: self._move(steps, self._bar.advance))

    def _move(self, steps: int, by: Callable[[int], object]) -> None:
        steps = min(steps, self._left)
        self._left -= steps
        by(steps)


@contextmanager
def one_line(description: str, total: int) -> Iterator[Whole]:
    """One line of progress for all steps of work within, each of which would have its own."""
    with progress(description, total) as bar:
        whole = Whole(bar)
        with _moving(whole.step):
            yield whole


@contextmanager
def within(bar: Bar) -> Iterator[None]:
    """Let the steps of bars that begin meanwhile be steps of this one, and show no other."""
    with _moving(lambda _: Bar(bar.advance)):
        yield


@contextmanager
def _moving(step: Callable[[int], Bar]) -> Iterator[None]:
    global _step
    before, _step = _step, step
    try:
        yield
    finally:
        _step = before


@contextmanager
def progress(
    description: str,
    total: int,
    *,
    done: int = 0,
    unit: str = "",
    every: float | None = None,
) -> Iterator[Bar]:
    """Progress over `total` steps on stderr, or below a notebook's cell, with time left.

    done: steps that an earlier process did. unit: what the steps are, in a log. every: seconds
    between two lines of a log, which else become rarer; a job that has it is one of hours.
    """
    if _step is not None:
        yield _step(total - done)
        return
    watched = is_watched()
    if _quiet or sys.stderr is None or (in_kernel() and not watched):
        yield Bar()  # a notebook that is executed becomes a page, which wants results alone
        return
    if watched:
        with notebook_bar(description, total, done, unit, _span) as (show, passed):
            yield Bar(show, passed)
        return
    if not sys.stderr.isatty():
        log = _Log(description, total, done, unit, every)
        yield Bar(log.advance, log.passed)
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
        BarColumn(None if every else 40),  # as wide as long words leave it
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        speed_estimate_period=_LAST if every else _FIRST,
    ) as bars:
        task = bars.add_task(description, total=total, completed=done)

        def pass_by(steps: int) -> None:
            bars.tasks[0].completed += steps  # an update would be taken for the pace

        def move(steps: int, now: str) -> None:
            bars.update(task, advance=steps, description=now or None)

        yield Bar(move, pass_by)


class _Log:
    """Lines on a step of a long job: the first after `_FIRST` seconds of work, then ever rarer.

    The job may be of many short steps, so these times are of the process. Work begins anew
    where nothing has moved for long, as in a notebook.
    """

    _begun = _next = _moved = -inf

    def __init__(
        self, description: str, total: int, before: int, unit: str, every: float | None
    ) -> None:
        self._description, self._total, self._unit = description, total, unit
        self._before, self._done, self._every = before, 0, every
        self._step_begun = now = _now()
        if now - _Log._moved > _FIRST:
            _Log._begun, _Log._next = now, now + _FIRST
        _Log._moved = now

    def passed(self, steps: int) -> None:
        self._before += steps

    def advance(self, steps: int, description: str) -> None:
        self._done += steps
        self._description = description or self._description
        _Log._moved = now = _now()
        if now < _Log._next:
            return
        _Log._next = now + (self._every or min(max(_FIRST, (now - _Log._begun) / 5), _LAST))
        whole = self._before + self._done
        share = 100 * whole // max(1, self._total)
        done = f"{self._description}: {whole:,} of {self._total:,}{self._unit} ({share} %)"
        if not self._done:  # nothing of it has come through yet: no pace is known
            remark(done)
            return
        each = max(now - self._step_begun, 1e-9) / self._done
        pace = f"{1 / each:,.1f} per second" if each <= 1 else f"{each:,.1f} s each"
        remark(f"{done}, {pace}, {_span((self._total - whole) * each)} left")


def _span(seconds: float) -> str:
    """A time as people say it: `50 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
