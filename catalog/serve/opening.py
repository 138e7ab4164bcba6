"""Whatever is served, opened for one query: a catalogue, a survey, or the tables of a release."""

import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from zoolens.catalog.errors import Told
from zoolens.catalog.store.foreign import Foreign, look_over, opened, settings_of
from zoolens.catalog.store.overview import JOBS, Overview, overview, together
from zoolens.catalog.store.own_columns import DEFINITIONS, OwnColumn
from zoolens.catalog.store.private import without_folders
from zoolens.catalog.store.published import Published, published
from zoolens.catalog.store.query import steps_read
from zoolens.catalog.store.release_file import NAME, look_over_release, opened_release
from zoolens.catalog.store.together import Together, open_together
from zoolens.catalog.survey.agreement import tell_of_pieces
from zoolens.catalog.survey.folder import is_survey, read_survey


@contextmanager
def opened_to_ask(
    path: Path, query: str, *, memory: int, threads: int
) -> Iterator[tuple[Foreign, list[str]]]:
    """What is served, open for a query, and what who asks has to know of what it reads.

    memory: bytes that DuckDB may hold. Raises `CatalogError` if it cannot be read.
    """
    ways = _survey if is_survey(path) else opened_release if path.name == NAME else opened
    with _telling() as told, ways(path, query, memory=memory, threads=threads) as foreign:
        yield foreign, [str(one.message) for one in told if isinstance(one.message, Told)]


class Looked(NamedTuple):
    """The tables that may be asked, what the whole holds, and what who asks has to know of it.

    products: whether images, maps and neighbours of a galaxy can be made, as of a release they
    cannot.
    """

    tables: list[Published]
    held: Overview
    told: list[str]
    products: bool


def looked_over(path: Path, *, memory: int) -> Looked:
    """What is served, looked at. Raises `CatalogError` if it cannot be read."""
    ways = _look_over_survey if is_survey(path) else look_over
    released = path.name == NAME
    ways = look_over_release if released else ways
    with _telling() as told:
        tables, held = ways(path, memory=memory)
    said = [str(one.message) for one in told if isinstance(one.message, Told)]
    return Looked(tables, held, said, not released)


@contextmanager
def _telling() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Told)
        yield caught


@contextmanager
def _survey(folder: Path, query: str, *, memory: int, threads: int) -> Iterator[Foreign]:
    """A survey open for one query; of its views those that the query names are made."""
    with open_together(read_survey(folder).named, settings_of(memory, threads)) as survey:
        with closing(survey.stores()) as stores:
            tell_of_pieces(folder, stores, sorted(steps_read(query)))
        tables = _tables(survey)
        survey.make_views(query)
        survey.close_in()
        yield Foreign(survey.connection, without_folders(tables))


def _look_over_survey(folder: Path, *, memory: int) -> tuple[list[Published], Overview]:
    with open_together(read_survey(folder).named, settings_of(memory, 1)) as survey:
        with closing(survey.stores()) as stores:
            tell_of_pieces(folder, stores, JOBS)
        held = together(overview(store) for _, store in survey.stores())
        return _tables(survey), held


def _tables(survey: Together) -> list[Published]:
    """The tables of a survey; own columns are those of any piece."""
    own: dict[str, OwnColumn] = {}
    for _, store in survey.stores():
        for row in store.rows(DEFINITIONS, [0]):
            own.setdefault(str(row[0]), OwnColumn(*row))
    return published([*own.values()], pieces=True)
