from pathlib import Path

import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.jobs.status import status


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
