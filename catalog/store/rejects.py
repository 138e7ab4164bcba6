"""Rows of `reject`: what was refused or remarked on, where it was found, and why.

A reason reads `kind: details`, with a kind of `catalog.store.kinds`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa

from zoolens.catalog.arrays import Ints
from zoolens.catalog.store.kinds import IS_REFUSED, kind_of
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.tables import arrow_schema

_GIVEN = ["source", "row", "key", "reason"]  # what tells one reject from another


class Reject(NamedTuple):
    """One row, value or image that was refused or remarked on.

    source: the file; row: its row, the first data row being 1, or None; key: the
    identifier, column, question or image it is about; reason: `kind: details`.
    """

    source: str
    row: int | None
    key: str | None
    reason: str


def reject_table(rejects: Iterable[Reject]) -> pa.Table:
    """The rows of `reject`, without their run."""
    rows = [(*map(_plain, reject), kind_of(reject.reason)) for reject in rejects]
    types = arrow_schema("reject")
    columns = zip(*rows, strict=True) if rows else [[] for _ in types]
    arrays = [pa.array(values, kind.type) for values, kind in zip(columns, types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=types)


class KnownRejects:
    """The rejects that a run has already, which are not recorded again."""

    def __init__(self, store: Store, run: Run) -> None:
        self._store, self._run = store, run

    @cached_property
    def _rows(self) -> set[tuple[object, ...]]:
        sql = 'SELECT source, "row", key, reason FROM reject WHERE run_id = ?'
        return {*self._store.rows(sql, [self._run.run_id])}

    def __len__(self) -> int:
        return len(self._rows)

    def without(self, rejects: pa.Table) -> pa.Table:
        """The rows of `reject` that the run did not have when this was first called."""
        if not len(rejects) or not self._rows:
            return rejects
        given = rejects.select(_GIVEN)
        rows = zip(*(column.to_pylist() for column in given.columns), strict=True)
        return rejects.filter(pa.array([row not in self._rows for row in rows]))


def add_rejects(store: Store, run: Run, rejects: Sequence[Reject]) -> int:
    """Commit the rejects that a run does not have yet as one shard; how many they are."""
    known = KnownRejects(store, run)
    new = known.without(reject_table(rejects))
    if len(new):
        store.commit(run, f"rejects after {len(known)}", {"reject": new})
    return len(new)


def rows_refused(store: Store, run: Run, *, but: str) -> Ints:
    """Numbers of the input rows that a run has refused for any kind of reason except `but`."""
    found = store.arrow(
        f'SELECT "row" FROM reject WHERE run_id = ? AND "row" IS NOT NULL AND kind <> ? '
        f"AND {IS_REFUSED}",
        [run.run_id, but],
    )
    numbers: Ints = found["row"].to_numpy()
    return numbers


def names_refused(store: Store, run: Run) -> set[str]:
    """What a run has refused, by its keys: names of galaxies, of a run over their images."""
    sql = f"SELECT DISTINCT key FROM reject WHERE run_id = ? AND {IS_REFUSED}"
    return {key for (key,) in store.rows(sql, [run.run_id])}


def counts_by_kind(store: Store, run: Run) -> Mapping[str, int]:
    """How many rejects of a run there are, by the kind of their reason, most first."""
    sql = "SELECT kind, count(*) AS n FROM reject WHERE run_id = ? GROUP BY kind"
    return dict(store.rows(f"{sql} ORDER BY n DESC, kind", [run.run_id]))


def commonest_reason(store: Store, run: Run) -> str:
    """The reason of most rejects of a run, and of how many; "nothing was refused" without any."""
    sql = f"SELECT reason, count(*) AS n FROM reject WHERE run_id = ? AND {IS_REFUSED}"
    found = store.rows(f"{sql} GROUP BY reason ORDER BY n DESC, reason LIMIT 1", [run.run_id])
    return f"{found[0][1]:,} times {found[0][0]}" if found else "nothing was refused"


def _plain(value: str | int | None) -> str | int | None:
    """A value that can be stored: bytes of a file name that are not UTF-8 become "?"."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
