"""Rows find the galaxies of their names, however many parts they are compared in."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.store import named_rows
from zoolens.catalog.store.named_rows import NamedRows
from zoolens.catalog.store.store import Store

NAMES = ["G0003", "none", "G0000", "G0003", "G0001", "none"]  # of a catalogue of G0000 to G0003
ROWS = np.array([2, 3, 5, 7, 8, 9])


@pytest.mark.parametrize("part", [500_000, 2])
def test_rows_are_matched_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(named_rows, "PART", part)
    path = catalogue(tmp_path / "gz.duckdb", random_counts(4))
    with Store.open(path) as store:
        numbers = dict(store.rows("SELECT iauname, galaxy_id FROM galaxies"))
        with NamedRows(store) as named:
            named.add(ROWS[:4], NAMES[:4])
            named.add(ROWS[4:], NAMES[4:])
            matched = named.matched()
            assert matched.rows.tolist() == ROWS.tolist()
            assert matched.galaxy_id.tolist() == [numbers.get(name, -1) for name in NAMES]
            assert named.first_rows().tolist() == [2, 3, 5, 8]
            assert named.names(np.array([3, 8])) == {3: "none", 8: "G0001"}
        with NamedRows(store) as again:
            assert again.matched().rows.tolist() == []
            assert again.first_rows().tolist() == []
