"""Whatever is served, opened for one query: a catalogue, or the folder of a survey."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoolens.catalog.store.foreign import Foreign, opened, opened_together
from zoolens.catalog.survey.folder import is_survey, read_survey


@contextmanager
def opened_to_ask(path: Path, query: str, *, memory: int, threads: int) -> Iterator[Foreign]:
    """What is served, open for a query; memory: bytes that DuckDB may hold.

    Raises `CatalogError` if it cannot be read.
    """
    if is_survey(path):
        pieces = read_survey(path).named
        with opened_together(pieces, query, memory=memory, threads=threads) as foreign:
            yield foreign
    else:
        with opened(path, memory=memory, threads=threads) as foreign:
            yield foreign
