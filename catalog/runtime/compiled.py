"""Loops compiled by numba, for work that in NumPy needs many passes over memory."""

import functools
import threading
from collections.abc import Callable
from typing import Any

_lock = threading.Lock()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays and numbers, compiled when it is first called.

    Threads run it side by side. The compiled code is kept for the next process, beside the
    module or in the user's cache, if either can be written. Arithmetic is done as written:
    nothing is reordered or contracted.
    """

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with _lock:
            made = _made(function)
        return made(*arguments)

    return call


@functools.cache
def _made(function: Callable[..., Any]) -> Callable[..., Any]:
    from numba import njit  # takes half a second, and most commands do not need it

    try:
        made: Callable[..., Any] = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # there is no place to keep the compiled code
        made = njit(nogil=True)(function)
    return made
