"""The folder through which parts come back, seen by all and used by one process at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from zoolens.catalog.cluster.working import Needed
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.files import part_files, remove_unfinished
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.runtime.progress import remark

_LOCK = ".lock"
_MARK = ".seen-"


@contextmanager
def parts_folder(folder: Path) -> Iterator[Needed]:
    """Make a folder this process's; inside, a file that everybody who computes must find.

    What killed processes had begun to write is removed, whole parts are not. On leaving the
    folder is removed if it is empty. Raises `CatalogError` if it cannot be made or written, or
    another process is at it.
    """
    folder = folder.absolute()
    make_folder(folder)
    mark = folder / f"{_MARK}{token_hex(8)}"
    lock = _locked(folder)
    try:
        try:
            remove_unfinished(folder)
            for old in folder.glob(f"{_MARK}*"):
                old.unlink(missing_ok=True)
            mark.write_text(mark.name)
        except OSError as error:
            raise CatalogError(f"{folder} cannot be written: {error.strerror}") from None
        yield Needed(str(mark), mark.name)
    finally:
        with suppress(OSError):
            mark.unlink(missing_ok=True)
            left = len(part_files(folder))
            (folder / _LOCK).unlink(missing_ok=True)
            if not left:
                folder.rmdir()
        os.close(lock)


def tell_left(folder: Path) -> None:
    """Say which files stay in a folder once a run is whole."""
    left = part_files(folder)
    if left:
        remark(
            f"{len(left):,} part file{'s' * (len(left) != 1)} of other runs "
            f"{'stay' if len(left) != 1 else 'stays'} in {folder}; delete them if those are over"
        )


def check_room(folder: Path, files: int, bytes_each: int) -> None:
    """Raises `CatalogError` unless so many files find room in a folder."""
    try:
        facts = os.statvfs(folder)
    except OSError as error:
        raise CatalogError(f"{folder} cannot be looked at: {error.strerror}") from None
    free, needed = facts.f_bavail * facts.f_frsize, files * bytes_each
    if free < needed:
        raise CatalogError(
            f"{folder} has room for {free / 1e6:,.0f} MB, and parts may take {needed / 1e6:,.0f} "
            "MB at a time; name another with --parts FOLDER"
        )
    if facts.f_files and facts.f_favail < 2 * files:  # some file systems do not count them
        raise CatalogError(
            f"{folder} has room for {facts.f_favail:,} files, and {2 * files:,} may be there at a "
            "time; name another with --parts FOLDER"
        )


def _locked(folder: Path) -> int:
    try:
        while True:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                raise CatalogError(
                    f"another process is at {folder}; wait for it, or name another with --parts "
                    "FOLDER"
                ) from None
            except OSError:  # a file system without locks
                return lock
            with suppress(FileNotFoundError):  # removed by the one that had it before
                if os.path.samestat(os.fstat(lock), os.stat(folder / _LOCK)):
                    return lock
            os.close(lock)
    except OSError as error:
        raise CatalogError(f"{folder} cannot be written: {error.strerror}") from None
