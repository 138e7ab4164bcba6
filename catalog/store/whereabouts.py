"""Names of a table's galaxies, on disk: which of them a catalogue has, and which come again.

They are kept in a DuckDB file of their own, whose joins go to disk where they need more memory
than a job has. It is scratch: whoever makes it removes it with its folder.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Ints
from zoolens.catalog.store.failures import WRITE_FAILURES, write_failure
from zoolens.catalog.store.store import Store

_MEMORY = 512  # MiB
_ROWS = 1 << 20  # of a batch
_AGAIN = """SELECT n.place, f.first FROM name n
JOIN (SELECT name, min(place) AS first FROM name WHERE located GROUP BY name HAVING count(*) > 1) f
    ON f.name = n.name AND n.place > f.first AND n.located"""


class Whereabouts:
    """The names of a table's rows, each with its place among the rows; a context manager."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection = duckdb.connect(str(file))
        self._connection.execute(f"SET memory_limit = '{_MEMORY}MiB'")
        self._connection.execute("CREATE TABLE name (place BIGINT, name VARCHAR, located BOOLEAN)")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def add(self, places: Ints, names: Sequence[str], located: Flags) -> None:
        """Append names of rows, and whether they have a position.

        Raises `CatalogError` if the disk did not take them.
        """
        named = pa.array(names, pa.string())
        rows = pa.table({"place": places, "name": named, "located": located})
        try:
            self._connection.register("incoming", rows)
            self._connection.execute("INSERT INTO name SELECT * FROM incoming")
            self._connection.unregister("incoming")
        except WRITE_FAILURES as error:
            raise write_failure(self._file, error) from error

    def repeated(self) -> Iterator[tuple[Ints, Ints]]:
        """Places (R,) whose name an earlier place has, and the first (R,) that has it.

        Only those count that have a position.
        """
        try:
            found = self._connection.execute(_AGAIN).to_arrow_reader(_ROWS)
            for batch in found:
                yield batch["place"].to_numpy(), batch["first"].to_numpy()
        except WRITE_FAILURES as error:
            raise write_failure(self._file, error) from error

    def finish(self) -> None:
        """Let catalogues look at the names; nothing can be added any more."""
        self._connection.close()


def places_of(store: Store, names: Path) -> Iterator[Ints]:
    """The places, in the file of `Whereabouts`, of the names that a catalogue has.

    Names of unfinished ingests count: their numbers are taken.
    """
    quoted = str(names).replace("'", "''")
    store.rows(f"ATTACH '{quoted}' AS sought (READ_ONLY)")
    try:
        sql = "SELECT place FROM sought.name SEMI JOIN galaxy ON galaxy.iauname = name.name"
        for batch in store.batches(sql, [], _ROWS):
            yield batch["place"].to_numpy()
    finally:
        store.rows("DETACH sought")
