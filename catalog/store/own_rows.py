"""Runs of `keep`: rows of the user's own columns in, the newest of each galaxy shown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.arrays import Flags, Ids
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.own_columns import (
    CURRENT,
    DEFINITIONS,
    LISTS,
    OwnColumn,
    own_sql,
    quoted,
)
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.tables import arrow_schema
from zoolens.catalog.store.views import own_view

_COMPLETE = "FROM run WHERE job = 'keep' AND status = 'complete'"
_ABANDONED = "SELECT run_id FROM run WHERE job = 'keep' AND status = 'running' AND run_id <> ?"
_SUPERSEDE = f"""INSERT INTO superseded_own
SELECT o.run_id, o.galaxy_id FROM {CURRENT}
SEMI JOIN (SELECT galaxy_id FROM own_row WHERE run_id = $1) n ON n.galaxy_id = o.galaxy_id
WHERE o.run_id <> $1"""
# Rows of the run $1, and those that each replaced.
_BEFORE = """own_row n JOIN (
    SELECT s.galaxy_id, max(s.run_id) AS last FROM superseded_own s
    SEMI JOIN own_row n ON n.run_id = $1 AND n.galaxy_id = s.galaxy_id
    WHERE s.run_id < $1 GROUP BY s.galaxy_id) b ON b.galaxy_id = n.galaxy_id
JOIN own_row o ON o.run_id = b.last AND o.galaxy_id = b.galaxy_id WHERE n.run_id = $1"""
_ARROW = {"numbers": pa.float64(), "integers": pa.int64(), "texts": pa.string()}


def own_columns(store: Store) -> list[OwnColumn]:
    """The user's own columns of a catalogue, in the order in which they came."""
    return _defined(store, 0)


def _defined(store: Store, run_id: int) -> list[OwnColumn]:
    return [OwnColumn(*row) for row in store.rows(DEFINITIONS, [run_id])]


def columns_of(store: Store, run: Run) -> list[OwnColumn]:
    """The columns of which a run brought values, as it described them."""
    sql = f"SELECT {', '.join(OwnColumn._fields)} FROM own_column WHERE run_id = ? ORDER BY rowid"
    return [OwnColumn(*row) for row in store.rows(sql, [run.run_id])]


def read_own(store: Store, names: Sequence[str], galaxy_id: Ids) -> pa.Table:
    """Some of the user's own columns of galaxies (N,), ascending, in that order."""
    listed = "".join(f", {quoted(name)}" for name in names)
    rows = read_rows(store, f"SELECT galaxy_id{listed} FROM own", galaxy_id)
    place = pc.index_in(pa.array(galaxy_id), rows["galaxy_id"])
    return rows.select(names).take(place)


def begin_keep(store: Store, settings: Mapping[str, Any], origin: Mapping[str, str]) -> Run:
    """The run for a table of own columns.

    The run before it (`after`) is part of its configuration, so that the same values are news again
    once others replaced them; so is the ingest that last brought galaxies, which the table may be
    about. What other runs left incomplete was never shown and is deleted.
    """
    newest = store.value(
        "SELECT max(g.run_id) FROM galaxy g JOIN run r ON r.run_id = g.run_id "
        "AND r.status = 'complete'"
    )
    given = {**settings, "galaxies": newest}
    rows = store.rows(f"SELECT run_id, config {_COMPLETE} ORDER BY run_id DESC LIMIT 1")
    after = None
    for run_id, text in rows:
        config = store.facts(text, f"the settings of run {run_id}")
        same = all(config.get(name) == value for name, value in given.items())
        after = config.get("after") if same else run_id
    run = store.begin("keep", {**given, "after": after}, origin=origin)
    if store.rows(_ABANDONED, [run.run_id]):
        with store.transaction():
            for name in ("own_column", "own_row", "reject", "shard", "run"):
                store.execute(f"DELETE FROM {name} WHERE run_id IN ({_ABANDONED})", [run.run_id])
    return run


def finish_keep(store: Store, run: Run) -> None:
    """Complete a run: its rows replace those of the same galaxies, and the view has its columns."""
    with store.transaction():
        store.execute(_SUPERSEDE, [run.run_id])
        store.execute("DROP VIEW own")
        for statement in own_view(_defined(store, run.run_id)).statements():
            store.execute(statement)
        store.finish(run)


def column_table(columns: Sequence[OwnColumn]) -> pa.Table:
    """The rows of `own_column`, without their run."""
    rows = [column._asdict() for column in columns]
    return pa.Table.from_pylist(rows, schema=arrow_schema("own_column"))


def row_table(
    store: Store,
    every: Sequence[OwnColumn],
    given: Mapping[str, pa.Array],
    galaxy_id: Ids,
) -> pa.Table:
    """The rows of `own_row`, without their run, of galaxies that get other values.

    every: all columns of the catalogue, with those that come; given: values (N,) of some of them,
    of the galaxies (N,), ascending. A galaxy keeps its values of the others.
    """
    before = own_columns(store)
    values = dict(zip((c.name for c in before), _stored(store, before, galaxy_id), strict=True))
    differs = np.zeros(len(galaxy_id), bool)
    for column in every:
        if column.name in given:
            kind = _ARROW[LISTS[column.type]]
            new = given[column.name].cast(kind)
            differs |= _differs(values.get(column.name, pa.nulls(len(new), kind)), new)
            values[column.name] = new
    kept = pa.array(differs)
    lists = {
        name: _zipped([values[c.name].filter(kept) for c in _in_list(every, name)], kind, kept)
        for name, kind in _ARROW.items()
    }
    return pa.table({"galaxy_id": galaxy_id[differs], **lists}, schema=arrow_schema("own_row"))


def replaced_values(store: Store, run: Run, names: Sequence[str]) -> dict[str, int]:
    """Of how many galaxies a run replaced a value of some columns, by column, where of any."""
    columns = [column for column in _defined(store, run.run_id) if column.name in names]
    counts = ", ".join(
        f"count(*) FILTER (o.{LISTS[c.type]}[{c.place}] IS NOT NULL AND "
        f"o.{LISTS[c.type]}[{c.place}] IS DISTINCT FROM n.{LISTS[c.type]}[{c.place}])"
        for c in columns
    )
    ((*found,),) = store.rows(f"SELECT {counts} FROM {_BEFORE}", [run.run_id])
    return {c.name: count for c, count in zip(columns, found, strict=True) if count}


def _in_list(columns: Sequence[OwnColumn], name: str) -> list[OwnColumn]:
    """The columns of a list of `own_row`, in their places."""
    return sorted((c for c in columns if LISTS[c.type] == name), key=lambda c: c.place)


def _stored(store: Store, columns: Sequence[OwnColumn], galaxy_id: Ids) -> list[pa.Array]:
    """Current values of columns, as they are stored, of galaxies (N,), ascending."""
    plain = [column._replace(type=_PLAIN[LISTS[column.type]]) for column in columns]
    rows = read_rows(store, own_sql(plain), galaxy_id)
    place = pc.index_in(pa.array(galaxy_id), rows["galaxy_id"])
    return [rows[column.name].combine_chunks().take(place) for column in columns]


_PLAIN = {"numbers": "DOUBLE", "integers": "BIGINT", "texts": "VARCHAR"}


def _differs(old: pa.Array, new: pa.Array) -> Flags:
    """Where two arrays (N,) have different values, or one alone has none."""
    other = pc.fill_null(pc.not_equal(old, new), False)
    flags: Flags = pc.or_(other, pc.xor(old.is_null(), new.is_null())).to_numpy(
        zero_copy_only=False
    )
    return flags


def _zipped(columns: Sequence[pa.Array], kind: pa.DataType, kept: pa.Array) -> pa.Array:
    """Columns (N,), one for each row that is kept, as one of lists."""
    rows, width = pc.sum(kept).as_py() or 0, len(columns)
    if not width:
        return pa.array([[]] * rows, pa.list_(kind))
    order = np.arange(rows * width).reshape(width, rows).T.ravel()
    values = pa.concat_arrays(list(columns)).take(pa.array(order))
    return pa.FixedSizeListArray.from_arrays(values, width).cast(pa.list_(kind))
