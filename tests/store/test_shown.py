"""Which run shows, against the rule written out in Python; which rows are valid."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import blank
from zoolens.catalog.store.shown import shown, valid
from zoolens.catalog.store.store import Store

JOBS = ("score", "explain", "evaluate", "train", "index")


def _rule(runs: list[dict[str, object]], job: str) -> object:
    """The run that is to show; `runs` are complete, in the order they were asked for."""
    predictions = [run for run in runs if run["job"] == "predict"]
    of_job = [run for run in runs if run["job"] == job]
    if job not in ("score", "explain", "evaluate"):
        return of_job[-1]["run"] if of_job else None
    if not predictions:
        return None
    last = predictions[-1]
    from_a_table = job == "explain" and last["model"] is None
    fitting = [
        run for run in of_job if run["of"] == last["run"] or (from_a_table and run["of"] is None)
    ]
    return fitting[-1]["run"] if fitting else None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.slow
def test_the_run_that_shows_is_of_the_predictions_that_show(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    runs: list[dict[str, object]] = []
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        for step in range(30):
            job = str(random.choice(["predict", *JOBS]))
            known = [run["run"] for run in runs if run["job"] == "predict"] or [99]
            of = int(str(random.choice(np.array(known))))
            model = None if random.random() < 0.3 else f"model {random.integers(2)}"
            row: dict[str, object]
            if job == "predict":
                run = store.begin(job, {"number": int(random.integers(3))}, model_sha256=model)
                row = {"model": model}
            else:
                made_from = None if job == "explain" and random.random() < 0.4 else of
                config = {"predict_run": made_from, "predictions": {"run": of}, "n": step}
                run = store.begin(job, config)
                row = {"of": of if job == "evaluate" else made_from}
            if random.random() < 0.2 and not run.complete:
                continue  # it was killed
            store.finish(run)
            runs = [one for one in runs if one["run"] != run.run_id]
            runs.append({"run": run.run_id, "job": job, **row})
            for of_job in ("predict", *JOBS):
                assert store.value(shown(of_job)) == _rule(runs, of_job), f"{of_job} after {runs}"


def test_rows_are_valid_unless_outdated_in_that_run(tmp_path: Path) -> None:
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        runs = [store.begin("train", {"n": number}) for number in range(2)]
        for run in runs:
            split = pa.table({"galaxy_id": [1, 2, 3], "split": ["train"] * 3})
            store.commit(run, "all", {"split": split})
        number = runs[0].run_id
        store.execute("INSERT INTO outdated VALUES (?, 2, NULL), (?, 2, 'ab')", [number, number])
        left = store.rows(f"SELECT run_id, galaxy_id FROM {valid('split')} ORDER BY ALL")
    one, two = (run.run_id for run in runs)
    assert left == [(one, 1), (one, 3), (two, 1), (two, 2), (two, 3)]
