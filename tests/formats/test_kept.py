"""Tables kept in parts against the same rows in one table."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.formats.kept import KeptTables


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=5),
    st.lists(st.integers(0, 9), max_size=4),
)
def test_rows_stay_in_order_and_some_are_dropped(parts: list[list[int]], gone: list[int]) -> None:
    kept = KeptTables()
    for part in parts:
        kept.add(pa.table({"n": pa.array(part, pa.int64()), "text": [str(n) for n in part]}))
    rows = [n for part in parts for n in part]
    assert len(kept) == len(rows)
    assert [n for table in kept for n in table["n"].to_pylist()] == rows
    kept.drop("n", np.array(gone, np.int64))
    left = [n for n in rows if n not in gone]
    assert len(kept) == len(left)
    assert [row for table in kept for row in table.to_pylist()] == [
        {"n": n, "text": str(n)} for n in left
    ]
    if left:  # of no rows there is no column
        assert kept.column("text").to_pylist() == [str(n) for n in left]


def test_what_is_mostly_zero_takes_little_memory() -> None:
    kept = KeptTables()
    before = pa.total_allocated_bytes()
    zeros = pa.table({f"q{i}": np.zeros(10_000) for i in range(20)})
    kept.add(zeros)
    size = zeros.nbytes
    del zeros
    assert pa.total_allocated_bytes() - before < size / 50
    assert len(kept) == 10_000
