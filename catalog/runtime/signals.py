"""Ctrl-C, SIGTERM and SIGHUP: how a command is asked to end.

A command line listens (`listen`). The first signal is raised as `KeyboardInterrupt` once no
import is under way; where a library swallows it, the next step of work raises it again
(`raise_if_interrupted`). A second signal ends the process as `kill -9` does, at which nothing
that was complete is lost. Where nobody listens, as in Python, signals do what they always do.

It imports little: it listens before anything else is imported.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SAFE = "nothing half done; the same command does the rest"
_ONE = 0.5  # seconds in which two signals are one: `timeout` and some schedulers send it twice
_AGAIN = 0.05  # seconds until it is seen whether an import has ended

_received: int | None = None
_at_work = False


def listen() -> None:
    """Let this process, a command, be asked to end; signals that `nohup` ignores stay so."""
    for number in _SIGNALS:
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _receive)
    signal.signal(signal.SIGALRM, lambda _, frame: _heed(frame))
    os.register_at_fork(after_in_child=_as_child)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    Thread(target=_await_second, args=[reading], daemon=True).start()


@contextmanager
def at_work() -> Iterator[None]:
    """A block that can be left by `KeyboardInterrupt`; outside, a signal ends the process."""
    global _at_work
    _at_work = True
    try:
        yield
    finally:
        _at_work = False


def interrupted() -> bool:
    """Whether this command was asked to end."""
    return _received is not None


def raise_if_interrupted() -> None:
    """Raise `KeyboardInterrupt` if this command was asked to end."""
    if interrupted():
        raise KeyboardInterrupt


def exit_code() -> int:
    """As shells have it: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return 128 + (_received or signal.SIGINT)


def farewell() -> str:
    """One line on what ended the command, what is safe, and how it goes on."""
    if _received in (None, signal.SIGINT):
        return f"interrupted with {_SAFE}"
    return f"ended by {signal.Signals(_received).name} with {_SAFE}"


def _receive(number: int, frame: FrameType | None) -> None:
    global _received
    if _received is not None:
        return
    _received = number
    if not _at_work:
        _end_at_once()
    _heed(frame)


def _await_second(reading: int) -> None:
    """End the process at a second signal, also where its main thread cannot be interrupted."""
    global _received
    first = None
    while True:
        for number in os.read(reading, 64):
            if number not in _SIGNALS:
                continue
            if first is None:
                first = number, time.monotonic()
            elif time.monotonic() - first[1] > _ONE:
                _received = first[0]
                _end_at_once()


def _heed(frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt`, but not within an import.

    What libraries do while they are imported can swallow it, and an import that is cut
    short can keep a lock that other threads wait for.
    """
    if not _at_work:
        return
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
            return
        frame = frame.f_back
    raise_if_interrupted()


def _end_at_once() -> None:
    os.write(2, f"zoolens: {farewell()}\n".encode())
    os._exit(exit_code())


def _as_child() -> None:
    """A forked process leaves Ctrl-C, which all get, to its parent, and obeys the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == _receive:
            signal.signal(number, signal.SIG_DFL)
