"""Which of several catalogues has the rows of a table."""

from pathlib import Path

import numpy as np

from tests.made.catalogues import add_galaxies, blank
from zoolens.catalog.store.sharing import shares_of
from zoolens.catalog.store.store import Store


def test_rows_are_looked_up_in_every_catalogue(tmp_path: Path) -> None:
    first, second, third = paths = [tmp_path / f"{i}.duckdb" for i in range(3)]
    for path, galaxies in ((first, 2), (third, 1)):  # G0000, G0001; G0000
        with Store.open(blank(path)) as store:
            add_galaxies(store, galaxies)
    blocks = [(np.array([1, 2, 4]), ["G0001", "G0007", "G0001"]), (np.array([6]), ["G0008"])]
    shares = shares_of(blocks, [second, *paths], tmp_path)
    assert shares.found == {first: 2, third: 0}
    assert shares.strangers.tolist() == [2, 6]
    telling = shares.of(first, every=True)
    assert telling.told
    assert telling.among(np.array([1, 2, 3, 6])).tolist() == [False, True, False, True]
    for other in (shares.of(third, every=True), shares.of(first, every=False)):
        assert not other.told
        assert not other.among(np.array([1, 2, 3, 6])).any()


def test_a_table_without_rows_has_none(tmp_path: Path) -> None:
    shares = shares_of([], [blank(tmp_path / "gz.duckdb")], tmp_path)
    assert len(shares.strangers) == 0
    assert shares.found == {tmp_path / "gz.duckdb": 0}
