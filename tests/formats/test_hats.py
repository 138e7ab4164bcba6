import warnings
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hats.io.validation import is_valid_catalog

from tests.made.hats_catalogues import MOST, make, partitions, sky, write
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats import hats as hats_catalogues
from zoolens.catalog.formats import sorting as sorted_rows
from zoolens.catalog.formats.columns import column, meaning
from zoolens.catalog.formats.hats_check import check_hats


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(sky(), tmp_path)


@pytest.fixture
def made(source: Path, tmp_path: Path) -> Path:
    make(source, tmp_path / "hats", name="galaxies", most_rows=MOST)
    return tmp_path / "hats"


def test_hats_finds_it_valid(made: Path, source: Path) -> None:
    assert is_valid_catalog(made, strict=True)
    assert check_hats(made) == []
    assert sorted(path.name for path in made.parent.iterdir()) == ["hats", source.name]


def test_partitions_hold_every_galaxy_once_as_it_was(made: Path, source: Path) -> None:
    files = f"read_parquet('{made}/dataset/**/*.parquet', hive_partitioning = false)"
    original = f"read_parquet('{source}')"
    inside = f"SELECT * EXCLUDE _healpix_29 FROM {files}"
    for one, two in ((inside, f"FROM {original}"), (f"FROM {original}", inside)):
        assert duckdb.sql(f"({one}) EXCEPT ALL ({two})").fetchall() == []
    sizes = [pq.read_metadata(path).num_rows for path in partitions(made)]
    assert len(sizes) > 12
    assert max(sizes) <= MOST
    assert sum(sizes) == 2000


def test_a_few_large_pixels_or_one_row(tmp_path: Path) -> None:
    for rows, most, count in ((2000, 2000, 12), (1, 1, 1)):
        out = tmp_path / f"{rows}"
        source = write(sky(rows), tmp_path)
        assert make(source, out, name="galaxies", most_rows=most) == count
        assert {path.parent.parent.name for path in partitions(out)} == {"Norder=0"}
        assert is_valid_catalog(out, strict=True)
        assert check_hats(out) == []


def test_columns_say_what_they_hold(made: Path) -> None:
    for path in (*partitions(made)[:2], made / "dataset" / "_common_metadata"):
        schema = pq.read_schema(path)
        assert schema.names == ["_healpix_29", *sky(1).column_names]
        for field in sky(1).schema:
            assert meaning(schema.field(field.name)) == meaning(field)
    # the words for a VOTable stand once, where hats has them
    assert b"IVOA.VOTable-Parquet.content" in schema.metadata


def test_rows_of_one_place_stay_in_their_order(tmp_path: Path) -> None:
    table = sky(20)
    for name, value in (("ra", 10.0), ("dec", -10.0)):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), pa.array([value] * 20))
    make(write(table, tmp_path), tmp_path / "hats", name="g", most_rows=20)
    (path,) = partitions(tmp_path / "hats")
    assert pq.read_table(path)["name"].to_pylist() == table["name"].to_pylist()
    with pytest.raises(CatalogError, match=r"^20 galaxies lie in one pixel of order 10"):
        make(tmp_path / "source.parquet", tmp_path / "no", name="g", most_rows=19)


def test_the_same_input_gives_the_same_bytes(source: Path, made: Path, tmp_path: Path) -> None:
    make(source, tmp_path / "again", name="galaxies", most_rows=MOST)
    assert contents(tmp_path / "again") == contents(made)
    assert b"Zoolens" in contents(made)["hats.properties"]


def test_parts_sorted_one_by_one_give_the_same_rows(
    source: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorted_rows, "_HELD_BYTES", 10_000)
    monkeypatch.setattr(hats_catalogues, "_GROUP_ROWS", 64)
    make(source, tmp_path / "parts", name="galaxies", most_rows=MOST)
    groups = 0
    for one, two in zip(partitions(made), partitions(tmp_path / "parts"), strict=True):
        groups += pq.read_metadata(two).num_row_groups
        assert repr(pq.read_table(one).to_pylist()) == repr(pq.read_table(two).to_pylist())
    assert groups > 1.5 * len(partitions(made))
    assert check_hats(tmp_path / "parts") == []


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("name", "value"),
    [("ra", None), ("dec", None), ("ra", np.nan), ("ra", -0.1), ("ra", 360.1), ("dec", 90.1)],
)
def test_galaxies_without_a_place_are_refused(
    name: str, value: float | None, tmp_path: Path
) -> None:
    table = sky(1000)
    at = table.schema.get_field_index(name)
    values = table[name].to_pylist()
    values[777] = values[999] = value
    table = table.set_column(at, table.schema.field(name), pa.array(values))
    source = write(table, tmp_path)
    with pytest.raises(CatalogError, match=r"^2 galaxies .* such as 'J777'; .* --where"):
        make(source, tmp_path / "hats", name="galaxies")
    assert list(tmp_path.iterdir()) == [source]


def test_what_cannot_be_written_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.parquet"
    pq.write_table(sky(5).slice(0, 0), empty)
    with pytest.raises(CatalogError, match="at least one"):
        make(empty, tmp_path / "hats", name="galaxies")
    empty.unlink()
    with pytest.raises(CatalogError, match="could not be written"):
        make(source, source / "hats", name="galaxies")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(hats_catalogues, "_write_around", stop)
    with pytest.raises(KeyboardInterrupt):
        make(source, tmp_path / "hats", name="galaxies")
    assert list(tmp_path.iterdir()) == [source]
    (tmp_path / "hats" / "full").mkdir(parents=True)
    with pytest.raises(CatalogError, match="exists"):
        make(source, tmp_path / "hats", name="galaxies")


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    fields = [column("RAJ2000", pa.float32(), "ra"), column("DEJ2000", pa.float32(), "dec")]
    table = pa.table([pa.array([1.1, 2], "f4"), pa.array([-3.3, 4], "f4")], pa.schema(fields))
    source, out = write(table, tmp_path), tmp_path / "hats"
    make(source, out, name="galaxies", ra="RAJ2000", dec="DEJ2000")
    assert check_hats(out) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ra", "dec", "degrees"), [(0.0, 0.0, 20.0), (123.0, 89.0, 15.0), (200.0, -90.0, 10.0)]
)
def test_lsdb_finds_the_galaxies_of_a_cone(
    made: Path, ra: float, dec: float, degrees: float
) -> None:
    from lsdb.loaders.hats.read_hats import open_catalog

    table = sky()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = open_catalog(made, columns=["name", "ra", "dec", "spiral", "objid"])
        found = opened.cone_search(ra, dec, degrees * 3600).compute()
    near = separation(table["ra"].to_numpy(), table["dec"].to_numpy(), ra, dec) <= degrees
    assert near.sum() > 10
    assert sorted(found["name"]) == sorted(table.filter(pa.array(near))["name"].to_pylist())
    objids = dict(zip(table["name"].to_pylist(), table["objid"].to_pylist(), strict=True))
    assert [objids[name] for name in found["name"]] == found["objid"].tolist()


def separation(ra: np.ndarray, dec: np.ndarray, ra0: float, dec0: float) -> np.ndarray:
    """The angle from a direction, degrees, by the vectors' difference."""

    def vector(lon: np.ndarray | float, lat: np.ndarray | float) -> np.ndarray:
        lon, lat = np.radians(lon), np.radians(lat)
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])

    chord = np.linalg.norm((vector(ra, dec).T - vector(ra0, dec0)).T, axis=0)
    return np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))
