"""What strangers are told of errors of a process that answers, and what goes to the log instead."""

import errno
import os
import re
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.asking import (
    BROKEN,
    FAILED,
    MEMORY,
    Limits,
    reason_of,
    scratch_of,
    too_much,
)

_LONGEST = 2_000  # characters of what is said of a query
_FOLDER = re.compile(r"(?<![\w./:])/(?=\S)[^:'\"\n]*/")
_FULL = (errno.ENOSPC, errno.EDQUOT)
DISK = (*_FULL, errno.EROFS, errno.EIO)  # it is full, or fails
# What libraries say, and Python where it cannot begin a thread, or map a library.
_NO_MEMORY = ("out of memory", "bad_alloc", "cannot allocate memory", "can't start new thread")


def code_of(error: BaseException) -> int:
    """The exit code for an error that ends this process; a fault of ours is told in full."""
    with suppress(Exception):  # no room, say
        if isinstance(error, CatalogError):
            reason_of(os.getpid()).parent.mkdir(exist_ok=True)
            reason_of(os.getpid()).write_text(str(error), encoding="utf-8")
        elif not is_memory(error):
            traceback.print_exception(error)
    if isinstance(error, CatalogError):
        return BROKEN
    return MEMORY if is_memory(error) else FAILED


def is_memory(error: BaseException) -> bool:
    """Whether something failed because this process may have no more memory."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    return any(words in str(error).lower() for words in _NO_MEMORY)


def is_full(error: BaseException | None) -> bool:
    """Whether something failed because there was no room on the disk, whoever says so."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__context__
    return False


def words_of(error: Exception, catalog: Path, limits: Limits) -> str | None:
    """What a stranger is told of an error; None if it is a fault of ours."""
    if isinstance(error, CatalogError):
        return told(error, catalog)
    if is_memory(error):
        return too_much(limits)
    if isinstance(error, OSError) and error.errno in DISK:
        return f"the answer could not be written: {os.strerror(error.errno)}"
    return None


def told(error: CatalogError, catalog: Path) -> str:
    """What a stranger is told of an error: in no folder of this machine."""
    said = str(error).replace(f"{catalog}/", "").replace(str(catalog), "the catalogue")
    said = re.sub(rf"{re.escape(str(scratch_of(os.getpid())))}/[^\s:,;'\"]*", "the answer", said)
    ours = {catalog.parent, catalog.parent.parent, Path(tempfile.gettempdir()), Path.cwd()}
    ours |= {Path(__file__).parents[2], Path(sys.prefix), Path.home()}
    for folder in sorted(map(str, ours - {Path("/")}), key=len, reverse=True):
        said = said.replace(f"{folder}/", "")
    # what is said of a query has the user's own words, in which a slash divides
    return (said if isinstance(error, AdqlError) else _FOLDER.sub("", said))[:_LONGEST]
