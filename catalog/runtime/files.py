"""Files and folders that appear complete or not at all, and checksums of files."""

import errno
import fcntl
import hashlib
import mmap
import os
import re
import shutil
import stat
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from secrets import token_hex

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.progress import remark

_OLD = 86_400  # seconds after which what another machine may have begun is abandoned
_BIG = 100 << 20  # bytes whose removal is told
_made_here: set[Path] = set()  # folders that only this process knows

_PART = 64 * 2**20  # bytes that have a checksum of their own
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_file(path: Path, what: str, refused: type[CatalogError] = CatalogError) -> None:
    """Raises `refused` unless a regular file is at `path`, or a link to one.

    Everything that a user names is looked at so before it is opened: reading a pipe or a
    device may wait or go on for ever. what: what was to be there, for the message.
    """
    try:
        reason = _irregular(path)
    except FileNotFoundError:
        raise refused(f"no {what} at {path}") from None
    except (OSError, ValueError) as error:
        raise refused(f"no {what} at {path}: {getattr(error, 'strerror', error)}") from None
    if reason is not None:
        raise refused(f"no {what} at {path}: {reason}")


def _irregular(path: Path) -> str | None:
    """What is wrong with a path that is not a regular file; None if it is one."""
    mode = path.stat().st_mode
    if stat.S_ISREG(mode):
        return None
    return f"{_KINDS.get(stat.S_IFMT(mode), 'something else')} is there, not a file"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty file beside `path` to write to; it replaces `path` on leaving.

    If `path` is a link, its target is replaced. What killed runs began beside it is removed.
    Raises `CatalogError` if a folder or a device is there, or the folder or the disk does not
    allow it; then nothing is replaced.
    """
    try:
        whole = path.resolve()
        if whole.exists() and not whole.is_file():
            raise CatalogError(
                f"{path} could not be written: a folder or a device is there; choose another name"
            )
        with _beside(whole, Path.touch) as part:
            try:
                yield part
                with part.open("rb") as file:
                    os.fsync(file.fileno())
                part.replace(whole)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CatalogError(f"{path} could not be written: {error.strerror or error}") from None


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` to write to; it becomes `path` on leaving.

    `path` may be absent or an empty folder, and the folders above it are created. What killed
    runs began beside it is removed. Raises `CatalogError` if something is at `path` already,
    or the folder or the disk does not allow it. If the block ends early, for whatever reason,
    the folder is removed.
    """
    whole = path.resolve()  # `path` may be a link, or "."
    try:
        if whole.exists() and not (whole.is_dir() and not any(whole.iterdir())):
            raise CatalogError(f"{path} exists; choose another folder")
        whole.parent.mkdir(parents=True, exist_ok=True)
        with _beside(whole, Path.mkdir) as part:
            _made_here.add(part)
            try:
                yield part
                part.replace(whole)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            finally:
                _made_here.discard(part)
    except OSError as error:
        raise CatalogError(f"{path} could not be written: {error.strerror or error}") from None


@contextmanager
def _beside(whole: Path, make: Callable[[Path], object]) -> Iterator[Path]:
    """A new file or folder beside `whole`, locked for as long as this process writes to it."""
    if _made_here.isdisjoint(whole.parents):  # elsewhere killed runs may have been
        _remove_abandoned(whole)
    while True:
        part = whole.with_name(f".{whole.name}.{_host()}{token_hex(4)}.part")
        make(part)
        lock = os.open(part, os.O_RDONLY)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        if part.exists():
            break
        os.close(lock)  # another run took it for abandoned before it was locked
    try:
        yield part
    finally:
        os.close(lock)


def _remove_abandoned(whole: Path) -> None:
    """Remove what killed runs began beside `whole`, and tell it if it was big.

    Every run locks what it writes to, and the lock ends with its process. Locks may not reach
    another machine that shares the folder: what was not begun on this one stays for a day.
    """
    name = re.compile(rf"\.{re.escape(whole.name)}\.([0-9a-f]{{1,16}})\.part")
    for part in whole.parent.iterdir():
        found = name.fullmatch(part.name)
        if found is None or part.is_symlink() or not (part.is_file() or part.is_dir()):
            continue
        here = len(found[1]) == 16 and found[1].startswith(_host())
        lock = os.open(part, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if isinstance(error, BlockingIOError):
                os.close(lock)
                continue
            here = False  # a file system without locks
        facts = [file.stat() for file in (part, *part.rglob("*"))]
        if here or time.time() - max(fact.st_mtime for fact in facts) > _OLD:
            _remove(part)
            size = sum(fact.st_size for fact in facts)
            if size >= _BIG:
                remark(f"removed {part}, {size / 1e6:,.0f} MB that a killed run left")
        os.close(lock)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)


def _host() -> str:
    """Eight hexadecimal digits for the machine."""
    return hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:8]


def make_folder(path: Path) -> None:
    """Create a folder, and those above it, if they are absent.

    Raises `CatalogError` if that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(f"{path} cannot be made: {error.strerror}") from None


def text_of(path: Path, most: int = 64 * 2**20) -> str:
    """The UTF-8 text of a file, a byte-order mark left out.

    Raises `OSError`, also if it is no regular file or has more than `most` bytes, and
    `UnicodeDecodeError`.
    """
    reason = _irregular(path)
    if reason is None and path.stat().st_size > most:
        reason = f"more than {most:,} bytes"
    if reason is not None:
        raise OSError(errno.EINVAL, reason, str(path))
    return path.read_text(encoding="utf-8-sig")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read a part at a time. Raises `OSError`, also if it is no regular file."""
    reason = _irregular(path)
    if reason is not None:
        raise OSError(errno.EINVAL, reason, str(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(path: Path) -> str | None:
    """SHA-256 of a file; None if it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return None


@lru_cache(maxsize=16)
def part_checksums(path: Path, found: tuple[int, int] | None) -> list[int] | None:
    """CRC-32 of each 64 MiB of a file, computed by threads; None if it cannot be read.

    They find what rots, in a quarter of the time of a SHA-256, or less on several processors;
    they say nothing about who wrote the file. found: the file's stamp; as long as that is the
    same, a process computes them once.
    """
    try:
        if _irregular(path) is not None:
            return None
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                return []
            with (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held,
                memoryview(held) as data,
                ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool,
            ):
                return [*pool.map(lambda at: _crc(data, at), range(0, size, _PART))]
    except OSError:
        return None


def _crc(data: memoryview, start: int) -> int:
    with data[start : start + _PART] as part:
        return zlib.crc32(part)


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change of a file; None if there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns
