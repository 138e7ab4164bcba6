"""Progress in a notebook: one line below the cell, gone when the work is done.

It is drawn by IPython's display alone, so that nothing has to be installed beside the kernel.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from time import monotonic as _now
from typing import Any

_BETWEEN = 0.2  # seconds between two drawings: a page that is drawn more often stutters


def in_kernel() -> bool:
    """Whether this process computes the cells of a notebook."""
    return _kernel() is not None


def is_watched() -> bool:
    """Whether somebody sits before the notebook that runs the present cell.

    A front end tells with each cell that its user could be asked for input; what executes notebooks
    without one (nbconvert, papermill, the making of a documentation) tells that nobody could.
    """
    return bool(getattr(_kernel(), "_allow_stdin", False))


def _kernel() -> Any:
    if "ipykernel" not in sys.modules or "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None)  # type: ignore[no-untyped-call,unused-ignore]


@contextmanager
def notebook_bar(
    description: str, total: int, done: int, unit: str, span: Callable[[float], str]
) -> Iterator[tuple[Callable[[int, str], None], Callable[[int], None]]]:
    """What moves a line over `total` steps, and what moves it past steps done before.

    done: steps that an earlier process did; span: a time left, in words.
    """
    from IPython.display import HTML, display

    begun = drawn = _now()
    before, made, words = done, 0, description

    def line() -> Any:
        left = ""
        if made:
            left = f", {span((total - before - made) * (_now() - begun) / made)} left"
        said = f"{words}: {before + made:,} of {total:,}{unit}{left}"
        bar = f'<progress max="{max(total, 1)}" value="{before + made}"></progress>'
        return HTML(f"{bar} {escape(said)}")  # type: ignore[no-untyped-call,unused-ignore]

    shown = display(line(), display_id=True)  # type: ignore[no-untyped-call,unused-ignore]

    def advance(steps: int, now: str) -> None:
        nonlocal made, words, drawn
        made, words = made + steps, now or words
        if shown is not None and _now() - drawn >= _BETWEEN:
            drawn = _now()
            shown.update(line())

    def passed(steps: int) -> None:
        nonlocal before
        before += steps

    try:
        yield advance, passed
    finally:
        if shown is not None:
            shown.update(HTML(""))  # type: ignore[no-untyped-call,unused-ignore]
