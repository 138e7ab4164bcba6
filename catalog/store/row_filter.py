"""A user's own condition in SQL, and which rows it keeps."""

import duckdb
import numpy as np
import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.connection import CLOSED

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
                raise CatalogError(f"a release takes one condition, not {self._condition!r}")
            found = self._connection.execute(statements[0]).to_arrow_table()[_PLACE]
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise CatalogError(f"the condition {self._condition!r}: {first}") from None
        finally:
            self._connection.unregister(_ROWS)
        return rows.take(found.sort())
