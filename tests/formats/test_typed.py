"""Types of columns: as stored, or told from text; and what of the values stays."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.typed import MISSING, Told, stored_type, typed, widened

FILE = Path("t.parquet")


def _told(values: list[str | None], held: str | None = None) -> tuple[str | None, list[object]]:
    told, column = Told(), pa.chunked_array([pa.array(values, pa.string())])
    told.see(column.slice(0, len(values) // 2))
    told.see(column.slice(len(values) // 2))
    kind = told.type(held)
    return kind, [] if kind is None else typed("t", column, kind, told=True).to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        (["1", " -2", "+3", "--"], "BIGINT", [1, -2, 3, None]),
        (["587722981741363323", "NULL"], "BIGINT", [587722981741363323, None]),
        (["9223372036854775807", "-9223372036854775808"], "BIGINT", [2**63 - 1, -(2**63)]),
        (["9223372036854775808", "1"], "VARCHAR", ["9223372036854775808", "1"]),
        (["007", "1"], "VARCHAR", ["007", "1"]),
        (["1.5", "2", "nan", "1e3", ".5", "+5."], "DOUBLE", [1.5, 2.0, None, 1000.0, 0.5, 5.0]),
        (["inf", "-Infinity", "0"], "DOUBLE", [np.inf, -np.inf, 0.0]),
        (["05.50", "1"], "DOUBLE", [5.5, 1.0]),
        (["1e999", "1"], "VARCHAR", ["1e999", "1"]),
        (["587722981741363323", "1.5"], "VARCHAR", ["587722981741363323", "1.5"]),
        (["1", "many"], "VARCHAR", ["1", "many"]),
        (["1_000", "2"], "VARCHAR", ["1_000", "2"]),
        (["True", "FALSE", ""], "BOOLEAN", [True, False, None]),
        (["true", "1"], "VARCHAR", ["true", "1"]),
        (["a", None, "None"], "VARCHAR", ["a", None, None]),
        ([*MISSING, None], None, []),
    ],
)
def test_a_type_is_told_from_all_values(
    values: list[str | None], kind: str | None, found: list[object]
) -> None:
    assert _told(values) == (kind, found)
    assert _told(values[::-1]) == (kind, found[::-1])


def test_what_the_column_is_already_decides_between_types_that_both_hold_it() -> None:
    assert _told(["1", "2"], "DOUBLE") == ("DOUBLE", [1.0, 2.0])
    assert _told(["007", "2"], "VARCHAR") == ("VARCHAR", ["007", "2"])
    assert _told(["", ""], "BIGINT") == ("BIGINT", [None, None])
    assert _told(["9007199254740993"], "DOUBLE")[0] == "BIGINT"  # which no float64 is


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.bool_(), "BOOLEAN"),
        (pa.uint16(), "INTEGER"),
        (pa.uint32(), "BIGINT"),
        (pa.uint64(), "BIGINT"),
        (pa.float16(), "FLOAT"),
        (pa.float32(), "FLOAT"),
        (pa.decimal128(9, 3), "DOUBLE"),
        (pa.dictionary(pa.int32(), pa.string()), "VARCHAR"),
        (pa.large_string(), "VARCHAR"),
    ],
)
def test_stored_types(kind: pa.DataType, name: str) -> None:
    assert stored_type(FILE, pa.field("x", kind)) == name


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.timestamp("us"), pa.decimal128(30, 3), pa.null()]
)
def test_other_types_are_refused_by_name(kind: pa.DataType) -> None:
    with pytest.raises(TableRefused, match=r"t.parquet stores x as .*leave it out"):
        stored_type(FILE, pa.field("x", kind))


def test_a_value_outside_its_type_is_refused() -> None:
    column = pa.chunked_array([pa.array([1, 2**63], pa.uint64())])
    with pytest.raises(TableRefused, match="t: x has a value that is no BIGINT"):
        typed("t: x", column, "BIGINT", told=False)


def test_nan_and_empty_text_are_missing() -> None:
    numbers = pa.chunked_array([pa.array([1.0, np.nan, None, np.inf], pa.float32())])
    assert typed("t", numbers, "FLOAT", told=False).to_pylist() == [1.0, None, None, np.inf]
    texts = pa.chunked_array([pa.array(["", " ", "NULL", None])])
    assert typed("t", texts, "VARCHAR", told=False).to_pylist() == [None, " ", "NULL", None]


def test_types_that_hold_two() -> None:
    assert widened("FLOAT", "DOUBLE") == widened("DOUBLE", "FLOAT") == "DOUBLE"
    assert widened("INTEGER", "BIGINT") == "BIGINT"
    assert widened("VARCHAR", "VARCHAR") == "VARCHAR"
    assert widened("BIGINT", "DOUBLE") is None
    assert widened("BOOLEAN", "INTEGER") is None


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_come_back_from_text(values: list[int]) -> None:
    assert _told([str(value) for value in values]) == ("BIGINT", values)


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_floating_point_comes_back_from_text(values: list[float]) -> None:
    assert _told([repr(value) for value in values]) == ("DOUBLE", values)
