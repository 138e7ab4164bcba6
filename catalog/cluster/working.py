"""What a worker does: it checks itself, computes, and says how it went.

Tasks and answers are made of plain types, so that a worker with another Zoolens understands as
much as it needs to refuse.
"""

import ctypes
import errno
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.progress import set_quiet
from zoolens.catalog.store.store import code_version

# How it went: the result; this worker cannot, and why; nobody can; the part fails here.
DONE, UNFIT, FULL, BROKEN = "done", "unfit", "full", "broken"
Answer = tuple[str, str, Any]  # how it went; the worker's address; the result, or why not
PACKAGES = ("numpy", "torch", "timm")  # whose versions may change the last digits of numbers
_PATIENCE = 3.0  # seconds until what another machine wrote is seen
# What glibc comes to by itself where nothing is set: its mallopt's numbers, and bytes.
_KEPT = {-3: 32 << 20, -1: 64 << 20}  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD


class Needed(NamedTuple):
    """What a worker is to see: a file and its text, and files with their sizes."""

    mark: str | None = None
    text: str = ""
    files: tuple[tuple[str, int], ...] = ()


class Task(NamedTuple):
    """A part to compute, as it travels."""

    code: str
    needed: Needed
    function: bytes
    item: bytes

    def packed(self) -> bytes:
        return pickle.dumps((self.code, tuple(self.needed), self.function, self.item))


def entrance() -> Callable[[bytes], Answer]:
    """What Dask calls on a worker: it travels whole, and finds a worker without Zoolens."""

    def attempt(task: bytes) -> tuple[str, str, Any]:
        from distributed import get_worker

        worker = get_worker().address
        try:
            from zoolens.catalog.cluster import working
        except Exception as error:
            return "unfit", worker, f"it has no Zoolens that can do this ({error})"
        return working.answer(worker, task)

    return attempt


def answer(worker: str, task: bytes) -> Answer:
    """Do a task, whatever comes of it."""
    code, needed, function, item = pickle.loads(task)  # noqa: S301  # whoever reaches a worker may run code
    keep_memory()
    try:
        check(code, Needed(*needed))
        return DONE, worker, _loaded(function)(pickle.loads(item))  # noqa: S301
    except CatalogError as error:
        return UNFIT, worker, str(error)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return FULL, worker, error.strerror
        return BROKEN, worker, _line(error)
    except Exception as error:  # a part is given up, not the worker
        return BROKEN, worker, _line(error)


@lru_cache(maxsize=1)
def keep_memory() -> bool:
    """Let this process keep the memory that its next batch needs; whether that could be said.

    Dask has workers give back all beyond 64 KiB at once (MALLOC_TRIM_THRESHOLD_), so that each
    batch's pages would be made anew.
    """
    with suppress(OSError, AttributeError):  # where there is no glibc
        return all(ctypes.CDLL(None).mallopt(name, size) for name, size in _KEPT.items())
    return False


@lru_cache(maxsize=16)
def check(code: str, needed: Needed) -> None:
    """Raises `CatalogError` unless this process is of version `code` and sees what it needs."""
    if code_version() != code:
        raise CatalogError(
            f"it has Zoolens {code_version()}, and {code} is meant; install the same"
        )
    if needed.mark is not None and not _appears(Path(needed.mark), needed.text):
        raise CatalogError(
            f"it does not see the folder {Path(needed.mark).parent}; name one that all see, with "
            "--parts FOLDER"
        )
    for name, size in needed.files:
        try:
            found = Path(name).stat().st_size
        except OSError:
            found = -1
        if found != size:
            raise CatalogError(f"it does not see the image {name}; mount its folder there too")


def _appears(mark: Path, text: str) -> bool:
    ends = time.monotonic() + _PATIENCE
    while True:
        try:
            return mark.read_text() == text
        except OSError:
            if time.monotonic() > ends:
                return False
        time.sleep(0.2)


def surroundings(_: None) -> dict[str, str]:
    """Versions of what computes here."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found


def seen_files(names: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Those of some files that this process sees, with their sizes."""
    sizes = [(name, Path(name).stat().st_size) for name in names if Path(name).is_file()]
    return tuple(sizes)


@lru_cache(maxsize=4)
def _loaded(function: bytes) -> Callable[[Any], Any]:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    loaded: Callable[[Any], Any] = pickle.loads(function)  # noqa: S301
    return loaded


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def dask_setup(_: object) -> None:
    """As Dask preloads it in a process of this machine: Ctrl-C is for the one that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_quiet(True)
