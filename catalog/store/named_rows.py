"""Which galaxies the rows of a table are: found by name on disk, not in memory."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Ids, Ints
from zoolens.catalog.store.store import Store

PART = 500_000  # names compared at a time
_TABLE = "temp.named_row"


class MatchedRows(NamedTuple):
    """Rows of a table, ascending, and the numbers of their galaxies, -1 where there is none."""

    rows: Ints  # (N,)
    galaxy_id: Ids  # (N,)


class NamedRows:
    """The numbers and names of a table's rows; a context manager.

    The names are kept in the temporary space of the database, which goes to disk if they are
    many. They are compared a part at a time, by their hashes: a join of all would need more
    memory than a job has.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows = [np.empty(0, np.int64)]

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

    def add(self, rows: Ints, names: Sequence[str]) -> None:
        """Append rows, whose numbers ascend."""
        self._rows.append(rows)
        table = {"row": rows, "name": pa.array(names, pa.string())}
        self._store.insert("named_row", pa.table(table))

    def matched(self) -> MatchedRows:
        """The rows with the galaxies that the catalogue shows under their names."""
        rows = np.concatenate(self._rows)
        galaxy_id = np.full(len(rows), -1)
        galaxies = int(self._store.value("SELECT count(*) FROM galaxy"))
        for part in _parts(max(len(rows), galaxies)):
            found = self._store.arrow(
                f"""SELECT n."row", g.galaxy_id
FROM (SELECT * FROM {_TABLE} WHERE {part.format("name")}) n
JOIN (SELECT galaxy_id, iauname FROM galaxies WHERE {part.format("iauname")}) g
    ON g.iauname = n.name"""
            )
            galaxy_id[np.searchsorted(rows, found["row"])] = found["galaxy_id"]
        return MatchedRows(rows, galaxy_id)

    def first_rows(self) -> Ints:
        """The first row with each name, ascending."""
        found = [np.empty(0, np.int64)]
        for part in _parts(sum(map(len, self._rows))):
            sql = f'SELECT min("row") AS f FROM {_TABLE} WHERE {part.format("name")} GROUP BY name'
            found.append(self._store.arrow(sql)["f"].to_numpy())
        return np.sort(np.concatenate(found))

    def names(self, rows: Ints) -> dict[int, str]:
        """The names of some rows."""
        found = self._store.arrow(
            f'SELECT "row", name FROM {_TABLE} '
            'SEMI JOIN (SELECT unnest(CAST(? AS BIGINT[])) AS "row") USING ("row")',
            [rows.tolist()],
        )
        return dict(zip(found["row"].to_pylist(), found["name"].to_pylist(), strict=True))


def _parts(names: int) -> Iterator[str]:
    """Conditions on a column `{}` of names that share them out, a few hundred thousand each."""
    count = 1 + names // PART
    return (f"hash({{}}) % {count} = {part}" for part in range(count))
