"""Filling runs: in order, once, with any executor, and on from where it stopped."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.parallel import in_order, in_processes
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.shards import Executor, Part, as_they_are, fill, here
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema
from zoolens.catalog.trees.published import get_tree

EXECUTORS = [here, partial(in_order, threads=3, ahead=2), partial(in_processes, workers=2)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.open(tmp_path / "gz.duckdb", create=True)
    store.set_tree(get_tree("gzd5"))
    return store


def split(ids: list[int]) -> dict[str, pa.Table]:
    """One row per number, and a reject for those that 7 divides."""
    names = {"galaxy_id": ids, "split": ["train"] * len(ids)}
    bad = [Reject("a.csv", number, None, "seven: times") for number in ids if number % 7 == 0]
    return {
        "split": pa.table(names, schema=arrow_schema("split")),
        "reject": reject_table(bad),
    }


def parts(first: int, last: int, *, named: bool = False) -> list[Part[list[int]]]:
    return [
        Part([*range(i, i + 5)], 5, f"from {i}" if named else None) for i in range(first, last, 5)
    ]


@pytest.mark.parametrize("executor", EXECUTORS, ids=["here", "threads", "processes"])
@pytest.mark.parametrize("together", [1, 3])
@pytest.mark.slow
def test_every_executor_fills_the_same(store: Store, executor: Executor, together: int) -> None:
    with store:
        run = store.begin("train", {})
        added = fill(
            store,
            run,
            parts(1, 51),
            split,
            read=as_they_are,
            describe="x",
            total=50,
            executor=executor,
            together=together,
        )
        assert added == {"split": 50, "reject": 7}
        rows = store.rows_made(run, "split")["galaxy_id"].to_numpy()
        assert np.array_equal(rows, np.arange(1, 51))
        assert store.shards(run) == -(-10 // together)


def test_named_parts_are_done_once_and_unnamed_ones_numbered_onwards(store: Store) -> None:
    done: list[int] = []

    def work(ids: list[int]) -> dict[str, pa.Table]:
        done.append(ids[0])
        return split(ids)

    with store:
        run = store.begin("train", {})
        filled = partial(fill, store, run, work=work, read=as_they_are, describe="x", total=0)
        filled(parts(1, 11, named=True))
        filled(parts(1, 21, named=True))
        assert done == [1, 6, 11, 16]
        filled(parts(21, 31))
        filled(parts(31, 36))
        names = [row[0] for row in store.rows("SELECT name FROM shard ORDER BY committed_at")]
    assert names == ["from 1", "from 6", "from 11", "from 16", "part 5", "part 6", "part 7"]


def test_known_rejects_are_left_out_and_nothing_is_no_shard(store: Store) -> None:
    def refuse(ids: list[int]) -> dict[str, pa.Table]:
        return {"reject": split(ids)["reject"]}

    with store:
        run = store.begin("train", {})
        filled = partial(fill, store, run, work=refuse, read=as_they_are, describe="x", total=0)
        assert filled(parts(1, 16))["reject"] == 2
        assert store.shards(run) == 2
        assert filled(parts(1, 21))["reject"] == 0
        assert store.shards(run) == 2
        assert filled(parts(1, 26))["reject"] == 1


def test_what_is_read_for_a_part_has_all_before_it(store: Store) -> None:
    """Galaxies of an ingest are numbered onwards from those that are committed."""
    seen: list[int] = []

    def read(ids: list[int]) -> list[int]:
        seen.append(store.rows_of(run, "split"))
        return ids

    with store:
        run = store.begin("train", {})
        fill(store, run, parts(1, 16), split, read=read, describe="x", total=15)
    assert seen == [0, 5, 10]


def test_what_was_committed_stays_if_later_work_fails(store: Store) -> None:
    def work(ids: list[int]) -> dict[str, pa.Table]:
        if ids[0] == 11:
            raise CatalogError("a bad part")
        return split(ids)

    with store:
        run = store.begin("train", {})
        with pytest.raises(CatalogError, match="a bad part"):
            fill(store, run, parts(1, 21), work, read=as_they_are, describe="x", total=20)
        assert store.rows_of(run, "split") == 10


def test_parts_with_names_are_committed_alone(store: Store) -> None:
    with store:
        run = store.begin("train", {})
        filled = partial(fill, store, run, work=split, read=as_they_are, describe="x", total=0)
        with pytest.raises(ValueError, match="from 1 has a name"):
            filled(parts(1, 11, named=True), together=2)
