"""`sql`: questions to a catalogue, in the user's own words, read-only."""

from contextlib import AbstractContextManager
from pathlib import Path

from zoolens.catalog.output.answer import Answer
from zoolens.catalog.store.query import closed_query


def sql(catalog: Path, query: str | None) -> AbstractContextManager[Answer]:
    """The answer to one SELECT; without a query, the data dictionary of the views.

    Rows stream while the context is open. Raises `QueryRefused` with DuckDB's own
    message if the query is wrong, `CatalogError` for anything that is not one query.
    """
    return closed_query(catalog, query)
