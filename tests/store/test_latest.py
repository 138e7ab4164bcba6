"""Which rejects still hold after the same was read again, by hand."""

from pathlib import Path

import pytest

from tests.made.catalogues import blank
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.steps import rejects
from zoolens.catalog.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return blank(tmp_path / "gz.duckdb")


def read(
    store: Store,
    job: str,
    config: dict[str, object],
    origin: dict[str, str],
    *refused: tuple[str, str],
    done: bool = True,
) -> None:
    """A run that refuses keys of sources."""
    run = store.begin(job, config, origin=origin)
    rows = [Reject(source, None, key, "ragged row: 1") for source, key in refused]
    if not store.committed(run, "1"):
        store.commit(run, "1", {"reject": reject_table(rows)})
    if done and not run.complete:
        store.finish(run)


def held(store: Store) -> list[tuple[int, str]]:
    return store.rows("SELECT run_id, key FROM rejects WHERE latest ORDER BY ALL")


TABLE, IMAGES = {"votes": "/d/a.csv"}, {"images": "/d/images"}
BAD_ROW, BAD_IMAGE = ("a.csv", "row"), ("/d/images/x.png", "image")


def test_what_is_read_again_counts_once(path: Path) -> None:
    with Store.open(path) as store:
        read(store, "ingest", {"n": 1}, TABLE | IMAGES, BAD_ROW, BAD_IMAGE)
        assert held(store) == [(1, "image"), (1, "row")]
        read(store, "ingest", {"n": 2}, {"votes": "/d/b.csv"}, ("b.csv", "other"))
        assert held(store) == [(1, "image"), (1, "row"), (2, "other")]
        read(store, "ingest", {"n": 3}, TABLE)  # corrected
        assert held(store) == [(1, "image"), (2, "other")]
        read(store, "ingest", {"n": 4}, TABLE | IMAGES, BAD_IMAGE)
        assert held(store) == [(2, "other"), (4, "image")]
        assert rejects(store) == (2, 0)
        assert store.value("SELECT count(*) FROM rejects") == 4  # the ledger keeps all


def test_a_reading_that_has_not_ended_replaces_nothing(path: Path) -> None:
    with Store.open(path) as store:
        read(store, "ingest", {"n": 1}, TABLE, BAD_ROW)
        read(store, "ingest", {"n": 2}, TABLE, BAD_ROW, done=False)
        assert held(store) == [(1, "row"), (2, "row")]


def test_other_columns_of_a_table_are_another_reading(path: Path) -> None:
    with Store.open(path) as store:
        for number, column in enumerate("zmz"):
            config = {"columns": [column], "after": number}
            read(store, "keep", config, {"table": "/d/a.csv"}, ("a.csv", column))
        assert held(store) == [(2, "m"), (3, "z")]


def test_of_jobs_over_the_catalogue_the_last_counts(path: Path) -> None:
    with Store.open(path) as store:
        for model in "aba":
            read(store, "predict", {"model": model}, {"model": model}, BAD_IMAGE)
        assert held(store) == [(1, "image")]  # asked for again, it is the last
        read(store, "score", {}, {})
        assert len(held(store)) == 1
