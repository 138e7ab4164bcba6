"""What waits for a job in a catalogue, by hand."""

from pathlib import Path

import pytest

from tests.made.catalogues import (
    add_images,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import NothingHere
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.waiting import waits_for

JOBS = ("predict", "estimate", "score", "explain", "estimate_maps")


def waiting(store: Store) -> list[str]:
    return [job for job in JOBS if waits_for(store, job)]


def test_nothing_waits_without_images(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with Store.open(path) as store:
        assert waiting(store) == []
        with pytest.raises(NothingHere, match="no galaxy with an image to predict from; add"):
            store.newest_run("predict")
        store.begin("predict", {})
        assert waiting(store) == ["predict", "score"]
        with pytest.raises(NothingHere, match="no complete predict run; do first"):
            store.newest_run("predict")


def test_predictions_wait_for_a_loss_where_there_are_votes(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(2), concentrations=random_concentrations(2)
    )
    with Store.open(path) as store:
        assert waiting(store) == ["score"]
        store.execute("DELETE FROM vote")
        assert waiting(store) == []


def test_a_run_that_refused_all_images_is_waited_for_no_more(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with Store.open(path) as store:
        add_images(store, [image(number) for number in range(2)])
        assert waiting(store) == [*JOBS]
        run = store.begin("predict", {})
        for number in range(2):
            assert waiting(store) == [*JOBS]
            refused = [Reject(f"{number}.png", None, f"G{number:04d}", "unreadable image: no")]
            store.commit(run, f"{number}", {"reject": reject_table(refused)})
        assert waiting(store) == []
        assert store.value("SELECT status FROM run WHERE job = 'predict'") == "running"
        add_images(store, [image(1, "new.png")])
        assert waiting(store) == [*JOBS]


def image(number: int, source: str | None = None) -> dict[str, object]:
    """The row of an image that is nowhere."""
    where = {"galaxy_id": number, "source": source or f"{number}.png"}
    return {**where, "sha256": "00" * 32, "format": "PNG", "height": 9, "width": 9}
