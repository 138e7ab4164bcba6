"""Which galaxies are evaluated, against what was put into the catalogue."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.evaluation.sample import read_evaluated
from zoolens.catalog.store.store import Store

N = 9


def test_galaxies_are_those_with_both_in_order(tmp_path: Path) -> None:
    counts, alpha = random_counts(N), random_concentrations(4)
    path = catalogue(tmp_path / "gz.duckdb", counts)
    with Store.open(path) as store:
        run = add_predictions(store, alpha, galaxy_ids=[1, 3, 4, 8])
        found = read_evaluated(store, run, None, 100)
        few = read_evaluated(store, run, None, 2)
        again = read_evaluated(store, run, None, 2)
        with pytest.raises(CatalogError, match="no split 'half'"):
            read_evaluated(store, run, "half", 100)
        some = read_evaluated(store, run, None, 100, "iauname > 'G0003'")
        with pytest.raises(CatalogError, match="loosen the condition"):
            read_evaluated(store, run, None, 100, "iauname = 'none'")
        with pytest.raises(CatalogError, match="with iauname = 'G0000' has votes and a posterior"):
            read_evaluated(store, run, None, 100, "iauname = 'G0000'")
        with pytest.raises(CatalogError, match="in the split test has votes and a posterior"):
            read_evaluated(store, run, "test", 100)
    assert found.galaxy_id.tolist() == [1, 3, 4, 8]
    assert found.names == ["G0001", "G0003", "G0004", "G0008"]
    np.testing.assert_array_equal(found.counts, counts[[1, 3, 4, 8]])
    np.testing.assert_array_equal(found.concentrations, alpha)
    assert found.images == {}
    assert some.names == ["G0004", "G0008"]
    assert some.sha256 != found.sha256
    assert few.galaxy_id.tolist() == again.galaxy_id.tolist() == sorted(few.galaxy_id.tolist())
    assert len(few.galaxy_id) == 2
