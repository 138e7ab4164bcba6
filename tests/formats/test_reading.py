"""Published tables are read as they stand, or refused whole in one line."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.made.vote_tables import read_table
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.identifiers import texts
from zoolens.catalog.formats.reading import TableFile, check_identifiers_type, numbers


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


WORDS = ("null", "None", "NaN", "NA", "n/a", "#N/A", "<NA>", "--", "masked", "…", r"\N", " -- ")


@pytest.mark.parametrize("word", WORDS)
def test_words_for_missing_are_missing(word: str) -> None:
    values, bad = numbers(pa.chunked_array([["1", word, "-", "many"]]))
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, np.nan])
    assert bad.tolist() == [False, False, True, True]
    assert texts(pa.chunked_array([["J1", word, "Nancy"]])) == ["J1", None, "Nancy"]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, 3], pa.int64()), [1, np.nan, 3]),
        (pa.array([2**60, 0], pa.int64()), [2.0**60, 0]),
        (pa.array([1.5, float("inf")]), [1.5, np.inf]),
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
        ("t.xlsx", b"a,b\n", "not named as one of"),
        ("t", b"a,b\n", "not named as one of"),
        ("t.csv", b"", "is empty"),
        ("t.csv", b"a,a\n1,2\n", "two columns named 'a'"),
        ("t.csv", b"a,b\nJ1,2\n\n\xff\xfe,1\n", "row 2, column a: not UTF-8 text"),
        ("t.csv", b"a,\xff\n1,2\n", "its header is not UTF-8 text"),
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


def test_a_quotation_mark_that_is_not_closed_is_not_one_ragged_row(tmp_path: Path) -> None:
    lines = [f"J{i},{i}" for i in range(500)]
    lines[10] = '"' + lines[10]
    path = written(tmp_path / "t.csv", "\n".join(["a,b", *lines]).encode())
    assert "row 11: a quotation mark is opened and not closed" in refusal(path)
    lines[400] = lines[400] + '"'
    path.write_bytes("\n".join(["a,b", *lines]).encode())
    misshapen: dict[int, str] = {}
    rows = sum(len(table) for _, table in TableFile(path).blocks(["a", "b"], misshapen))
    assert (rows, [*misshapen]) == (109, [11])
    assert "over 391 lines: a quotation mark that is not closed?" in misshapen[11]


@pytest.mark.parametrize(
    ("data", "names", "rows"),
    [
        (b"\n\r\na,b\n1,2\n", ["a", "b"], 1),
        (b'"a\nand more",b\n1,2\n', ["a\nand more", "b"], 1),
        (b"a,b", ["a", "b"], 0),
        ("\ufeffa,b\n1,2".encode(), ["a", "b"], 1),
    ],
)
def test_headers_of_all_kinds(tmp_path: Path, data: bytes, names: list[str], rows: int) -> None:
    file = TableFile(written(tmp_path / "t.csv", data))
    assert file.schema.names == names
    assert sum(len(table) for _, table in file.blocks(names, {})) == rows


def test_a_line_without_end_is_not_unpacked(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv.gz", gzip.compress(b"a" * 50_000_000))
    assert "no end of a line" in refusal(path)


def test_a_table_of_other_separators_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", b"a,b\n" + b"1;2;3\n" * 5000 + b"1,2\n")
    assert "is a comma between them" in refusal(path)


def test_damaged_fits_is_one_line_without_warnings(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    from astropy.table import Table

    path = tmp_path / "t.fits"
    Table({"iauname": ["J1"] * 5000, "n": np.arange(5000)}).write(path)
    whole = path.read_bytes()
    for data in (whole[:30_000], whole[:5760], whole.replace(b"TFORM2  = 'K ", b"TFORM2  = 'Q?")):
        assert "cannot be read as a table" in refusal(written(tmp_path / "cut.fits", data))
    cut = gzip.compress(whole)[:-400]
    assert "cannot be read as a table" in refusal(written(tmp_path / "cut.fits.gz", cut))
    assert not [w for w in recwarn if "astropy" in str(w.filename)]


def test_fits_columns_that_are_not_read_do_no_harm(tmp_path: Path) -> None:
    from astropy.table import Table

    table = Table({"iauname": ["J1", "J2"], "z": np.array([1j, 2j]), "t": [b"\xff", b"a"]})
    table["n"] = [1, 2]
    table["n"].unit = "furlong per fortnight"
    table.write(tmp_path / "t.fits")
    file = TableFile(tmp_path / "t.fits")
    ((_, rows),) = file.blocks(["iauname", "n"], {})
    assert rows.to_pylist() == [{"iauname": "J1", "n": 1}, {"iauname": "J2", "n": 2}]


def test_identifiers_are_text_or_whole_numbers(tmp_path: Path) -> None:
    assert texts(pa.chunked_array([pa.array([b"J1", None, b" J2"])])) == ["J1", None, "J2"]
    good = (pa.string(), pa.binary(), pa.int64(), pa.dictionary(pa.int8(), pa.string()))
    for kind in good:
        check_identifiers_type(tmp_path, pa.schema([("id", kind)]), "id")
    for kind in (pa.float64(), pa.bool_(), pa.list_(pa.string())):
        with pytest.raises(TableRefused, match="id"):
            check_identifiers_type(tmp_path, pa.schema([("id", kind)]), "id")


def test_truth_values_are_no_counts() -> None:
    values, bad = numbers(pa.chunked_array([pa.array([True, None, False])]))
    assert np.isnan(values).all()
    assert bad.tolist() == [True, False, True]
