"""Rows of one's own columns: merged, replaced, counted."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.made.catalogues import add_votes, catalogue, random_counts
from zoolens.catalog.store.own_columns import OwnColumn
from zoolens.catalog.store.own_rows import (
    begin_keep,
    column_table,
    columns_of,
    finish_keep,
    own_columns,
    read_own,
    replaced_values,
    row_table,
)
from zoolens.catalog.store.store import Run, Store

Z = OwnColumn("z", "DOUBLE", 1, "", "", "")
MAG = OwnColumn("mag", "FLOAT", 2, "", "", "")
ID = OwnColumn("id", "BIGINT", 1, "", "", "")
TEXT = OwnColumn("text", "VARCHAR", 1, "", "", "")
ARROW = {
    "DOUBLE": pa.float64(),
    "FLOAT": pa.float32(),
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(catalogue(tmp_path / "gz.duckdb", random_counts(5))) as store:
        yield store


def _begun(store: Store, what: object, columns: Sequence[OwnColumn]) -> Run:
    run = begin_keep(store, {"what": what}, {})
    if not run.complete and not store.committed(run, "columns"):
        store.commit(run, "columns", {"own_column": column_table(columns)})
    return run


def _keep(
    store: Store, columns: Sequence[OwnColumn], values: Mapping[int, Sequence[object]]
) -> Run:
    """Values by galaxy, one for each column."""
    given = {
        column.name: pa.array([row[k] for row in values.values()], ARROW[column.type])
        for k, column in enumerate(columns)
    }
    run = _begun(store, repr((columns, values)), columns)
    names = {column.name for column in columns}
    every = [*(c for c in own_columns(store) if c.name not in names), *columns]
    rows = row_table(store, every, given, np.array([*values], np.int64))
    store.commit(run, "rows", {"own_row": rows})
    finish_keep(store, run)
    return run


def test_a_galaxy_keeps_what_a_later_table_does_not_bring(store: Store) -> None:
    _keep(store, [Z, ID], {0: [0.1, 2**63 - 1], 2: [0.2, None], 3: [None, -(2**63)]})
    _keep(store, [MAG, TEXT], {1: [17.5, "a"], 2: [18.0, None]})
    listed = 'SELECT galaxy_id, z, "id", mag, text FROM own ORDER BY galaxy_id'
    assert store.rows(listed) == [
        (0, 0.1, 2**63 - 1, None, None),
        (1, None, None, 17.5, "a"),
        (2, 0.2, None, 18.0, None),
        (3, None, -(2**63), None, None),
    ]
    got = read_own(store, ["mag", "z"], np.array([1, 2, 4]))
    assert got.to_pydict() == {"mag": [17.5, 18.0, None], "z": [None, 0.2, None]}


def test_only_what_differs_is_written_and_what_goes_is_counted(store: Store) -> None:
    _keep(store, [Z, MAG], {0: [0.1, 1.0], 1: [0.2, 2.0], 2: [0.3, 3.0], 3: [None, 4.0]})
    run = _keep(store, [Z], {0: [0.1], 1: [0.25], 2: [None], 3: [0.4], 4: [None]})
    assert store.rows_of(run, "own_row") == 3
    assert replaced_values(store, run, ["z", "mag"]) == {"z": 2}
    assert store.rows("SELECT z, mag FROM own ORDER BY galaxy_id") == [
        (0.1, 1.0),
        (0.25, 2.0),
        (None, 3.0),
        (0.4, 4.0),
    ]


def test_the_same_again_is_the_same_run_unless_others_or_galaxies_came_between(
    store: Store,
) -> None:
    first = _keep(store, [Z], {0: [0.1]})
    assert _begun(store, repr(([Z], {0: [0.1]})), [Z]).run_id == first.run_id
    _keep(store, [Z], {0: [0.2]})
    again = _keep(store, [Z], {0: [0.1]})
    assert again.run_id > first.run_id
    assert store.rows("SELECT z FROM own") == [(0.1,)]
    add_votes(store, random_counts(1))
    later = _begun(store, repr(([Z], {0: [0.1]})), [Z])
    assert not later.complete


def test_what_is_not_finished_does_not_show_and_goes_with_the_next(store: Store) -> None:
    run = _begun(store, "abandoned", [TEXT])
    rows = row_table(store, [TEXT], {"text": pa.array(["a"])}, np.array([1]))
    store.commit(run, "rows", {"own_row": rows})
    assert store.rows("FROM own") == []
    assert own_columns(store) == []
    assert _begun(store, "abandoned", [TEXT]).run_id == run.run_id
    _keep(store, [Z], {0: [0.1]})
    assert own_columns(store) == [Z]
    assert store.rows("SELECT run_id FROM own_column") == [(store.newest_run("keep"),)]
    assert store.rows("SELECT z FROM own") == [(0.1,)]


def test_the_newest_run_says_what_a_column_is(store: Store) -> None:
    before = _keep(store, [Z._replace(type="FLOAT", description="old")], {0: [0.5]})
    _keep(store, [Z._replace(unit="km/s")], {1: [0.1]})
    assert own_columns(store) == [Z._replace(unit="km/s")]
    assert columns_of(store, before) == [Z._replace(type="FLOAT", description="old")]
    assert store.rows("SELECT z FROM own ORDER BY galaxy_id") == [(0.5,), (0.1,)]


_ROW = st.tuples(
    st.floats(allow_nan=False) | st.none(),
    st.floats(allow_nan=False, width=32) | st.none(),
    st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.text(st.characters(codec="utf-8"), min_size=1) | st.none(),
).filter(lambda row: any(value is not None for value in row))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROW, min_size=5, max_size=5))
@pytest.mark.slow
def test_what_goes_in_comes_out(store: Store, rows: list[tuple[object, ...]]) -> None:
    columns = [Z, MAG, ID, TEXT]
    given = {
        column.name: pa.array([row[k] for row in rows], ARROW[column.type])
        for k, column in enumerate(columns)
    }
    run = _begun(store, repr(rows), columns)
    if not run.complete:
        store.commit(run, "rows", {"own_row": row_table(store, columns, given, np.arange(5))})
        finish_keep(store, run)
    assert store.rows('SELECT z, mag, "id", text FROM own ORDER BY galaxy_id') == rows
