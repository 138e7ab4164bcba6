"""Files that appear whole or not at all, and folders for them."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from zoolens.catalog.errors import CatalogError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` on leaving.

    Where `path` is a link, of what it leads to. Raises `CatalogError` if a folder or a
    device is there, or the folder or the disk does not allow it, and leaves what was there.
    """
    try:
        whole = path.resolve()
        if whole.exists() and not whole.is_file():
            raise CatalogError(
                f"{path} could not be written: a folder or a device is there; choose another name"
            )
        part = whole.with_name(f".{whole.name}.{os.getpid()}.part")
        try:
            yield part
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(whole)
        except BaseException:
            if part.parent.is_dir():
                part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CatalogError(f"{path} could not be written: {error.strerror or error}") from None


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` to write to; it becomes `path` on leaving.

    `path` may be an empty folder or none, and the folders above it are made. What runs
    that were killed left beside it is removed: each run holds a lock on the folder that
    it writes to, which ends with its process. Raises `CatalogError` if something is
    at `path` already, or where the folder or the disk does not allow it; whatever ends
    the block early, the folder is removed.
    """
    whole = path.resolve()  # where `path` is a link, or "."
    try:
        if whole.exists() and not (whole.is_dir() and not any(whole.iterdir())):
            raise CatalogError(f"{path} exists; choose another folder")
        whole.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(whole)
        part = whole.with_name(f".{whole.name}.{token_hex(4)}.part")
        part.mkdir()
        lock = _lock(part)
        try:
            yield part
            part.replace(whole)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        finally:
            if lock is not None:
                os.close(lock)
    except OSError as error:
        raise CatalogError(f"{path} could not be written: {error.strerror or error}") from None


def _remove_abandoned(whole: Path) -> None:
    """Remove the folders that `replacing_folder` made for `whole` and nobody writes to."""
    start, end = f".{whole.name}.", ".part"
    for part in whole.parent.iterdir():
        token = part.name.removeprefix(start).removesuffix(end)
        if part.name != f"{start}{token}{end}" or len(token) != 8 or part.is_symlink():
            continue
        lock = _lock(part) if part.is_dir() else None
        if lock is not None:
            shutil.rmtree(part, ignore_errors=True)
            os.close(lock)


def _lock(folder: Path) -> int | None:
    """The file descriptor that locks a folder; None where another holds it or none can be had."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # locked, or a file system without locks
        os.close(descriptor)
        return None
    return descriptor


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none.

    Raises `CatalogError` if that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(f"{path} cannot be made: {error.strerror}") from None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read a part at a time. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none to read."""
    try:
        return sha256_of(path)
    except OSError:
        return None


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change of a file; None where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns
