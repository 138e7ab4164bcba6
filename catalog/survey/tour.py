"""A job on every catalogue of a survey, one after the other or side by side.

A piece that cannot be worked on (another process holds it, it is damaged or missing) keeps
no other from its work: what became of each is told in the end.
"""

import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from zoolens.catalog.errors import CatalogBusy, CatalogError, NothingHere, Told, tell
from zoolens.catalog.runtime.parallel import in_processes
from zoolens.catalog.runtime.progress import one_line, set_quiet
from zoolens.catalog.survey.folder import check_there, name_of_piece

Done = TypeVar("Done")

MOST_NAMED = 4  # pieces of which all are named in a line


@dataclass(frozen=True)
class Visit(Generic[Done]):
    """What became of a piece: what was done, or why nothing was; and what was warned of."""

    path: Path
    done: Done | None = None
    error: CatalogError | None = None
    told: tuple[tuple[type[Told], str], ...] = ()


def pieces_said(names: Sequence[str]) -> str:
    """Pieces as words for a line: of many the first, and how many."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{len(names):,} pieces such as {names[0]}"


def go_over(
    work: Callable[[Path], Done],
    paths: Sequence[Path],
    *,
    describe: str,
    sizes: Sequence[int],
    workers: int = 1,
) -> list[Visit[Done]]:
    """Work on each of the catalogues at `paths`; what became of them, in their order.

    describe: the words of the line of progress; sizes: how far each moves it. workers: processes
    that work side by side; `work` and what it returns then travel between them. Those that another
    process held are tried once more when the others are done. What they warn of is told
    once. Raises what is no `CatalogError`.
    """
    visits = dict[Path, Visit[Done]]()
    with one_line(describe, sum(sizes)) as whole:
        if workers > 1 and len(paths) > 1:
            with closing(_side_by_side(work, paths, workers)) as found:
                for path, size in zip(paths, sizes, strict=True):
                    with whole.share(size, done=True):
                        visits[path] = next(found)
        else:
            for path, size in zip(paths, sizes, strict=True):
                with whole.share(size):
                    visits[path] = visit(work, path)
        for path in [path for path in paths if isinstance(visits[path].error, CatalogBusy)]:
            visits[path] = visit(work, path)
    _tell([*visits.values()])
    return [visits[path] for path in paths]


def visit(work: Callable[[Path], Done], path: Path) -> Visit[Done]:
    """Work on one piece, whose file has to be there."""
    done, error = None, None
    show = warnings.showwarning
    with warnings.catch_warnings(record=True) as caught:
        try:
            check_there(path)
            done = work(path)
        except CatalogError as raised:
            error = raised.with_traceback(None)  # whose frames hold the catalogue
            error.__cause__ = error.__context__ = None
    told = []
    for one in caught:
        if isinstance(one.message, Told):
            told.append((type(one.message), str(one.message)))
        else:
            show(one.message, one.category, one.filename, one.lineno)
    return Visit(path, done, error, tuple(told))


def _side_by_side(
    work: Callable[[Path], Done], paths: Sequence[Path], workers: int
) -> Generator[Visit[Done], None, None]:
    try:
        yield from in_processes(partial(_silently, work), paths, workers=workers)
    except BrokenProcessPool:
        raise CatalogError(
            "a process of this job was ended by the system, perhaps for want of memory; nothing is "
            "lost: the same command does the rest"
        ) from None


def _silently(work: Callable[[Path], Done], path: Path) -> Visit[Done]:
    """In a process of its own, whose parent shows the progress."""
    set_quiet(True)
    return visit(work, path)


def _tell(visits: Sequence[Visit[Done]]) -> None:
    """Warn of what the pieces were warned of, the same once, and where."""
    where = dict[tuple[type[Told], str], list[str]]()
    for one in visits:
        for kind, message in one.told:
            where.setdefault((kind, message.replace(f"{one.path}", "the piece")), []).append(
                name_of_piece(one.path)
            )
    for (kind, message), names in where.items():
        tell(f"{pieces_said(names)}: {message}", kind)


def lacking(visits: Sequence[Visit[Done]]) -> tuple[str, ...]:
    """Which pieces had nothing to work on, a sentence for each reason."""
    where = dict[str, list[str]]()
    for one in visits:
        if isinstance(one.error, NothingHere):
            reason = str(one.error).replace(f"{one.path}", "the piece")
            where.setdefault(reason, []).append(name_of_piece(one.path))
    return tuple(f"not {pieces_said(names)}: {reason}" for reason, names in where.items())


def faults(visits: Sequence[Visit[Done]]) -> tuple[str, ...]:
    """Why other pieces were not worked on, a line for each."""
    return tuple(
        str(one.error)
        if str(one.path) in str(one.error)
        else f"{name_of_piece(one.path)}: {one.error}"
        for one in visits
        if one.error is not None and not isinstance(one.error, NothingHere)
    )
