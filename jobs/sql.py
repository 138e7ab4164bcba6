"""`sql`: questions to a catalogue, in the user's own words, read-only."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from zoolens.catalog.output.answer import Answer
from zoolens.catalog.store import query as asked
from zoolens.catalog.survey.folder import is_survey

TIMEOUT = asked.TIMEOUT  # seconds


def sql(
    catalog: Path,
    query: str | None,
    *,
    memory: float | None = None,
    timeout: float = TIMEOUT,
    end: Callable[[str], object] | None = None,
) -> AbstractContextManager[Answer]:
    """The answer to one SELECT; without a query, the data dictionary of the views.

    catalog: one, or a survey, whose views have the rows of all pieces. query: may also be the name
    of a view, for its part of the dictionary. memory: GB that it may take, four fifths of the
    machine's unless given; timeout: seconds, until the last row is read. Where DuckDB does not heed
    either, `end` is called with the reason, to end the process. Rows stream while the context is
    open. Raises `QueryRefused` with DuckDB's own message if the query is wrong, `CatalogError` for
    anything that is not one query, or that takes too much.
    """
    if is_survey(catalog):
        from zoolens.catalog.survey.views import survey_query

        return survey_query(catalog, query, memory=memory, timeout=timeout, end=end)
    return asked.closed_query(catalog, query, memory=memory, timeout=timeout, end=end)


def views(catalog: Path) -> AbstractContextManager[Answer]:
    """The views and the names of their columns, for a terminal."""
    return sql(catalog, asked.OVERVIEW)
