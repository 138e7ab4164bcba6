"""The tables of a release in all formats."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from tests.made.catalogues import (
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.releases import TITLE, N, released_galaxies
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release import writing
from zoolens.jobs.release import release
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow


def test_every_format_holds_the_same(full_cut: Path) -> None:
    from hats.catalog.dataset.table_properties import TableProperties

    galaxies = released_galaxies(full_cut).reset_index()
    in_fits = Table.read(full_cut / "galaxies.fits").to_pandas()
    in_votable = Table.read(full_cut / "galaxies.vot").to_pandas()
    in_csv = pd.read_csv(full_cut / "galaxies.csv")
    in_hats = pd.concat([
        pd.read_parquet(file) for file in (full_cut / "hats/dataset").rglob("Npix=*.parquet")
    ])  # fmt: skip
    assert TableProperties.read_from_dir(full_cut / "hats").total_rows == N
    for name in galaxies.columns:
        expected = galaxies[name]
        for other in (in_fits, in_votable, in_csv, in_hats.sort_values("iauname")):
            if pd.api.types.is_string_dtype(expected):
                texts = [one.decode() if isinstance(one, bytes) else one for one in other[name]]
                assert ["" if pd.isna(one) else one for one in texts] == [*expected], name
            else:
                values = other[name].to_numpy(float)
                if expected.dtype == np.float32:  # which CSV does not say
                    values = values.astype(np.float32)
                np.testing.assert_array_equal(values, expected.to_numpy(float), err_msg=name)


def test_weighted_votes_stay_fractional(tmp_path: Path) -> None:
    counts = random_counts(8) * 1.5
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(8))
    score(path)
    release(path, tmp_path / "out", TITLE, Cut(counterparts=0, formats=["fits"]))
    found = pq.read_table(tmp_path / "out/galaxies.parquet")
    assert found.schema.field("round_yes").type == pa.float64()
    np.testing.assert_array_equal(found["round_yes"].to_numpy(), counts[:, 3])


@pytest.mark.parametrize("rows", [7, 4_096])
def test_tables_are_the_same_however_many_are_read_at_once(
    full_gz: Path, full_cut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(writing, "BLOCK", rows)
    release(full_gz, tmp_path / "again", TITLE, Cut(formats=[], counterparts=10))
    tables = [*(full_cut / "tables").glob("*.parquet"), full_cut / "galaxies.parquet"]
    assert len(tables) == 10
    for table in tables:
        again = tmp_path / "again" / table.relative_to(full_cut)
        assert pq.read_table(again).equals(pq.read_table(table)), table


def test_a_condition_may_be_about_columns_that_are_not_written(
    full_gz: Path, full_cut: Path, tmp_path: Path
) -> None:
    dec = released_galaxies(full_cut)["dec"]
    release(full_gz, tmp_path / "a", TITLE, Cut(columns=["iauname"], where="dec > 0", formats=[]))
    assert pq.read_table(tmp_path / "a/galaxies.parquet").to_pydict() == {
        "iauname": dec.index[dec > 0].tolist()
    }
    with pytest.raises(CatalogError, match="no galaxy is left to release"):
        release(full_gz, tmp_path / "b", TITLE, Cut(where="dec > 100", formats=[]))
