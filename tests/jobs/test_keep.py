"""Columns of one's own: in from every format, joined, replaced, told, and out again."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.own_tables import own_table
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError, TableRefused, UnknownName
from zoolens.catalog.formats.columns import column
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.store import Store
from zoolens.jobs.keep import keep
from zoolens.jobs.release import release
from zoolens.jobs.score import score
from zoolens.jobs.select import select
from zoolens.jobs.settings import Cut
from zoolens.jobs.status import status
from zoolens.jobs.verify import verify
from zoolens.jobs.worst import worst

N = 6
NAMES = [f"G{i:04d}" for i in range(N)]
ID = 587722981741363323  # which no float64 is
OWN = {
    "iauname": NAMES,
    "z": pa.array([0.1, None, 0.3, np.inf, 0.05, 0.2]),
    "mag": pa.array([17.5, 16.25, None, 15.0, 14.5, 18.0], pa.float32()),
    "objid": pa.array([ID, ID + 1, None, ID + 3, ID + 4, ID + 5], pa.int64()),
    "survey": pa.array(["SDSS", None, "DESI, x", "it's", "a", "b"]),
    "good": pa.array([True, False, True, False, True, True]),
}
KEPT = ["z", "mag", "objid", "survey", "good"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(N), concentrations=random_concentrations(N)
    )


def _shown(path: Path, columns: str = "z, mag, objid, survey, good") -> list[tuple[object, ...]]:
    with Store.open(path, read_only=True) as store:
        return store.rows(f"SELECT {columns} FROM own ORDER BY galaxy_id")


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".fits"])
@pytest.mark.slow
def test_values_are_typed_and_missing_ones_are_null(
    path: Path, tmp_path: Path, suffix: str
) -> None:
    table = own_table(tmp_path / f"own{suffix}", OWN)
    report = keep(path, table, KEPT)
    assert report.galaxies == N
    columns = [pa.array(OWN[name]).to_pylist() for name in KEPT]
    assert _shown(path) == [*zip(*columns, strict=True)]
    numbers = "DOUBLE" if suffix == ".csv" else "FLOAT"
    types = ["DOUBLE", numbers, "BIGINT", "VARCHAR", "BOOLEAN"]
    assert report.columns == dict(zip(KEPT, types, strict=True))
    again = keep(path, table, KEPT)
    assert not again.changed
    assert again.run_id == report.run_id
    assert verify(path).errors == 0


@pytest.mark.slow
def test_rows_that_cannot_be_joined_are_recorded_and_values_replaced_are_told(
    path: Path, tmp_path: Path
) -> None:
    keep(path, own_table(tmp_path / "a.parquet", OWN), ["z", "mag"])
    table = own_table(
        tmp_path / "b.csv",
        {"name": ["G0001", "J9", "G0000", "G0001", "", "G0002"], "z": [0.7, 1, 0.6, 0.8, 2, None]},
    )
    report = keep(path, table, ["z"])
    assert report.rejects == {
        "duplicated identifier": 1,
        "missing identifier": 1,
        "unknown galaxy": 1,
    }
    assert report.galaxies == 3
    assert report.notes == ("replaced: z of 2 galaxies",)  # one had none
    assert _shown(path, "z, mag")[:3] == [(0.6, 17.5), (0.7, 16.25), (None, None)]
    with Store.open(path, read_only=True) as store:
        rows = store.rows(
            "SELECT row, key FROM rejects WHERE run_id = ? ORDER BY 1", [report.run_id]
        )
    assert rows == [(2, "J9"), (4, "G0001"), (5, None)]
    assert "keep" in status(path).runs["job"].to_pylist()
    assert verify(path).errors == 0


@pytest.mark.slow
def test_what_cannot_be_kept_changes_nothing(path: Path, tmp_path: Path) -> None:
    table = own_table(tmp_path / "own.parquet", {**OWN, "v": [[1.0]] * N, "round_yes": [1] * N})
    keep(path, table, ["z"])
    empty = own_table(tmp_path / "empty.csv", {"iauname": NAMES, "x": ["--"] * N, "z": ["a"] * N})
    others = own_table(tmp_path / "others.csv", {"iauname": ["J1", "J2"], "x": [1, 2]})
    unit = pa.schema([("iauname", pa.string()), column("z", pa.float64(), "", unit="km/s")])
    in_unit = tmp_path / "unit.parquet"
    pq.write_table(pa.table({name: OWN[name] for name in unit.names}, schema=unit), in_unit)
    keep(path, in_unit, ["v=z"])
    in_deg = tmp_path / "deg.parquet"
    deg = pa.schema([("iauname", pa.string()), column("v", pa.float64(), "", unit="deg")])
    pq.write_table(pa.table({"iauname": NAMES, "v": [1.0] * N}, schema=deg), in_deg)
    before = status(path).runs
    for file, names, kind, told in [
        (table, ["zz"], UnknownName, "nearest: z"),
        (table, ["w=v"], TableRefused, "stores v as list"),
        (table, ["round_yes"], CatalogError, "have a column 'round_yes' already"),
        (table, ["ra=z"], CatalogError, "have a column 'ra' already"),
        (table, ["Z=z"], CatalogError, "has your column 'z'"),
        (empty, ["x"], TableRefused, "no value in any row"),
        (empty, ["z"], TableRefused, "'z' is DOUBLE in the catalogue, and VARCHAR here"),
        (others, ["x"], TableRefused, "none of its 2 rows is of a galaxy"),
        (in_deg, ["v"], TableRefused, "in km/s in the catalogue, and in deg here"),
    ]:
        with pytest.raises(kind, match=told):
            keep(path, file, names)
    assert status(path).runs == before


@pytest.mark.slow
def test_killed_between_shards_it_goes_on(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.catalog.formats.reading._ROWS", 2)
    table = own_table(tmp_path / "own.parquet", OWN)
    commit, done = Store.commit, list[str]()

    def killed(self: Store, run: object, name: str, tables: object) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(name)
        commit(self, run, name, tables)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            keep(path, table, KEPT)
    assert done == ["columns", "rows-000000"]
    with Store.open(path, read_only=True) as store:
        assert store.rows("FROM own") == []
    assert "keep run 3 was interrupted" in " ".join(status(path).advice)
    report = keep(path, table, KEPT)
    assert (report.run_id, report.galaxies) == (3, N)
    assert len(_shown(path)) == N
    assert verify(path).errors == 0


@pytest.mark.slow
def test_conditions_of_worst_and_select(path: Path, tmp_path: Path) -> None:
    keep(path, own_table(tmp_path / "own.parquet", OWN), KEPT)
    score(path)
    some = {"G0000", "G0004", "G0005"}
    condition = "z < 0.25 AND good -- a comment"
    for by in ("ce", "weighted_ce"):
        kept = worst(path, min_votes=0, where=condition, by=by)["iauname"].to_pylist()
        every = worst(path, min_votes=0, by=by)["iauname"].to_pylist()
        assert kept == [name for name in every if name in some]
    assert worst(path, limit=1, min_votes=0, where=condition)["iauname"].to_pylist() == kept[:1]
    with pytest.raises(CatalogError, match="no galaxy with a score has an image"):
        select(path, tmp_path / "out", 2, where=condition)
    with pytest.raises(CatalogError, match="has z > 9 AND z < 10; loosen"):
        select(path, tmp_path / "out", 2, where="z > 9 AND z < 10")


@pytest.mark.slow
def test_they_travel_in_every_format_of_a_release_and_back(path: Path, tmp_path: Path) -> None:
    schema = pa.schema(
        [
            column(name, pa.array(values).type, f"my {name}", unit="mag" if name == "mag" else "")
            for name, values in OWN.items()
        ]
    )
    table = tmp_path / "own.parquet"
    pq.write_table(pa.table(OWN, schema=schema), table)
    keep(path, table, KEPT)
    score(path)
    out = tmp_path / "r"
    cut = Cut(where="mag > 14.7", formats=("fits", "votable", "csv"), counterparts=0)
    release(path, out, Title("Mine", "1"), cut)
    rows = pq.read_table(out / "galaxies.parquet").select(["iauname", *KEPT]).to_pylist()
    kept = [i for i in range(N) if i not in (2, 4)]
    assert [row["iauname"] for row in rows] == [NAMES[i] for i in kept]
    for name in KEPT:
        expected = [pa.array(OWN[name]).to_pylist()[i] for i in kept]
        assert [row[name] or None for row in rows] == [value or None for value in expected]
    fits, votable = (Table.read(out / name) for name in ("galaxies.fits", "galaxies.vot"))
    for read in (fits, votable):
        assert read["objid"].tolist() == [ID, ID + 1, ID + 3, ID + 5]
        assert read["mag"].unit == "mag"
        assert [str(text).strip("-") for text in read["survey"]] == ["SDSS", "", "it's", "b"]
    assert np.isnan(np.ma.filled(fits["z"], np.nan)[1])
    assert votable["mag"].description == "my mag"
    assert "| `mag` | float | mag |  | my mag |" in (out / "DICTIONARY.md").read_text()
    assert "--keep z,mag,objid,survey,good" in (out / "README.md").read_text()
    for form in ("parquet", "fits", "csv"):
        other = catalogue(tmp_path / f"{form}.duckdb", random_counts(N))
        keep(other, out / f"galaxies.{form}", KEPT)
        assert _shown(other) == [_shown(path)[i] for i in kept]
    few = tmp_path / "few"
    release(path, few, Title("Mine", "1"), Cut(columns=["z", "rank"], counterparts=0))
    assert pq.read_schema(few / "galaxies.parquet").names == ["iauname", "z", "rank"]
    friendly = tmp_path / "friendly"
    release(path, friendly, Title("Mine", "1"), Cut(preset="friendly", counterparts=0))
    assert {*KEPT} <= {*pq.read_schema(friendly / "galaxies.parquet").names}


@pytest.mark.slow
def test_ingest_keeps_columns_beside_the_votes(tmp_path: Path) -> None:
    votes = tmp_path / "votes.csv"
    header = "iauname,smooth-or-featured_smooth,smooth-or-featured_featured-or-disk,"
    header += "smooth-or-featured_artifact,z,order\n"
    votes.write_text(header + "J1,3,1,0,0.25,007\nJ2,1,1,1,,008\n")
    path = tmp_path / "gz.duckdb"
    run = ["ingest", str(votes), "--tree", "gzd5", "--catalog", str(path), "--keep"]
    refused = zoolens(*run, "z,ordr")
    assert refused.exit_code == 1
    assert "nearest: order" in refused.stderr
    assert not path.exists()
    told = zoolens(*run, "z,order")
    assert told.exit_code == 0, told.stderr
    assert "z DOUBLE, order VARCHAR" in told.stderr
    assert _shown(path, 'z, "order"') == [(0.25, "007"), (None, "008")]
    shown = zoolens("sql", "own", "--catalog", str(path)).stdout
    assert "z of votes.csv" in shown


@pytest.mark.slow
def test_a_column_whose_name_a_release_has_got_is_left_out_and_told(
    path: Path, tmp_path: Path
) -> None:
    table = own_table(tmp_path / "own.parquet", OWN)
    keep(path, table, ["z", "mag"])
    with Store.open(path) as store:  # as if the tree had come after the columns
        store.execute("UPDATE own_column SET name = 'bar_no' WHERE name = 'mag'")
        store.execute("DELETE FROM setting WHERE name = 'views_sha256'")
    score(path)
    out = tmp_path / "r"
    report = release(path, out, Title("Mine", "1"), Cut(counterparts=0, formats=("parquet",)))
    assert [note for note in report.notes if "'bar_no' is left out" in note]
    assert pq.read_schema(out / "galaxies.parquet").names.count("bar_no") == 1
    assert pq.read_table(out / "galaxies.parquet")["z"].to_pylist()[0] == 0.1
