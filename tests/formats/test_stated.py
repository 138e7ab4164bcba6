"""Units, UCDs and descriptions that files state."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from zoolens.catalog.formats.columns import Meaning, column
from zoolens.catalog.formats.parquet import DescribedParquet
from zoolens.catalog.formats.reading import TableFile
from zoolens.catalog.formats.stated import stated_meanings

Z = column("z", pa.float64(), "redshift < 1 & so on", unit="km/s", ucd="src.redshift")
SCHEMA = pa.schema([Z, pa.field("plain", pa.int32())])
ROWS = pa.table({"z": [0.1], "plain": pa.array([1], pa.int32())}, schema=SCHEMA)
SAID = {"z": Meaning("redshift < 1 & so on", "km/s", "src.redshift")}


def _stated(path: Path) -> dict[str, Meaning]:
    return stated_meanings(path, TableFile(path).schema)


def test_of_a_parquet_files_fields(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(ROWS, path)
    assert _stated(path) == SAID


def test_of_the_votable_beside_the_columns(tmp_path: Path) -> None:
    path, ours = tmp_path / "t.parquet", tmp_path / "ours.parquet"
    with DescribedParquet(ours, SCHEMA, "t", "galaxy") as file:
        file.write(ROWS)
    key = b"IVOA.VOTable-Parquet.content"
    votable = {key: pq.read_metadata(ours).metadata[key]}
    bare = pa.table({name: ROWS[name] for name in ROWS.column_names})
    bare = bare.cast(pa.schema([field.remove_metadata() for field in bare.schema]))
    pq.write_table(bare.replace_schema_metadata(votable), path)
    assert _stated(path) == {"z": Meaning("redshift < 1 & so on", "km.s**-1", "src.redshift")}


def test_of_a_fits_header(tmp_path: Path) -> None:
    path = tmp_path / "t.fits"
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("z", "D", unit="km/s", array=[0.1]),
            fits.Column("plain", "J", array=[1]),
            fits.Column("bare", "J", array=[1]),
            fits.Column("mag", "E", unit="mag", array=[1.0]),
        ]
    )
    table.header["TCOMM1"] = "redshift < 1 & so on"
    table.header["TUCD1"] = "src.redshift"
    table.header.comments["TTYPE2"] = "label for field   2"
    table.header.comments["TTYPE4"] = "in the r band"
    table.writeto(path)
    assert _stated(path) == {**SAID, "mag": Meaning("in the r band", "mag")}


@pytest.mark.parametrize(
    "votable",
    [
        b"<not xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]><VOTABLE><FIELD name="z" unit="&b;"/></VOTABLE>',
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_read_says_nothing(tmp_path: Path, votable: bytes) -> None:
    path = tmp_path / "t.parquet"
    bare = pa.table({"z": [0.1]}).replace_schema_metadata(
        {b"IVOA.VOTable-Parquet.content": votable}
    )
    pq.write_table(bare, path)
    assert _stated(path) == {}


def test_words_of_others_become_a_line(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    odd = pa.field(
        "z",
        pa.float64(),
        metadata={"description": "a\x1b[31m\nb" + "c" * 600, "unit": "m\n", "ucd": "<b>"},
    )
    pq.write_table(pa.table({"z": [0.1]}, schema=pa.schema([odd])), path)
    said = _stated(path)["z"]
    assert said.description.startswith("a [31m bccc")
    assert len(said.description) == 500
    assert (said.unit, said.ucd) == ("m", "")
