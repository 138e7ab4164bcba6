"""Whatever is served, opened for one query: a catalogue, a survey, or the tables of a release."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoolens.catalog.errors import Told
from zoolens.catalog.store.foreign import Foreign, opened, settings_of
from zoolens.catalog.store.own_columns import DEFINITIONS, OwnColumn
from zoolens.catalog.store.published import published
from zoolens.catalog.store.query import steps_read
from zoolens.catalog.store.release_file import NAME, opened_release
from zoolens.catalog.store.together import open_together
from zoolens.catalog.survey.agreement import tell_of_pieces
from zoolens.catalog.survey.folder import is_survey, read_survey


@contextmanager
def opened_to_ask(
    path: Path, query: str, *, memory: int, threads: int
) -> Iterator[tuple[Foreign, list[str]]]:
    """What is served, open for a query, and what who asks has to know of what it reads.

    memory: bytes that DuckDB may hold. Raises `CatalogError` if it cannot be read.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Told)
        ways = _survey if is_survey(path) else opened_release if path.name == NAME else opened
        with ways(path, query, memory=memory, threads=threads) as foreign:
            told = [str(one.message) for one in caught if isinstance(one.message, Told)]
            yield foreign, told


@contextmanager
def _survey(folder: Path, query: str, *, memory: int, threads: int) -> Iterator[Foreign]:
    """A survey open for one query; of its views those that the query names are made."""
    with open_together(read_survey(folder).named, settings_of(memory, threads)) as survey:
        tell_of_pieces(folder, survey.stores(), sorted(steps_read(query)))
        own: dict[str, OwnColumn] = {}
        for _, store in survey.stores():
            for row in store.rows(DEFINITIONS, [0]):
                own.setdefault(str(row[0]), OwnColumn(*row))
        survey.make_views(query)
        survey.close_in()
        yield Foreign(survey.connection, published([*own.values()], pieces=True))
