"""A user's own condition in SQL, and which rows it keeps."""

import duckdb
import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids
from zoolens.catalog.errors import CatalogError, NothingHere, UnknownName
from zoolens.catalog.store.connection import CLOSED
from zoolens.catalog.store.store import Store

_ROWS, _PLACE = "rows of the block", "place in the block"


class RowFilter:
    """A WHERE clause over rows with given columns.

    It is about one row at a time: aggregates, window functions and other tables are
    refused. Raises `CatalogError` with DuckDB's own message if it is wrong.
    """

    def __init__(self, condition: str, columns: pa.Schema) -> None:
        self._condition = condition
        self._connection = duckdb.connect(config={**CLOSED, "threads": 1})
        self.kept(columns.empty_table())

    def kept(self, rows: pa.Table) -> pa.Table:
        """The rows for which the condition is true, in their order."""
        place = pa.array(np.arange(len(rows)))
        self._connection.register(_ROWS, rows.append_column(_PLACE, place))
        # on a separate line: a comment at its end must not swallow the bracket
        sql = f'SELECT "{_PLACE}" FROM "{_ROWS}" WHERE (\n{self._condition}\n)'
        try:
            # parsed without the brackets too: the condition might close them and go on
            self._connection.extract_statements(f"SELECT 1 WHERE\n{self._condition}\n")
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise CatalogError(
                    f"there can be one condition on galaxies, not {self._condition!r}"
                )
            found = self._connection.execute(statements[0]).to_arrow_table()[_PLACE]
        except duckdb.Error as error:
            raise _refused(self._condition, error) from None
        finally:
            self._connection.unregister(_ROWS)
        return rows.take(found.sort())


# What a condition may use to say which galaxies it means.
_KNOWN = "(FROM galaxies LEFT JOIN (SELECT * EXCLUDE (iauname) FROM own) USING (galaxy_id))"
_OF_VALUES = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)


def galaxies_where(store: Store, condition: str) -> str:
    """SQL for the numbers of the galaxies for which a condition is true.

    It may use the columns of the views `galaxies` and `own`, and is the same that `RowFilter`
    takes. Raises `CatalogError` if it is none or cannot be computed, its kind `UnknownName` if it
    has a column that is not there, and `NothingHere` if it is true of no galaxy.
    """
    # there it is closed in: what passes refers to nothing but the columns of a row
    RowFilter(condition, store.arrow(f"SELECT * FROM {_KNOWN} LIMIT 0").schema)
    some = f"(SELECT galaxy_id FROM {_KNOWN} WHERE (\n{condition}\n))"
    try:
        count = store.value(f"SELECT count(*) FROM {some}")
    except CatalogError as error:
        if isinstance(error.__cause__, _OF_VALUES):
            raise _refused(condition, error.__cause__) from None
        raise
    if not count:
        raise NothingHere(f"no galaxy of {store.path} has {condition}; loosen the condition")
    return some


def galaxies_that(store: Store, condition: str) -> Ids:
    """Numbers of the galaxies for which a condition is true, ascending; as `galaxies_where`."""
    found: Ids = store.arrow(
        f"SELECT galaxy_id FROM {galaxies_where(store, condition)} ORDER BY galaxy_id"
    )["galaxy_id"].to_numpy()
    return found


def _refused(condition: str, error: duckdb.Error) -> CatalogError:
    """DuckDB's own words, with the names that it would have known."""
    first, *rest = str(error).splitlines()
    known = [line.strip() for line in rest if line.startswith("Candidate bindings")]
    kind = UnknownName if "Referenced column" in first else CatalogError
    return kind(f"the condition {condition!r}: {'; '.join([first, *known])}")
