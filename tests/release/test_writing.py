"""The tables of a release in all formats."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from tests.made.catalogues import (
    TOY,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.releases import TITLE, N, released_galaxies
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import table_path
from zoolens.catalog.release import writing
from zoolens.catalog.release.columns import release_columns
from zoolens.catalog.release.long_tables import long_tables
from zoolens.catalog.release.provenance import find_runs
from zoolens.catalog.release.writing import Contents, described, write_tables
from zoolens.catalog.store.store import Store
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
    (tmp_path / "scratch").mkdir()
    with Store.open(full_gz, read_only=True) as store:
        runs, every = find_runs(store), release_columns(TOY, maps=True)
        tables = long_tables(store, runs)
        contents = Contents(every, every, None, 0, 10, tables)
        written = write_tables(store, runs, contents, tmp_path, tmp_path / "scratch")
    assert written.galaxy_id.tolist() == [*range(N)]
    names = ["galaxies", *(table.name for table in tables)]
    for name, table in described(tmp_path, dict.fromkeys(names, "thing")).items():
        file = table_path(Path(), name)
        released = pq.read_table(full_cut / file)
        assert pq.read_table(tmp_path / file).equals(released), name
        assert (table.row, table.rows) == ("thing", len(released))
        assert table.rows == written.rows[name]


def test_a_condition_may_be_about_columns_that_are_not_written(
    full_gz: Path, full_cut: Path, tmp_path: Path
) -> None:
    dec = released_galaxies(full_cut)["dec"]
    (tmp_path / "scratch").mkdir()
    with Store.open(full_gz, read_only=True) as store:
        every = release_columns(TOY)
        few = pa.schema([every.field("iauname")])
        some = Contents(every, few, "dec > 0", 0, 0, [])
        written = write_tables(store, find_runs(store), some, tmp_path, tmp_path / "scratch")
        assert pq.read_table(tmp_path / "galaxies.parquet").to_pydict() == {
            "iauname": dec.index[dec > 0].tolist()
        }
        assert written.galaxy_id.tolist() == np.flatnonzero(dec > 0).tolist()
        assert written.rows == {"galaxies": int((dec > 0).sum())}
        none = Contents(every, few, "dec > 100", 0, 0, [])
        with pytest.raises(CatalogError, match="no galaxy is left to release"):
            write_tables(store, find_runs(store), none, tmp_path, tmp_path / "scratch")
