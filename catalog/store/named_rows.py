"""Which galaxies the rows of a table are: found by name on disk, not in memory."""

from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids, Ints
from zoolens.catalog.store.store import Store

_TABLE = "temp.named_row"


class MatchedRows(NamedTuple):
    """Rows of a table, ascending, and the numbers of their galaxies, -1 where there is none."""

    rows: Ints  # (N,)
    galaxy_id: Ids  # (N,)


class NamedRows:
    """The numbers and names of a table's rows; a context manager.

    They are kept in the temporary space of the database, which goes to disk if it is large.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def __enter__(self) -> Self:
        self._store.execute('CREATE OR REPLACE TEMP TABLE named_row ("row" BIGINT, name VARCHAR)')
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._store.execute(f"DROP TABLE {_TABLE}")

    def add(self, rows: Ints, names: Iterable[str]) -> None:
        """Append rows, whose numbers ascend."""
        table = {"row": rows, "name": pa.array(names, pa.string())}
        self._store.insert("named_row", pa.table(table))

    def matched(self) -> MatchedRows:
        """The rows with the galaxies that the catalogue shows under their names."""
        found = self._store.arrow(
            f'SELECT n."row", coalesce(g.galaxy_id, -1) AS galaxy_id FROM {_TABLE} n '
            'LEFT JOIN galaxies g ON g.iauname = n.name ORDER BY n."row"'
        )
        return MatchedRows(found["row"].to_numpy(), found["galaxy_id"].to_numpy())

    def first_rows(self) -> Ints:
        """The first row with each name, ascending."""
        sql = f'SELECT min("row") AS first FROM {_TABLE} GROUP BY name ORDER BY first'
        rows: Ints = self._store.arrow(sql)["first"].to_numpy()
        return rows

    def names(self, rows: Ints) -> dict[int, str]:
        """The names of some rows."""
        found = self._store.arrow(
            f'SELECT "row", name FROM {_TABLE} '
            'SEMI JOIN (SELECT unnest(CAST(? AS BIGINT[])) AS "row") USING ("row")',
            [np.asarray(rows).tolist()],
        )
        return dict(zip(found["row"].to_pylist(), found["name"].to_pylist(), strict=True))
