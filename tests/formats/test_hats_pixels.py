"""Where rows lie, and which partitions they make."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.hats_pixels import (
    INDEX_ORDER,
    Partition,
    SkyCounts,
    Span,
    partitions,
    pixel_counts,
    spatial_index,
)

RANDOM = np.random.default_rng(3)


def index_within(order: int, pixel: int, rows: int) -> np.ndarray:
    """Places in a pixel."""
    wide = 4 ** (INDEX_ORDER - order)
    return pixel * wide + RANDOM.integers(0, wide, rows)


def test_counts_of_parts_are_those_of_all() -> None:
    parts = [index_within(1, 5, 300), index_within(0, 7, 200), index_within(1, 5, 100)]
    counts = SkyCounts()
    for part in parts:
        counts.add(part)
    for order in (0, 3, 6):
        expected = pixel_counts(np.concatenate(parts), order)
        assert counts.of_order(order).tolist() == expected.tolist()


def test_no_partition_is_larger_than_its_span() -> None:
    index = index_within(2, 37, 90)
    assert partitions(index, 100) == [Partition(0, 2, 90)]
    assert partitions(index, 100, 2) == [Partition(2, 37, 90)]
    finer = partitions(index, 40, 2)
    assert sum(one.rows for one in finer) == 90
    assert {one.pixel >> 2 * (one.order - 2) for one in finer} == {37}
    assert max(one.rows for one in finer) <= 40


def test_a_span_finer_than_partitions_is_one() -> None:
    assert partitions(index_within(12, 99, 9), 3, 12) == [Partition(12, 99, 9)]


def test_rows_of_a_span_lie_in_its_pixel(tmp_path: Path) -> None:
    table = pa.table({"name": ["A", "B", "C"], "ra": [45.0, 45.1, 200.0], "dec": [5.0, 5.1, 50.0]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    file, names = tmp_path / "t.parquet", ("ra", "dec", "name")
    every = spatial_index(file, *names, Span(range(2)))
    pixel = int(every[0]) >> 2 * (INDEX_ORDER - 2)
    assert spatial_index(file, *names, Span(range(1), 2, pixel)).tolist() == every[:2].tolist()
    with pytest.raises(CatalogError, match=f"C lies outside of pixel {pixel} of order 2"):
        spatial_index(file, *names, Span(range(2), 2, pixel))
