"""FITS tables in blocks: as astropy reads them whole, or refused."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.fits_blocks import fits_blocks, fits_schema
from zoolens.catalog.formats.reading import TableFile

N = 100


def columns() -> list[fits.Column]:
    random = np.random.default_rng(0)
    lists = np.array([random.random(i % 4).astype("f4") for i in range(N)], dtype=object)
    return [
        fits.Column("flag", "L", array=random.random(N) > 0.5),
        fits.Column("whole", "J", null=-99, array=np.where(random.random(N) > 0.8, -99, 5)),
        fits.Column("long", "K", bzero=2**63, array=np.full(N, 2**64 - 3, np.uint64)),
        fits.Column("text", "8A", array=np.array(["a b ", "", "xy", "z"] * (N // 4))),
        fits.Column("vector", "3E", array=random.random((N, 3))),
        fits.Column("real", "D", array=np.where(random.random(N) > 0.5, np.nan, 1)),
        fits.Column("lists", "PE()", array=lists),
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    before = [fits.PrimaryHDU(np.zeros((9, 9))), fits.CompImageHDU(np.zeros((50, 50), "f4"))]
    after = fits.ImageHDU(np.zeros((9, 9)))
    table = fits.BinTableHDU.from_columns(columns())
    fits.HDUList([*before, table, after]).writeto(tmp_path / "t.fits")
    return tmp_path / "t.fits"


@pytest.mark.parametrize("packed", [False, True])
def test_blocks_are_what_astropy_reads_whole(path: Path, packed: bool) -> None:
    whole = Table.read(path, hdu=2)
    if packed:
        path.with_suffix(".fits.gz").write_bytes(gzip.compress(path.read_bytes()))
        path = path.with_suffix(".fits.gz")
    schema = fits_schema(path)
    assert schema.field("long").type == pa.uint64()
    assert schema.field("lists").type == pa.list_(pa.float32())
    for name in whole.colnames:
        blocks = [*fits_blocks(path, [name], 30)]
        assert [len(block) for block in blocks] == [30, 30, 30, 10]
        found = pa.concat_tables(blocks)[name]
        assert found.type == schema.field(name).type or name == "vector"
        for read, cell in zip(found.to_pylist(), whole[name], strict=True):
            if np.ma.is_masked(cell):
                assert not read
            else:
                expected = cell.strip() if isinstance(cell, str) else np.asarray(cell).tolist()
                assert read == expected


def test_text_that_is_not_utf8_is_told_by_row(tmp_path: Path) -> None:
    Table({"id": [b"J1", b"J2", b"\xe9", b"J4"], "n": [1, 2, 3, 4]}).write(tmp_path / "t.fits")
    file = TableFile(tmp_path / "t.fits")
    assert [table["n"].to_pylist() for _, table in file.blocks(["n"], {})] == [[1, 2, 3, 4]]
    with pytest.raises(TableRefused, match="row 3, column id: not UTF-8 text"):
        [*file.blocks(["id"], {})]


def test_columns_of_other_things_are_refused(tmp_path: Path) -> None:
    Table({"z": [1j, 2j]}).write(tmp_path / "t.fits")
    file = TableFile(tmp_path / "t.fits")
    assert file.schema.field("z").type == pa.null()
    with pytest.raises(TableRefused, match="stores z as M"):
        [*file.blocks(["z"], {})]


@pytest.mark.parametrize("count", [-1, 2**30, 2**31 - 1])
def test_lists_that_claim_what_they_have_not_are_refused(path: Path, count: int) -> None:
    data = path.read_bytes()
    with fits.open(path) as content:
        start = content[2].fileinfo()["datLoc"]
        width = content[2].header["NAXIS1"]
    pointer = start + width - 8
    path.write_bytes(data[:pointer] + count.to_bytes(4, "big", signed=True) + data[pointer + 4 :])
    with pytest.raises(TableRefused, match="lists"):
        [*TableFile(path).blocks(["lists"], {})]


@pytest.mark.parametrize(
    ("card", "value"),
    [("NAXIS2", -1), ("NAXIS2", 10**7), ("NAXIS1", -8), ("TFIELDS", 10**6), ("TFORM1", "9999999D")],
)
def test_headers_that_lie_are_refused(path: Path, card: str, value: object) -> None:
    with fits.open(path) as content:
        header = content[2].header
        old, place = header.tostring().encode(), content[2].fileinfo()["hdrLoc"]
    header[card] = value
    data = path.read_bytes()
    path.write_bytes(data[:place] + header.tostring().encode() + data[place + len(old) :])
    with pytest.raises(TableRefused):
        [*TableFile(path).blocks(["whole"], {})]
