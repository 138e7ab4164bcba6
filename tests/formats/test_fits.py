import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from tests.made.release_tables import assert_stilts_reads, awkward, needs_stilts, stilts, write
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats import fixed_width as records
from zoolens.catalog.formats.columns import column, meaning
from zoolens.catalog.formats.fits import write_fits

pytestmark = pytest.mark.slow


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(awkward(), tmp_path / "source.parquet")


def read(path: Path) -> tuple[fits.Header, fits.Header, Any]:
    """The headers and the rows, as astropy reads them; anything odd is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True, logical_as_bytes=True, memmap=False) as file:
            for hdu in file:
                hdu.verify("exception")
                assert hdu.verify_checksum() == hdu.verify_datasum() == 1
            return file[0].header, file[1].header, file[1].data


def assert_same(path: Path, table: pa.Table) -> None:
    _, header, rows = read(path)
    assert rows.names == table.column_names
    assert len(rows) == len(table)
    for n, field in enumerate(table.schema, 1):
        values = table[field.name].to_pylist()
        found = rows[field.name].tolist()
        if pa.types.is_string(field.type):
            found = [cell.encode().decode("unicode_escape") for cell in found]
            assert found == [value or "" for value in values], field.name
        elif pa.types.is_boolean(field.type):
            assert found == [{None: b"", True: b"T", False: b"F"}[value] for value in values]
        elif pa.types.is_integer(field.type):
            null = header.get(f"TNULL{n}")
            assert (null is None) == (None not in values)
            assert null not in values
            assert found == [null if value is None else value for value in values], field.name
        else:
            wanted = [np.nan if value is None else value for value in values]
            np.testing.assert_array_equal(found, wanted)


def test_astropy_reads_what_was_written(source: Path, tmp_path: Path) -> None:
    write_fits(source, tmp_path / "out.fits", name="GALAXIES")
    assert_same(tmp_path / "out.fits", awkward())


def test_columns_say_what_they_hold(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.fits"
    write_fits(source, out, name="GALAXIES", comments={"ORIGIN": "Zoolens", "RELEASE": "Größe 1"})
    primary, header, _ = read(out)
    assert (primary["ORIGIN"], primary["RELEASE"]) == ("Zoolens", "Gr\\xf6\\xdfe 1")
    assert header["EXTNAME"] == "GALAXIES"
    for n, field in enumerate(awkward().schema, 1):
        said = meaning(field)
        assert header.get(f"TUNIT{n}", "") == said.unit
        assert header.get(f"TUCD{n}", "") == said.ucd
        words = header.get(f"TCOMM{n}", "")
        assert words.encode().decode("unicode_escape") == said.description
    assert not [key for key in (*primary, *header) if key.startswith("DATE")]


@needs_stilts
def test_stilts_reads_what_was_written(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.fits"
    write_fits(source, out, name="GALAXIES")
    assert_stilts_reads(out, awkward(), lambda text: text.encode("unicode_escape").decode())
    for row, field in zip(stilts(out, "meta"), awkward().schema, strict=True):
        said = meaning(field)
        assert (row["Name"], row["Units"], row["UCD"]) == (field.name, said.unit, said.ucd)
        assert row["Description"].encode().decode("unicode_escape") == said.description


@pytest.mark.parametrize("rows", [0, 1, 1000])
@pytest.mark.parametrize("row_bytes", [1, 8 << 20])
def test_any_number_of_rows(
    rows: int, row_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = awkward(rows)
    pq.write_table(table, tmp_path / "source.parquet", row_group_size=300)
    # rows a block: 1, and all of a row group
    monkeypatch.setattr(records, "_BLOCK_BYTES", row_bytes)
    write_fits(tmp_path / "source.parquet", tmp_path / "out.fits", name="GALAXIES")
    assert_same(tmp_path / "out.fits", table)


def test_the_checksum_tells_a_changed_byte(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.fits"
    write_fits(source, out, name="GALAXIES")
    data = bytearray(out.read_bytes())
    data[-2880] ^= 1
    out.write_bytes(data)
    with pytest.warns(UserWarning, match="verification failed"):
        fits.open(out, checksum=True)[1].data  # noqa: B018


def test_the_same_input_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1.fits", tmp_path / "2.fits"
    for out in (one, two):
        write_fits(source, out, name="GALAXIES", comments={"ORIGIN": "Zoolens"})
    assert one.read_bytes() == two.read_bytes()


def test_a_thousand_columns_are_too_many(tmp_path: Path) -> None:
    for count in (999, 1000):
        schema = pa.schema([column(f"c{i}", pa.float32(), "x") for i in range(count)])
        pq.write_table(schema.empty_table(), tmp_path / f"{count}.parquet")
    write_fits(tmp_path / "999.parquet", tmp_path / "out.fits", name="GALAXIES")
    assert len(read(tmp_path / "out.fits")[2].names) == 999
    with pytest.raises(CatalogError, match=r"^1000 columns .* --columns, or take --preset frien"):
        write_fits(tmp_path / "1000.parquet", tmp_path / "none.fits", name="GALAXIES")
    assert not (tmp_path / "none.fits").exists()


def test_null_is_a_number_that_no_row_has(tmp_path: Path) -> None:
    least, most = -(2**31), 2**31 - 1
    source, out = tmp_path / "source.parquet", tmp_path / "out.fits"
    for values, null in (([None, 0], least), ([None, least], most), ([least, most], None)):
        pq.write_table(pa.table({"n": pa.array(values, pa.int32())}), source)
        write_fits(source, out, name="GALAXIES")
        assert read(out)[1].get("TNULL1") == null
    pq.write_table(pa.table({"n": pa.array([None, least, most], pa.int32())}), source)
    out.unlink()
    with pytest.raises(CatalogError, match="column n holds NULL, the least and the largest"):
        write_fits(source, out, name="GALAXIES")
    assert list(tmp_path.iterdir()) == [source]
