"""A catalogue that goes into a release."""

from pathlib import Path

import pytest

from tests.made.releases import full_catalogue
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow


def test_it_is_what_it_was_when_it_was_read(tmp_path: Path) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb")
    contribution = Contribution.read(path)
    assert contribution.held.losses
    assert contribution.held.maps
    assert contribution.unplaced is None
    assert {record["job"] for record in contribution.records} == {
        "ingest",
        "predict",
        "score",
        "explain",
    }
    with contribution.opened(tmp_path) as store:
        assert store.newest_run("score") == contribution.runs.score
    score(path, weights="none")
    meanwhile = "was written to meanwhile; release it again"
    with pytest.raises(CatalogError, match=meanwhile), contribution.opened(tmp_path):
        pass


def test_a_galaxy_without_position_is_named(tmp_path: Path) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb")
    with Store.open(path) as store:
        store.execute("UPDATE galaxy SET ra = NULL WHERE galaxy_id IN (5, 3)")
    assert Contribution.read(path).unplaced == "J000003.00+000003.0"
