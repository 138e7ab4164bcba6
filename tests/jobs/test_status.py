from pathlib import Path

import pytest

from tests.made.catalogues import (
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score
from zoolens.jobs.status import status
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow


def test_it_tells_the_steps_and_what_waits(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(6), concentrations=random_concentrations(6)
    )
    report = status(path)
    steps = {
        row["step"]: (row["run"], row["galaxies"], row["of"]) for row in report.steps.to_pylist()
    }
    assert steps == {
        "ingest": (1, 6, 6),
        "predict": (2, 6, 0),
        "score": (None, 0, 6),
        "explain": (None, 0, 0),
    }
    assert report.advice == ("6 galaxies wait for: zoolens score",)


def test_outdated_steps_are_marked_and_told(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(6), concentrations=random_concentrations(6)
    )
    score(path)
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(6, seed=2), seed=2)
    report = status(path)
    states = {row["step"]: row["state"] for row in report.steps.to_pylist()}
    assert states == {
        "ingest": "current",
        "predict": "current",
        "score": "outdated",
        "explain": None,
    }
    said = (
        "the losses of run 3 are of the predictions of run 2, not of those of run 4, which show; "
        "do: zoolens score"
    )
    assert report.advice == (said,)
    marked = [row for row in verify(path).checks.to_pylist() if "zoolens status" in row["check"]]
    assert marked == [
        {
            "check": "score: outdated, as zoolens status tells",
            "offending": 1,
            "result": "warning",
        }
    ]
    done = zoolens("sql", "SELECT count(*) FROM losses", "--catalog", path)
    assert done.exit_code == 0
    assert done.stdout.split()[-1] == "0"
    assert done.stderr == f"zoolens: {said}\n"
    done = zoolens("sql", "SELECT count(*) FROM history.losses", "--catalog", path)
    assert done.stderr == ""


def test_losses_whose_predictions_do_not_show_are_told(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(6), concentrations=random_concentrations(6)
    )
    score(path)
    with Store.open(path) as store:
        store.execute("UPDATE run SET status = 'running' WHERE job = 'predict'")
    said = "the losses of run 3 are of the predictions of run 2, which do not show"
    assert any(one.startswith(said) for one in status(path).advice)


def test_a_step_that_lacks_galaxies_is_incomplete(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(6))
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(3), galaxy_ids=[0, 1, 2], shard="1")
    score(path)
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(1), galaxy_ids=[3], shard="2")
    report = status(path)
    states = {row["step"]: row["state"] for row in report.steps.to_pylist()}
    assert states["score"] == "incomplete"
    assert report.advice[-1] == "1 galaxy waits for: zoolens score"


def test_an_interrupted_run_is_told(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with Store.open(path) as store:
        store.begin("predict", {"seed": 1})
    report = status(path)
    assert report.runs.to_pylist()[-1]["status"] == "interrupted"
    assert any("predict run 2 was interrupted" in sentence for sentence in report.advice)


def test_it_changes_nothing(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    before = path.read_bytes()
    status(path)
    assert path.read_bytes() == before


def test_an_empty_catalogue_says_what_to_do(tmp_path: Path) -> None:
    with Store.open(tmp_path / "gz.duckdb", create=True):
        pass
    with pytest.raises(CatalogError, match="fill it with: zoolens ingest"):
        status(tmp_path / "gz.duckdb")
