"""The ranking as people see it."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.terminal import zoolens
from tests.store.test_estimates import estimated, label
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score
from zoolens.jobs.worst import worst


@pytest.mark.slow
def test_it_is_the_ranking_without_numbers_of_rows(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(9), concentrations=random_concentrations(9)
    )
    score(path)
    table = worst(path, limit=4, min_votes=5, answer="bar_no", question="bar", by="ce")
    assert table.column_names == [
        *("rank", "iauname", "label", "votes", "observed", "predicted", "ce", "weighted_ce")
    ]
    with Store.open(path, read_only=True) as store:
        whole = rank_galaxies(store, 4, min_votes=5, label="bar_no", question="bar", by="ce")
    assert table.to_pylist() == whole.select(table.column_names).to_pylist()
    assert len(table) == 4
    with pytest.raises(UnknownName, match="nearest: bar_strong"):
        worst(path, answer="bar_strnog")


def test_without_a_score_run(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with pytest.raises(CatalogError, match="zoolens score"):
        worst(path)


def test_estimates_against_a_column_of_ones_own(tmp_path: Path) -> None:
    samples = np.array([[[0.1]], [[0.6]], [[0.3]]])
    with estimated(tmp_path / "gz.duckdb", samples, ["value"], "share") as store:
        label(store, "DOUBLE", [0.2, 0.2, None])
    asked = ("worst", "--catalog", tmp_path / "gz.duckdb", "--against", "mine")
    done = zoolens(*asked, "--format", "csv")
    assert done.exit_code == 0, done.output
    header, *rows = done.output.splitlines()
    assert header == "rank,iauname,label,value,value_sd,error,deviation"
    assert [row[:6] for row in rows] == ["1,G000", "2,G000"]
    assert zoolens(*asked, "--answer", "bar_strong").exit_code == 2
    refused = zoolens(*asked, "--by", "ce")
    assert refused.exit_code == 1
    assert "choose one of error, deviation" in refused.output
