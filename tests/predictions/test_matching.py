"""Rows are matched with galaxies by name: the first of each, and the others are refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import TOY, catalogue, random_counts
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.predictions import matching
from zoolens.catalog.predictions.matching import match_rows
from zoolens.catalog.predictions.table import open_predictions
from zoolens.catalog.store.store import Store


@given(st.lists(st.integers(0, 5), max_size=20))
def test_repeated_galaxies_are_those_that_come_again(galaxies: list[int]) -> None:
    again, first = matching._repeated(np.array(galaxies, np.int64))
    expected = [
        (place, galaxies.index(galaxy))
        for place, galaxy in enumerate(galaxies)
        if galaxy in galaxies[:place]
    ]
    assert [*zip(again.tolist(), first.tolist(), strict=True)] == expected


def test_rows_are_matched_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gz = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    path = tmp_path / "p.csv"
    path.write_text(
        "iauname,bar_strong_fraction\nG0002,0\nnobody,0\nG0000,0\nG0002,0\n/,0\n,0\nG0001\n"
    )
    with Store.open(gz) as store:
        match = match_rows(store, open_predictions(path, TOY))
        assert match.wanted.rows.tolist() == [1, 3]
        assert not match.wanted.in_order
        said = sorted((reject.row, reject.reason.split(":")[0]) for reject in match.rejects)
        assert said == [
            (2, "unknown galaxy"),
            (4, "duplicated identifier"),
            (5, "unusable identifier"),
            (6, "missing identifier"),
            (7, "ragged row"),
        ]
        monkeypatch.setattr(matching, "MOST_FAULTS", 2)
        with pytest.raises(TableRefused, match="faults; are its columns"):
            match_rows(store, open_predictions(path, TOY))
