"""The mistakes a user can make.

Raise a `CatalogError` only if the input, the data or the command is at
fault and the message can say what, where, and what to do next, in one line: the
command line prints it and exits with 1. Everything else keeps its traceback.
"""

import contextlib
import sys
import warnings
from pathlib import Path

_OURS = str(Path(__file__).parents[1])
_CONTEXTS = str(contextlib.__file__)


class CatalogError(Exception):
    """The user's input or data is at fault; the message says what to do."""


class NothingHere(CatalogError):
    """A catalogue has nothing for a job to work on; of a survey, another piece may."""


class CatalogBusy(CatalogError):
    """Somebody else holds the catalogue file; `pid`: the process, where it is another one."""

    pid: int | None = None


class TableRefused(CatalogError):
    """A table (votes, predictions, weights) that cannot be understood at all."""


class QueryRefused(CatalogError):
    """A query that DuckDB does not take; the message is DuckDB's own, of several lines."""


class ModelRefused(CatalogError):
    """A checkpoint that is hostile, damaged, or not a Zoobot decision-tree model."""


class ImageRefused(CatalogError):
    """One image that cannot be shown to a model; it becomes a row of `rejects`."""


class UnknownName(CatalogError):
    """A galaxy, label, question or tree that the catalogue does not have."""


class NotInstalled(CatalogError):
    """An optional package, which comes with an extra of Zoolens, is not installed."""


class Told(UserWarning):
    """What a user has to know of a result; on the command line a line on stderr."""


# Python shows a warning once for each place in the code by default: these are about the data.
warnings.simplefilter("always", Told, append=True)


def tell(message: str, kind: type[Told] = Told) -> None:
    """Warn whoever called Zoolens: the line that is shown is theirs, not one of ours."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_code.co_filename.startswith((_OURS, _CONTEXTS)):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, kind, stacklevel=level)


class Deprecation(Told, FutureWarning):
    """What was used is to go (`catalog.deprecated`)."""


class Outdated(Told):
    """What is being read was made before the present votes, images or predictions."""


def needs(what: str, package: str, extra: str) -> None:
    """Raises `NotInstalled`, with how to install it, if what is asked for lacks a package."""
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise NotInstalled(
            f"{what} needs {package}; install it with: pip install 'zoolens[{extra}]'"
        )


def nearest(name: str, known: "list[str] | tuple[str, ...]", count: int = 3) -> str:
    """The known names closest to `name`, as words for an error message."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=count, cutoff=0.3) or list(known[:count])
    return ", ".join(close)


def few(names: "list[str] | tuple[str, ...]", most: int = 5) -> str:
    """Names joined by commas, as words for a message: of many the first, and how many more."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
