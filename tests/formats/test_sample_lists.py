"""Numbers and lists of samples, in every way that files hold them."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.formats.sample_lists import read_samples

_samples = st.lists(
    st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), max_size=4), min_size=1, max_size=6
)


def column(values: list, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, kind)])


@given(_samples)
def test_lists_come_back_however_they_are_held(samples: list[list[float]]) -> None:
    flat = np.array([value for row in samples for value in row])
    held = [
        column(samples, pa.list_(pa.float64())),
        column(samples, pa.large_list(pa.float64())),
        # one cell that is no number makes it a column of text
        column([*map(json.dumps, samples), "[]"]),
        pa.chunked_array([pa.array([row], pa.list_(pa.float64())) for row in samples]),
    ]
    for values in held:
        read = read_samples(values)
        assert read.lengths[: len(samples)].tolist() == [len(row) for row in samples]
        np.testing.assert_array_equal(read.values, flat)
        assert not read.bad.any()


def test_fixed_size_lists_come_back() -> None:
    values = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6.0)), 3)
    read = read_samples(pa.chunked_array([values]))
    assert read.lengths.tolist() == [3, 3]
    np.testing.assert_array_equal(read.matrix(np.array([1, 0]), 3), [[3, 4, 5], [0, 1, 2]])


@pytest.mark.parametrize(
    "cells",
    [
        column([1.5, None, 3]),
        column(["1.5", "", "3"]),
        column(["[1.5]", None, "3"]),
        column([[1.5], None, [3.0]]),
        column([[1.5], [], [3.0]]),
    ],
)
def test_empty_cells_have_no_samples(cells: pa.ChunkedArray) -> None:
    read = read_samples(cells)
    assert read.lengths.tolist() == [1, 0, 1]
    assert read.values.tolist() == [1.5, 3]
    np.testing.assert_array_equal(read.matrix(np.arange(3), 1), [[1.5], [np.nan], [3]])


@pytest.mark.parametrize(
    "cell",
    [
        "many",
        "[1, 2",
        "[1, [2]]",
        '["1"]',
        "{}",
        "[true]",
        "[1, null]",
        '__import__("os").system("true")',
        "[" * 100_000,
        "1" * 5000,
        "[1" + "0" * 400 + "]",
    ],
    ids=lambda cell: cell[:12],
)
def test_text_that_is_no_number_is_bad_and_never_run(cell: str) -> None:
    read = read_samples(column(["[1, 2]", cell, "3"]))
    assert read.bad.tolist() == [False, True, False]
    assert read.values.tolist() == [1, 2, 3]


def test_lists_of_other_things_are_bad() -> None:
    assert read_samples(column([["a"], ["2"], []])).bad.tolist() == [True, False, False]
    assert read_samples(column([[[1.0]], None])).bad.tolist() == [True, False]


def test_any_value_looks_at_every_sample() -> None:
    read = read_samples(column([[1.0, -1.0], [], [2.0], [3.0, float("nan")]]))
    assert read.any_value(lambda values: values < 0).tolist() == [True, False, False, False]
    assert read.any_value(lambda values: ~(values > 0)).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("cell", "samples"),
    [
        ("[24.7 10.  5.59]", [24.7, 10, 5.59]),
        ("[ 24.7\n 1e+01 5.59 ]", [24.7, 10, 5.59]),
        ("[24.7, 10., 5.59]", [24.7, 10, 5.59]),
        ("array([24.7, 10., 5.59], dtype=float32)", [24.7, 10, 5.59]),
        ("[np.float32(24.7), np.float32(10.0)]", [24.7, 10]),
        ("(24.7, 10.0)", [24.7, 10]),
        ("(24.7,)", [24.7]),
        ("[]", []),
        ("None", []),
        ("--", []),
    ],
)
def test_lists_are_read_as_programs_print_them(cell: str, samples: list[float]) -> None:
    read = read_samples(column([cell, "[1.0, 2.0]"]))
    assert read.lengths.tolist() == [len(samples), 2]
    assert read.values.tolist() == [*samples, 1.0, 2.0]
    assert not read.bad.any()


@pytest.mark.parametrize(
    "cell",
    ["[1. 2. ... 9.]", "[1,, 2.]", "[1. 2.", "[1. 2.])", "[[1. 2.]]", "array([1.]", "[1. few]"],
)
def test_a_list_cut_short_or_of_another_kind_is_none(cell: str) -> None:
    assert read_samples(column([cell, "[1.0]"])).bad.tolist() == [True, False]
