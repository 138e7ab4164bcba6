"""Tables of predictions come block by block, in the order of the catalogue's galaxies."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import TOY
from tests.made.prediction_tables import N, concentrations_table
from zoolens.catalog.formats import reading
from zoolens.catalog.predictions.table import Wanted, open_predictions, wanted_rows


@given(
    st.sets(st.integers(1, 60), max_size=20).map(sorted),
    st.sets(st.integers(1, 60), max_size=20).map(sorted),
)
def test_wanted_rows_are_found_among_those_of_a_block(
    wanted: list[int], numbers: list[int]
) -> None:
    rows = Wanted(np.array(wanted, np.int64), np.array([-n for n in wanted], np.int64))
    here, galaxy_id = rows.among(np.array(numbers, np.int64))
    found = [(place, -n) for place, n in enumerate(numbers) if n in wanted]
    assert [*zip(here.tolist(), galaxy_id.tolist(), strict=True)] == found


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("galaxies", [[1, 2, 4], [7, 3, 5]])
def test_rows_come_in_galaxy_order_whatever_the_file_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, galaxies: list[int]
) -> None:
    monkeypatch.setattr(reading, "_ROWS", 2)
    path = tmp_path / f"p{suffix}"
    frame = pd.DataFrame(concentrations_table())
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    table = open_predictions(path, TOY)
    wanted = Wanted(np.array([2, 3, 6]), np.array(galaxies))
    found = [
        (number, name, galaxy)
        for rows, galaxy_id in wanted_rows(table, wanted, tmp_path, most=2, held=1 << 20)
        for number, name, galaxy in zip(
            rows.numbers.tolist(), rows.names, galaxy_id.tolist(), strict=True
        )
    ]
    names = dict(enumerate(frame["iauname"], start=1))
    rows = sorted(zip([2, 3, 6], galaxies, strict=True), key=lambda each: each[1])
    assert found == [(number, names[number], galaxy) for number, galaxy in rows]


def test_parts_are_small_where_rows_are_large(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pd.DataFrame(concentrations_table()).to_parquet(path)
    table = open_predictions(path, TOY)
    wanted = Wanted(np.arange(1, N + 1), np.arange(N))
    parts = [*wanted_rows(table, wanted, tmp_path, most=N, held=1)]
    assert [len(galaxy_id) for _, galaxy_id in parts] == [1] * N
