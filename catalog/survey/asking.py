"""The same question to each piece of a survey, one after the other."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from zoolens.catalog.errors import CatalogError, NothingHere, Told, UnknownName, few, tell
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import Comparison, with_sources
from zoolens.catalog.survey.folder import whole_survey

Answer = TypeVar("Answer")


def ask_each(folder: Path, ask: Callable[[Store], Answer], *jobs: str) -> Iterator[Answer]:
    """What each piece answers that shows a run of each of some jobs, in the order of pieces.

    One piece is open at a time. Pieces that show no such run are left out, and told, as are
    those that do not know a name that is asked for, and what is outdated; those where no galaxy is
    what is asked for have no answer. Raises what asking raises; of these kinds, if no piece
    answers. Raises `CatalogError` in the end if what they answered of may not be compared.
    """
    compared = Comparison(folder, jobs)
    told: dict[tuple[type[Told], str], list[str]] = {}
    refused: dict[str, CatalogError] = {}
    answers = 0
    named = whole_survey(folder).named
    for name, path in named.items():
        with Store.look(path) as store:
            shown = compared.note(name, store)
            try:
                with _telling(name, told):
                    answer = ask(store)
            except CatalogError as error:
                if not (shown.lacks(jobs) or isinstance(error, NothingHere | UnknownName)):
                    raise
                refused[name] = type(error)(str(error).replace(str(path), str(folder)))
                continue
            compared.note_outdated(name, store, with_sources(jobs))
        answers += 1
        yield answer
    if not answers:
        lacking = {one.name for one in compared.pieces if one.lacks(jobs)}
        raise min(
            refused.items(), key=lambda one: (one[0] in lacking, isinstance(one[1], UnknownName))
        )[1]
    compared.check()
    compared.tell()
    for name, why in refused.items():
        if isinstance(why, UnknownName):
            told.setdefault((Told, f"left out: {why}"), []).append(name)
    for (kind, message), names in told.items():
        tell(f"{few(names)}: {message}", kind)


@contextmanager
def _telling(name: str, told: dict[tuple[type[Told], str], list[str]]) -> Iterator[None]:
    """Keep what a piece is warned of, to be told of all together."""
    show = warnings.showwarning
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Told)
        yield
    for one in caught:
        if isinstance(one.message, Told):
            told.setdefault((type(one.message), str(one.message)), []).append(name)
        else:
            show(one.message, one.category, one.filename, one.lineno)
