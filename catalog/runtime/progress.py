"""Progress on stderr: a bar for people, nothing when piped or asked to be quiet.

Every step of work passes through here, so this is where a Ctrl-C that a library swallowed takes
effect.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_quiet = False
_interrupted = False


def set_quiet(quiet: bool) -> None:
    """Silence every bar of this process (`--quiet`)."""
    global _quiet
    _quiet = quiet


def is_quiet() -> bool:
    """Whether this process shows only results."""
    return _quiet


def interrupt() -> None:
    """Record a Ctrl-C: after the current step of work no other begins."""
    global _interrupted
    _interrupted = True


def interrupted() -> bool:
    """Whether there was a Ctrl-C."""
    return _interrupted


def raise_if_interrupted() -> None:
    """Raise `KeyboardInterrupt` if there was a Ctrl-C."""
    if _interrupted:
        raise KeyboardInterrupt


def notice(sentence: str) -> None:
    """Say on stderr what a user has to know to read the results, quiet or not."""
    print(f"zoolens: {sentence}", file=sys.stderr, flush=True)


class Bar:
    """A bar that a job moves forward; shows nothing unless stderr is a terminal."""

    def __init__(self, advance=None) -> None:  # type: ignore[no-untyped-def]
        self._advance = advance

    def advance(self, steps: int = 1) -> None:
        raise_if_interrupted()
        if self._advance is not None:
            self._advance(steps)


@contextmanager
def progress(description: str, total: int) -> Iterator[Bar]:
    """A bar of `total` steps with rate and time left, on stderr."""
    if _quiet or not sys.stderr.isatty():
        yield Bar()
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
