"""Work that is stopped once it takes too long or too much memory."""

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

_LOOK = 0.05  # seconds between two looks
_GRACE = 2.0  # seconds that the work has to stop by itself
_FILES = 128  # that a process has open besides those that it works on
_SLACK = 1.25  # of memory: allocators keep some of what was given back


@dataclass
class Bounds:
    """What work may take: seconds, and bytes of memory beyond what the process had.

    exceeded: in words what it took too much of, once it did; None before.
    """

    seconds: float
    memory: int
    exceeded: str | None = None

    def _look(self, seconds: float, memory: int) -> None:
        if seconds > self.seconds:
            self.exceeded = f"it took more than {self.seconds:,g} s; allow it more (timeout)"
        elif memory > _SLACK * self.memory:
            self.exceeded = out_of_memory(self.memory)


def out_of_memory(memory: int) -> str:
    """In words that work took more than `memory` bytes."""
    return (
        f"it took more than {memory / 1e9:,.3g} GB of memory; allow it more (memory), or ask for "
        "fewer rows"
    )


@contextmanager
def bounded(
    bounds: Bounds, stop: Callable[[], object], end: Callable[[str], object] | None = None
) -> Iterator[None]:
    """A block of work that is watched.

    Once it exceeds its bounds `stop` is called, again and again while the block lasts. `end`,
    called two seconds later with what was exceeded, is for work that does not heed: it ends
    the process. Memory is watched on Linux alone.
    """
    done = Event()
    begun, before = time.monotonic(), _resident()

    def watch() -> None:
        late = None
        while not done.wait(_LOOK):
            now = time.monotonic()
            if bounds.exceeded is None:
                bounds._look(now - begun, _resident() - before)
            if bounds.exceeded is not None:
                late = late or now + _GRACE
                stop()
                if end is not None and now > late:
                    end(bounds.exceeded)

    watching = Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()


def allow_files(count: int) -> None:
    """Let this process have so many files open besides its own, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
