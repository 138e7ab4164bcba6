import io
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io.votable import parse, parse_single_table
from astropy.table import Table

from tests.made.release_tables import assert_stilts_reads, awkward, needs_stilts, stilts, write
from zoolens.catalog.formats import fixed_width as records
from zoolens.catalog.formats.columns import column, meaning
from zoolens.catalog.formats.votable import parquet_metadata, votable_header, write_votable

pytestmark = pytest.mark.slow


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(awkward(), tmp_path / "source.parquet")


def assert_same(path: Path, table: pa.Table) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = parse_single_table(path, verify="exception")
    assert found.nrows == len(found.array) == len(table)
    assert [field.name for field in found.fields] == table.column_names
    for field in table.schema:
        values = table[field.name].to_pylist()
        cells, masked = found.array[field.name].data, found.array[field.name].mask
        if pa.types.is_string(field.type):  # astropy knows no NULL text
            assert list(cells) == [value or "" for value in values], field.name
            continue
        # astropy masks NaN too
        nulls = [value is None or value != value for value in values]
        assert list(masked) == nulls, field.name
        kept = [value for value, null in zip(values, nulls, strict=True) if not null]
        assert cells[~masked].tolist() == kept, field.name


def test_astropy_reads_what_was_written(source: Path, tmp_path: Path) -> None:
    write_votable(source, tmp_path / "out.vot", name="GALAXIES")
    assert_same(tmp_path / "out.vot", awkward())


def test_columns_say_what_they_hold(source: Path, tmp_path: Path) -> None:
    write_votable(source, tmp_path / "out.vot", name="GALAXIES", description="All & <more>")
    found = parse_single_table(tmp_path / "out.vot")
    assert (found.name, found.description) == ("GALAXIES", "All & <more>")
    for entry, field in zip(found.fields, awkward().schema, strict=True):
        said = meaning(field)
        assert str(entry.unit or "") == said.unit
        assert (entry.ucd or "") == said.ucd
        assert (entry.description or "") == said.description


@needs_stilts
def test_stilts_reads_what_was_written(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.vot"
    write_votable(source, out, name="GALAXIES")
    assert_stilts_reads(out, awkward())
    for row, field in zip(stilts(out, "meta"), awkward().schema, strict=True):
        said = meaning(field)
        assert (row["Name"], row["Units"], row["UCD"]) == (field.name, said.unit, said.ucd)
        assert row["Description"] == said.description


@pytest.mark.parametrize("rows", [0, 1, 1000])
@pytest.mark.parametrize("row_bytes", [1, 8 << 20])
def test_any_number_of_rows(
    rows: int, row_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = awkward(rows)
    pq.write_table(table, tmp_path / "source.parquet", row_group_size=300)
    # rows a block: 1, and all of a row group
    monkeypatch.setattr(records, "_BLOCK_BYTES", row_bytes)
    write_votable(tmp_path / "source.parquet", tmp_path / "out.vot", name="GALAXIES")
    assert_same(tmp_path / "out.vot", table)


def test_the_same_input_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1.vot", tmp_path / "2.vot"
    for out in (one, two):
        write_votable(source, out, name="GALAXIES")
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.filterwarnings("ignore:No table..len")
def test_astropy_reads_units_from_parquet(tmp_path: Path) -> None:
    # astropy's reader of Parquet fails on NULL text and NULL booleans, so without them
    table = awkward().drop_columns(["spiral", "nothing"])
    for name in ("name", "other-name", "letter"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), table[name].fill_null("none"))
    lengths = {"name": 7, "other-name": 8, "letter": 4}
    told = parquet_metadata(table.schema, name="GALAXIES", lengths=lengths)
    assert told[b"IVOA.VOTable-Parquet.version"] == b"1.0"
    pq.write_table(table.replace_schema_metadata(told), tmp_path / "out.parquet")
    found = Table.read(tmp_path / "out.parquet", format="parquet.votable")
    assert found.colnames == table.column_names
    for field in table.schema:
        said = meaning(field)
        assert str(found[field.name].unit or "") == said.unit
        assert found[field.name].meta.get("ucd", "") == said.ucd
        assert (found[field.name].description or "") == said.description
    assert found["other-name"].tolist() == table["other-name"].to_pylist()
    np.testing.assert_array_equal(found["ra"], table["ra"])


def test_the_header_of_text_without_a_length(tmp_path: Path) -> None:
    (tmp_path / "header.vot").write_text(votable_header(awkward().schema, name="GALAXIES"))
    found = parse_single_table(tmp_path / "header.vot")
    assert len(found.array) == 0
    assert {entry.arraysize for entry in found.fields if entry.datatype == "unicodeChar"} == {"*"}


def test_positions_say_their_system() -> None:
    position = column("ra", pa.float64(), "right ascension", unit="deg", ucd="pos.eq.ra")
    other = column("votes", pa.int32(), "votes", ucd="meta.number")
    header = votable_header(pa.schema([position, other]), name="galaxies")
    file = parse(io.BytesIO(header.encode()))
    (system,) = file.resources[0].coordinate_systems
    assert system.system == "ICRS"
    assert [field.ref for field in file.get_first_table().fields] == [system.ID, None]
    assert "COOSYS" not in votable_header(pa.schema([other]), name="galaxies")


def test_names_and_units_of_others_are_written_without_a_word(
    recwarn: pytest.WarningsRecorder,
) -> None:
    names = ["z r", "z_r", 'a"<b', "é"]
    units = ["furlongs", "log(cm)", "erg", ""]
    schema = pa.schema(
        [
            column(n, pa.float64(), "", unit=u, ucd="of.nothing")
            for n, u in zip(names, units, strict=True)
        ]
    )
    header = votable_header(schema, name="t").encode()
    assert [str(warning.message) for warning in recwarn] == []
    root = ElementTree.fromstring(header)
    fields = root.findall(".//{*}FIELD")
    assert [field.get("name") for field in fields] == names
    assert len({field.get("ID") for field in fields}) == len(names)
