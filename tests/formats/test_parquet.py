"""Parquet files that say what their columns hold, read by pyarrow and astropy."""

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io.votable import parse

from tests.made.release_tables import FIELDS, awkward
from zoolens.catalog.formats.columns import column, meaning
from zoolens.catalog.formats.parquet import DescribedParquet

SCHEMA = pa.schema(FIELDS)


def write(path: Path, *parts: pa.Table, group: int = 20_000) -> Path:
    with DescribedParquet(path, SCHEMA, "galaxies", "galaxy", group=group) as file:
        for part in parts:
            file.write(part)
    return path


def test_rows_and_words_come_back(tmp_path: Path) -> None:
    table = awkward(12)
    found = pq.read_table(write(tmp_path / "t.parquet", table.slice(0, 5), table.slice(5)))
    assert repr(found.to_pylist()) == repr(table.to_pylist())  # NaN equals itself as text
    assert [meaning(field) for field in found.schema] == [meaning(field) for field in FIELDS]


def test_astropy_reads_what_the_columns_are(tmp_path: Path) -> None:
    metadata = pq.read_metadata(write(tmp_path / "t.parquet", awkward())).metadata
    document = parse(BytesIO(metadata[b"IVOA.VOTable-Parquet.content"]))
    table = document.get_first_table()
    assert table.description == "One row per galaxy."
    assert [
        (field.name, field.description or "", str(field.unit or ""), field.ucd or "")
        for field in table.fields
    ] == [
        (field.name, said.description, said.unit, said.ucd)
        for field, said in ((field, meaning(field)) for field in FIELDS)
    ]


@pytest.mark.parametrize(
    ("group", "sizes"), [(1, [3, 3, 3, 1]), (4, [6, 4]), (6, [6, 4]), (100, [10])]
)
def test_rows_are_held_back_until_there_is_a_group(
    tmp_path: Path, group: int, sizes: list[int]
) -> None:
    table = awkward(10)
    parts = [table.slice(start, 3) for start in range(0, 10, 3)]
    file = pq.ParquetFile(write(tmp_path / "t.parquet", *parts, group=group))
    groups = file.metadata.num_row_groups
    assert [file.metadata.row_group(i).num_rows for i in range(groups)] == sizes


def test_no_rows_are_a_file_all_the_same(tmp_path: Path) -> None:
    assert pq.read_table(write(tmp_path / "t.parquet")).equals(awkward(0))


def test_arrays_have_no_votable(tmp_path: Path) -> None:
    schema = pa.schema([column("v", pa.list_(pa.float32()), "a vector")])
    with DescribedParquet(tmp_path / "t.parquet", schema, "t", "row") as file:
        file.write(pa.table([[[1.0, 2.0], None]], schema))
    found = pq.read_schema(tmp_path / "t.parquet")
    assert b"IVOA.VOTable-Parquet.content" not in pq.read_metadata(tmp_path / "t.parquet").metadata
    assert meaning(found.field("v")).description == "a vector"
