"""Tables in many Parquet files."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.hats_catalogues import MOST, make, partitions, sky, write
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.folders import open_folder
from zoolens.catalog.formats.reading import TableFile, table_digest

ROWS = 300


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hats")
    table = sky(ROWS).select(["name", "ra", "dec"]).rename_columns(["name", "RA_J", "DE_J"])
    make(write(table, folder), folder / "cat", name="cat", ra="RA_J", dec="DE_J", most_rows=MOST)
    # as hats-import leaves it: rows of a sample, which are others' too
    shutil.copy(partitions(folder)[0], folder / "cat" / "dataset" / "data_thumbnail.parquet")
    return folder / "cat"


@pytest.fixture
def hats(tmp_path: Path, written: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "cat"))


def names(path: Path) -> list[str]:
    return [
        name for _, rows in TableFile(path).blocks(["name"], {}) for name in rows[0].to_pylist()
    ]


def test_every_row_of_a_hats_catalogue_is_there_once(hats: Path) -> None:
    assert sorted(names(hats)) == sorted(f"J{i}" for i in range(ROWS))
    file = TableFile(hats)
    assert file.rows == ROWS
    # its positions are called what its properties say, and read as what they are
    assert {"ra", "dec"} <= {*file.schema.names}
    (numbers, first), *rest = file.blocks(["ra", "name"], {})
    assert numbers[0] == 1
    assert sum(len(n) for n, _ in rest) + len(numbers) == ROWS
    assert first.column_names == ["ra", "name"]


def test_a_collection_is_its_first_catalogue(tmp_path: Path, hats: Path) -> None:
    (tmp_path / "collection.properties").write_text("hats_primary_table_url = cat\n")
    assert names(tmp_path) == names(hats)
    (tmp_path / "collection.properties").write_text("hats_primary_table_url = ../cat\n")
    with pytest.raises(TableRefused, match="is not in it"):
        TableFile(tmp_path)


def test_files_of_a_folder_are_one_table(tmp_path: Path) -> None:
    for name, values in (("b", [3]), ("a", [1, 2]), ("_c", [4]), (".d", [5])):
        pq.write_table(pa.table({"name": list(map(str, values))}), tmp_path / f"{name}.parquet")
    assert names(tmp_path) == ["1", "2", "3"]
    before = table_digest(tmp_path)
    (tmp_path / "notes.txt").write_text("not of the table")
    assert table_digest(tmp_path) == before
    pq.write_table(pa.table({"name": ["4"]}), tmp_path / "b.parquet")
    assert table_digest(tmp_path) != before


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"name": ["A"], "z": [1.0]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"z": [1.0], "name": ["B"]}), tmp_path / "b.parquet")
    assert names(tmp_path) == ["A", "B"]
    pq.write_table(pa.table({"name": ["C"], "z": [1]}), tmp_path / "c.parquet")
    with pytest.raises(TableRefused, match=r"c\.parquet are not .*'z' is int64, there double"):
        TableFile(tmp_path)
    pq.write_table(pa.table({"name": ["C"]}), tmp_path / "c.parquet")
    with pytest.raises(TableRefused, match=r"c\.parquet are not .*'z' is missing, there double"):
        TableFile(tmp_path)


def test_a_folder_of_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name\nA\n")
    with pytest.raises(TableRefused, match=r"neither a HATS catalogue nor .* no ….parquet"):
        TableFile(tmp_path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: partitions(folder)[0].unlink(), "Npix=.* is missing"),
        (lambda folder: shutil.rmtree(folder / "dataset"), "is missing"),
        (lambda folder: _cut(partitions(folder)[0]), r"Npix=.* cannot be read as a table"),
        (lambda folder: _said(folder, "hats_nrows", "12"), "have 300 rows, its properties say 12"),
        (lambda folder: _said(folder, "hats_col_ra", "RA"), "place galaxies by 'RA'"),
        (lambda folder: _said(folder, "dataproduct_type", "margin"), "holds no galaxies"),
        (lambda folder: (folder / "partition_info.csv").write_text("a,b\n1,2\n"), "damaged"),
    ],
)
def test_a_damaged_hats_catalogue_is_refused(hats: Path, damage: object, words: str) -> None:
    damage(hats)  # type: ignore[operator]
    with pytest.raises(TableRefused, match=words) as refused:
        TableFile(hats)
    assert "\n" not in str(refused.value)


def test_damage_that_shows_late_names_the_file(tmp_path: Path) -> None:
    for name in "ab":
        rows = pa.table({"name": [f"{name}{i:04d}" for i in range(4000)]})
        pq.write_table(rows, tmp_path / f"{name}.parquet", compression="none")
    file = tmp_path / "b.parquet"
    data = bytearray(file.read_bytes())
    data[4:400] = b"\xff" * 396
    file.write_bytes(data)
    with pytest.raises(TableRefused, match=r"b\.parquet cannot be read as a table"):
        names(tmp_path)


def test_without_properties_it_is_a_folder_of_files(hats: Path) -> None:
    for name in ("hats.properties", "properties"):
        (hats / name).unlink(missing_ok=True)
    assert open_folder(hats).position is None


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _said(folder: Path, name: str, value: str) -> None:
    for file in folder.glob("*properties"):
        lines = file.read_text().splitlines()
        kept = [line for line in lines if not line.startswith(f"{name}=")]
        assert len(kept) < len(lines)
        file.write_text("\n".join([*kept, f"{name}={value}"]))
