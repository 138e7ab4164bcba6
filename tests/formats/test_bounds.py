"""A small file that unpacks to much is refused by what it declares, or when it is too much."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats import bounds, csv, fits_blocks, parquet_blocks, reading
from zoolens.catalog.formats.reading import TableFile
from zoolens.catalog.votes import reading as votes

LABELS = [f"smooth-or-featured_{a}" for a in ("smooth", "featured-or-disk", "artifact")]


def written(path: Path, table: pa.Table) -> Path:
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".csv":
        from pyarrow.csv import write_csv

        write_csv(table, path)
    else:
        from astropy.table import Table

        Table(table.to_pydict()).write(path)
    return path


def rows(count: int) -> pa.Table:
    columns = {label: np.ones(count, np.int32) for label in LABELS}
    return pa.table({"iauname": [f"J{i}" for i in range(count)], **columns})


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.fits", "t.fits.gz"])
def test_a_table_of_too_many_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = written(tmp_path / name, rows(101))
    for module in (reading, parquet_blocks, fits_blocks):
        monkeypatch.setattr(module, "MOST_ROWS", 101)
    assert len(votes.read_vote_table(path, tree="gzd5")) == 101
    for module in (reading, parquet_blocks, fits_blocks):
        monkeypatch.setattr(module, "MOST_ROWS", 100)
    with pytest.raises(TableRefused, match=r"101 rows|more than 100 rows"):
        votes.read_vote_table(path, tree="gzd5")


def test_the_largest_published_catalogue_is_read() -> None:
    assert bounds.MOST_ROWS > 8_670_000
    assert bounds.MOST_BYTES > 8_670_000 * 34 * 16  # its fractions, as text


def test_rows_that_repeat_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = rows(50).set_column(0, "iauname", pa.array(["J1"] * 50))
    path = written(tmp_path / "t.parquet", table)
    monkeypatch.setattr(votes, "MOST_FAULTS", 49)
    assert len(votes.read_vote_table(path, tree="gzd5")) == 1
    monkeypatch.setattr(votes, "MOST_FAULTS", 48)
    with pytest.raises(TableRefused, match="most identifiers in iauname are repeated"):
        votes.read_vote_table(path, tree="gzd5")
    path = written(tmp_path / "t.csv", rows(50).set_column(1, LABELS[0], pa.array([-1] * 50)))
    with pytest.raises(TableRefused, match="row 1: negative count"):
        votes.read_vote_table(path, tree="gzd5")


def test_text_that_repeats_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = rows(50).set_column(0, "iauname", pa.array(["J1", *["x" * 100] * 49]))
    path = written(tmp_path / "t.parquet", table)
    monkeypatch.setattr(parquet_blocks, "MOST_BLOCK_BYTES", 4000)
    with pytest.raises(TableRefused, match="row 2, column iauname: 100 bytes"):
        votes.read_vote_table(path, tree="gzd5")


def test_lists_that_claim_too_much_are_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "t.parquet", pa.table({"a": [[0.0] * 1000] * 10, "b": [1] * 10}))
    monkeypatch.setattr(parquet_blocks, "MOST_BYTES", 50_000)
    monkeypatch.setattr(parquet_blocks, "_plain", None)  # which reading would call
    with pytest.raises(TableRefused, match="row group"):
        [*TableFile(path).blocks(["a"], {})]


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.fits"])
def test_what_is_held_at_once_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = written(tmp_path / name, rows(200))
    numbers, table = TableFile(path).whole(["iauname", LABELS[0]], {})
    assert (numbers[0], numbers[-1], len(table)) == (1, 200, 200)
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    with pytest.raises(TableRefused, match="held at once"):
        TableFile(path).whole(["iauname", LABELS[0]], {})


def test_zeros_in_gzip_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(path: Path) -> gzip.GzipFile:
        class Counted(gzip.GzipFile):
            def read(self, size: int | None = -1) -> bytes:
                data = super().read(size)
                read.append(len(data))
                return data

        return Counted(path)

    monkeypatch.setattr(fits_blocks, "opened", counted)
    path = tmp_path / "t.fits.gz"
    path.write_bytes(gzip.compress(bytes(2**24)))
    with pytest.raises(TableRefused, match="does not begin as FITS"):
        TableFile(path)
    # a table of few rows and absurd columns
    from astropy.io import fits

    wide = fits.BinTableHDU.from_columns([fits.Column("a", "300000000B")], nrows=0).header
    wide["NAXIS2"] = 3
    start = fits.PrimaryHDU().header.tostring() + wide.tostring()
    path.write_bytes(gzip.compress(start.encode() + bytes(2**24)))
    with pytest.raises(TableRefused, match="rows of 300,000,000 bytes"):
        TableFile(path)
    assert sum(read) < 2**20


def test_misshapen_rows_are_counted_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 5000 + "1,2,3\n" * 2000 + "1,2\n")
    misshapen: dict[int, str] = {}
    assert sum(len(t) for _, t in TableFile(path).blocks(["a"], misshapen)) == 5001
    monkeypatch.setattr(csv, "MOST_FAULTS", 1999)
    with pytest.raises(TableRefused, match="most rows"):
        [*TableFile(path).blocks(["a"], {})]
