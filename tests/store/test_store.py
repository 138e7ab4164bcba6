from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made.catalogues import add_votes, blank
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = blank(tmp_path / "gz.duckdb")
    with Store.open(path) as store:
        store.set_tree(get_tree("gzd5"))
    return path


def _galaxies(first: int, count: int) -> dict[str, pa.Table]:
    numbers = list(range(first, first + count))
    return {
        "galaxy": pa.table(
            {
                "galaxy_id": pa.array(numbers, pa.int64()),
                "iauname": [f"J{number:06d}" for number in numbers],
                "ra": [0.5] * count,
                "dec": [-0.5] * count,
            }
        )
    }


def test_a_shard_and_its_ledger_row_are_there_together(path: Path) -> None:
    with Store.open(path) as store:
        run = store.begin("ingest", {"votes": "a"})
        store.commit(run, "one", _galaxies(0, 3))
        assert store.value("SELECT count(*) FROM galaxies") == 0, "not before the run is complete"
        store.finish(run)
    with Store.open(path, read_only=True) as store:
        assert store.committed(run, "one")
        assert store.arrow('SELECT "rows" FROM shard')["rows"].to_pylist() == [3]
        assert store.arrow("SELECT iauname FROM galaxies ORDER BY 1")["iauname"].to_pylist() == [
            "J000000",
            "J000001",
            "J000002",
        ]


def test_a_shard_that_fails_leaves_nothing(path: Path) -> None:
    with Store.open(path) as store:
        run = store.begin("ingest", {})
        broken = _galaxies(0, 3) | {"vote": pa.table({"no_such_column": [1]})}
        with pytest.raises(ValueError, match="no_such_column"):
            store.commit(run, "one", broken)
        assert store.shards(run) == 0
        assert store.value("SELECT count(*) FROM galaxy") == 0
        store.commit(run, "one", _galaxies(0, 3))


def test_a_shard_is_not_taken_twice(path: Path) -> None:
    with Store.open(path) as store:
        run = store.begin("ingest", {})
        store.commit(run, "one", _galaxies(0, 3))
        with pytest.raises(ValueError, match="already committed"):
            store.commit(run, "one", _galaxies(0, 3))
        assert store.value("SELECT count(*) FROM galaxy") == 3


def test_the_same_work_is_the_same_run(path: Path) -> None:
    with Store.open(path) as store:
        first = store.begin("predict", {"seed": 1}, model_sha256="ab", origin={"model": "here"})
        again = store.begin("predict", {"seed": 1}, model_sha256="ab", origin={"model": "there"})
        assert again == first
        assert first.config["origin"] == {"model": "here"}
        others = [
            store.begin("predict", {"seed": 2}, model_sha256="ab"),
            store.begin("predict", {"seed": 1}, model_sha256="cd"),
            store.begin("score", {"seed": 1}, model_sha256="ab"),
        ]
        assert len({run.run_id for run in [first, *others]}) == 4


def test_views_show_the_newest_complete_run(path: Path) -> None:
    def prediction(fraction: float) -> dict[str, pa.Table]:
        return {
            "prediction": pa.table(
                {
                    "galaxy_id": [0],
                    "answer_id": pa.array([0], pa.int32()),
                    "fraction": [fraction],
                },
            )
        }

    with Store.open(path) as store:
        ingest = store.begin("ingest", {})
        store.commit(ingest, "one", _galaxies(0, 1))
        store.finish(ingest)
        for seed, fraction in enumerate((0.1, 0.2, 0.3)):
            run = store.begin("predict", {"seed": seed})
            store.commit(run, "one", prediction(fraction))
            if seed < 2:
                store.finish(run)
        shown = store.arrow("SELECT run_id, fraction FROM predictions").to_pylist()
        assert shown == [{"run_id": 3, "fraction": 0.2}]
        assert store.newest_run("predict") == 3
        every = store.arrow("SELECT fraction FROM history.predictions ORDER BY run_id")
        assert every["fraction"].to_pylist() == [0.1, 0.2, 0.3]


def test_a_catalogue_keeps_its_tree(path: Path) -> None:
    with Store.open(path) as store:
        store.set_tree(get_tree("gzd5"))
        with pytest.raises(CatalogError, match="is of tree gzd5, not gz2"):
            store.set_tree(get_tree("gz2"))
        assert store.tree == get_tree("gzd5")


def test_a_catalogue_without_votes_takes_the_name_of_a_campaign_that_asks_the_same(
    path: Path,
) -> None:
    """As predictions of GZ DESI are of the questions of DR5 and of DR8."""
    with Store.open(path) as store:
        store.set_tree(get_tree("gzd5"))
        store.set_tree(get_tree("gzd8"))
        assert store.tree == get_tree("gzd8")
        add_votes(store, np.ones((1, 34)))
        with pytest.raises(CatalogError, match="is of tree gzd8, not gzd5"):
            store.set_tree(get_tree("gzd5"))


def test_an_absent_run_is_asked_for(path: Path) -> None:
    with Store.open(path) as store, pytest.raises(CatalogError, match="zoolens predict"):
        store.newest_run("predict")


# every name that UTF-8 can write; DuckDB keeps NUL too
_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@pytest.mark.slow
@settings(max_examples=20)
@given(names=st.lists(_NAMES, min_size=1, max_size=20, unique=True), ra=st.floats(0, 360))
def test_what_goes_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], ra: float
) -> None:
    with Store.open(blank(tmp_path_factory.mktemp("store") / "gz.duckdb")) as store:
        run = store.begin("ingest", {"names": names})
        galaxies = pa.table(
            {"galaxy_id": range(len(names)), "iauname": names, "ra": [ra] * len(names)}
        )
        store.commit(run, "one", {"galaxy": galaxies})
        store.finish(run)
        back = store.arrow("SELECT iauname, ra FROM galaxies ORDER BY galaxy_id")
        assert back["iauname"].to_pylist() == names
        assert set(back["ra"].to_pylist()) == {ra}


def test_what_is_asked_for_again_shows_again(tmp_path: Path) -> None:
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        first, second = (store.begin("predict", {"weights": name}) for name in ("none", "paper"))
        for run in (first, second):
            store.finish(run)
        assert store.newest_run("predict") == second.run_id
        assert not store.begin("predict", {"weights": "paper"}).again
        again = store.begin("predict", {"weights": "none"})
        assert (again.run_id, again.complete, again.again) == (first.run_id, True, True)
        assert store.newest_run("predict") == first.run_id
        assert not store.begin("predict", {"weights": "none"}).again


def test_an_unfinished_run_does_not_show_before_its_end(tmp_path: Path) -> None:
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        begun = store.begin("predict", {"weights": "none"})
        store.finish(store.begin("predict", {"weights": "paper"}))
        assert not store.begin("predict", {"weights": "none"}).again
        assert store.newest_run("predict") != begun.run_id
        store.finish(begun)
        assert store.newest_run("predict") == begun.run_id


@pytest.mark.parametrize("held", [True, False])
def test_a_commit_that_fails_although_it_holds_is_one(path: Path, *, held: bool) -> None:
    """A full disk at a checkpoint: DuckDB reports failure, and the ledger has the shard."""

    class FullDisk(Store):
        @contextmanager
        def transaction(self) -> Iterator[None]:
            if not held:
                raise CatalogError("the disk is full")
            with super().transaction():
                yield
            raise CatalogError("the disk is full")

    with Store.open(path) as store:
        run = store.begin("ingest", {})
    with FullDisk.open(path) as full:
        if held:
            full.commit(run, "one", _galaxies(0, 3))
        else:
            with pytest.raises(CatalogError, match="the disk is full"):
                full.commit(run, "one", _galaxies(0, 3))
        assert full.committed(run, "one") == held
        assert full.value("SELECT count(*) FROM galaxy") == (3 if held else 0)


def test_a_run_is_concluded_once(path: Path) -> None:
    with Store.open(path) as store:
        run = store.begin("predict", {"seed": 1})
        assert store.conclude(run, added=False), "it becomes complete"
        run = store.begin("predict", {"seed": 1})
        ended = store.rows("SELECT finished_at FROM run WHERE run_id = ?", [run.run_id])
        assert not store.conclude(run, added=False)
        assert store.rows("SELECT finished_at FROM run WHERE run_id = ?", [run.run_id]) == ended
        assert store.conclude(run, added=True)
        assert store.conclude(store.begin("predict", {"seed": 2}), added=False)
        assert store.conclude(store.begin("predict", {"seed": 1}), added=False), "shown again"
