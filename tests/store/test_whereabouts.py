"""Names of a table's galaxies, and which a catalogue has."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import blank
from zoolens.catalog.store.galaxies import Numbering, galaxy_table
from zoolens.catalog.store.ingests import begin_ingest
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.whereabouts import Whereabouts, places_of


@pytest.fixture
def names(tmp_path: Path) -> Path:
    file = tmp_path / "it's names.duckdb"
    with Whereabouts(file) as found:
        # places may leave some out; of those with a position only B comes again
        found.add(np.array([0, 1, 3]), [*"ABC"], np.array([1, 1, 0], bool))
        found.add(np.array([4, 5, 6, 9]), [*"BCDD"], np.array([1, 1, 0, 1], bool))
        again = [(at.tolist(), first.tolist()) for at, first in found.repeated()]
    assert again == [([4], [1])]
    return file


def test_names_that_a_catalogue_has_are_found(tmp_path: Path, names: Path) -> None:
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        run = begin_ingest(store, {}, {}, None)  # one that does not end
        nan = np.full(2, np.nan)
        numbering = Numbering(np.array([1, 2]), np.zeros(2, bool), nan)
        store.commit(run, "some", {"galaxy": galaxy_table(numbering, ["C", "E"], nan, nan)})
    for read_only in (False, True):
        with Store.open(tmp_path / "gz.duckdb", read_only=read_only) as store:
            for _ in range(2):
                found = [p for places in places_of(store, names) for p in places.tolist()]
                assert sorted(found) == [3, 5]
