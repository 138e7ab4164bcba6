"""How far a catalogue has come, with numbers counted by hand."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_images,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.covered import covered
from zoolens.catalog.explain.rows import statistic_rows
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.steps import interrupted, rejects, runs, steps
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Six galaxies, images of 0 and 1 of them, predictions of 0, 1 and 5."""
    path = catalogue(tmp_path / "gz.duckdb", random_counts(6))
    with Store.open(path) as store:
        images = [
            {"galaxy_id": n, "source": "a", "format": "PNG", "height": 1, "width": 1, "sha256": "f"}
            for n in (0, 1)
        ]
        add_images(store, images)
        add_predictions(store, random_concentrations(3), galaxy_ids=[0, 1, 5])
    return path


def told(store: Store) -> dict[object, tuple[object, ...]]:
    return {row["step"]: (row["run"], row["galaxies"], row["of"]) for row in steps(store)}


def test_each_step_has_done_some_of_what_it_could(path: Path) -> None:
    with Store.open(path, read_only=True) as store:
        assert told(store) == {
            "ingest": (2, 6, 6),
            "predict": (3, 3, 2),
            "score": (None, 0, 3),
            "explain": (None, 0, 2),
        }
    score(path)
    with Store.open(path) as store:
        run = store.begin("explain", {"predict_run": 3})
        maps = np.ones((1, len(TOY.labels), 2, 2), np.float32)
        store.commit(
            run,
            "one",
            {
                "saliency_stat": statistic_rows(
                    [1], "concentration", maps, covered([None], maps.shape[2:])
                )
            },
        )
        assert told(store)["explain"] == (None, 0, 2), "not before the run is complete"
        store.finish(run)
        assert told(store)["score"] == (4, 3, 3)
        assert told(store)["explain"] == (5, 1, 2)
        # another run of predictions begins anew
        add_predictions(store, random_concentrations(1), galaxy_ids=[4], seed=1)
        assert told(store)["predict"] == (6, 1, 2)
        assert told(store)["score"] == (None, 0, 1), "no losses of these predictions"
        assert told(store)["explain"] == (None, 0, 2)


def test_runs_tell_their_shards_and_rejects(path: Path) -> None:
    with Store.open(path) as store:
        run = store.begin("predict", {"seed": 9}, model_sha256="0123456789abcdef")
        refused = [
            Reject("a.png", None, "J1", "bad pixels: 3"),
            Reject("b.png", None, "J2", "truncated image: 2"),
            Reject("c.csv", 7, "J3", "contradictory total: 5"),
        ]
        for shard in ("one", "two", "three"):
            store.commit(run, shard, {"reject": reject_table(refused if shard == "two" else [])})
        assert interrupted(store) == [(run.run_id, "predict")]
        assert rejects(store) == (2, 1)
        rows = runs(store).to_pylist()
    assert [row["run_id"] for row in rows] == [1, 2, 3, 4]
    assert [row["status"] for row in rows] == ["complete"] * 3 + ["interrupted"]
    assert [(row["shards"], row["refused"], row["remarks"]) for row in rows] == [
        *[(1, 0, 0)] * 3,
        (3, 2, 1),
    ]
    assert rows[3]["model"] == "0123456789ab"
