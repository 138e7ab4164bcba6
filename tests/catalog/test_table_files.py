"""Published tables are read as they stand, or refused whole in one line."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.errors import TableRefused
from catalog.table_files import numbers, texts
from tests.vote_tables import read_table


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(TableRefused) as caught:
        read_table(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


_cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(_cell, _cell), min_size=1, max_size=5))
def test_csv_gives_back_its_text(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    import csv

    path = tmp_path / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([("iauname", "note"), *rows])
    read = read_table(path)
    found = [tuple(cell or "" for cell in row.values()) for row in read.to_pylist()]
    assert found == rows


def test_identifiers_keep_their_zeros_and_digits(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"objid,n\n000123,1\n587722981741429053,2\n")
    assert texts(read_table(path)["objid"]) == ["000123", "587722981741429053"]


def test_one_odd_value_spoils_one_row() -> None:
    column = pa.chunked_array([["1", " 2.5 ", None, "", "many", "-3e2", "nan", "0x1"]])
    values, bad = numbers(column)
    np.testing.assert_array_equal(values, [1, 2.5, np.nan, np.nan, np.nan, -300, np.nan, np.nan])
    assert bad.tolist() == [False, False, False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, 3], pa.int64()), [1, np.nan, 3]),
        (pa.array([2**60, 0], pa.int64()), [2.0**60, 0]),
        (pa.array([1.5, float("inf")]), [1.5, np.inf]),
        (pa.array([True, None]), [1, np.nan]),
        (pa.array([None, None]), [np.nan, np.nan]),
        (pa.array(["3", "4"], pa.large_string()), [3, 4]),
    ],
)
def test_columns_of_any_kind_become_numbers(array: pa.Array, expected: list[float]) -> None:
    values, bad = numbers(pa.chunked_array([array]))
    np.testing.assert_array_equal(values, expected)
    assert not bad.any()


def test_columns_of_other_things_are_no_numbers() -> None:
    values, bad = numbers(pa.chunked_array([pa.array([[1], None, [2, 3]])]))
    assert np.isnan(values).all()
    assert bad.tolist() == [True, False, True]


def test_whole_floats_are_identifiers_without_a_point() -> None:
    column = pa.chunked_array([pa.array([12345.0, None, float("nan"), 1.5])])
    assert texts(column) == ["12345", None, None, "1.5"]


def test_gzip_parquet_and_fits_say_the_same(tmp_path: Path) -> None:
    from astropy.table import Table

    csv = b"iauname,votes\nJ1,3\nJ22,\n"
    table = pa.table({"iauname": ["J1", "J22"], "votes": pa.array([3, None], pa.int32())})
    parquet.write_table(table, tmp_path / "t.parquet")
    masked = np.ma.masked_array([3, 0], [False, True], dtype=">i4")
    fits = Table({"iauname": ["J1 ", "J22"], "votes": masked})
    fits.write(tmp_path / "t.fits")
    fits.write(tmp_path / "t.fits.gz")
    written(tmp_path / "t.csv", csv)
    written(tmp_path / "t.csv.gz", gzip.compress(csv))
    for name in ("t.csv", "t.csv.gz", "t.parquet", "t.fits", "t.fits.gz"):
        read = read_table(tmp_path / name)
        assert texts(read["iauname"]) == ["J1", "J22"]
        values, bad = numbers(read["votes"])
        np.testing.assert_array_equal(values, [3, np.nan], err_msg=name)
        assert not bad.any()


def test_fits_vectors_are_lists(tmp_path: Path) -> None:
    from astropy.table import Table

    Table({"samples": np.arange(6.0).reshape(2, 3)}).write(tmp_path / "t.fits")
    assert read_table(tmp_path / "t.fits")["samples"].to_pylist() == [[0, 1, 2], [3, 4, 5]]


def test_byte_order_mark_and_windows_lines_are_no_trouble(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"\xef\xbb\xbfiauname,n\r\nJ1,2\r\n")
    assert read_table(path).to_pylist() == [{"iauname": "J1", "n": "2"}]


def test_ragged_rows_are_set_aside(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"a,b\n1,2\n3\n4,5\n6,7,8\n")
    misshapen: dict[int, str] = {}
    assert read_table(path, misshapen)["a"].to_pylist() == ["1", "4"]
    assert misshapen == {2: "1 fields, not 2", 4: "3 fields, not 2"}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("t.txt", b"a,b\n", "not named as one of"),
        ("t", b"a,b\n", "not named as one of"),
        ("t.csv", b"", "is empty"),
        ("t.csv", b"a,a\n1,2\n", "two columns named 'a'"),
        ("t.csv", b"a,b\n\xff\xfe,1\n", "cannot be read"),
        ("t.csv.gz", b"not gzip", "cannot be read"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:-20], "cannot be read"),
        ("t.parquet", b"PAR1", "cannot be read"),
        ("t.parquet", b"", "cannot be read"),
        ("t.fits", b"SIMPLE  =", "cannot be read"),
        ("t.fits", b"", "cannot be read"),
    ],
)
def test_damaged_tables_are_refused(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    assert told in refusal(written(tmp_path / name, data))


def test_absent_tables_and_images_are_refused(tmp_path: Path, data: Path) -> None:
    assert "no table at" in refusal(tmp_path / "none.csv")
    assert "holds no table" in refusal(min((data / "fits").glob("*.fits")))


def test_real_tables_are_read_whole(data: Path) -> None:
    read = read_table(data / "gz2_stripe82_votes.csv.gz")
    assert (len(read), read.num_columns) == (14_824, 228)
    assert all(name and name.isdigit() for name in texts(read["objid"]))
