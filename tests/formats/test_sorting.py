"""Rows of a file in another order, against Arrow's own `take`."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.release_tables import awkward
from zoolens.catalog.formats import sorting
from zoolens.catalog.formats.sorting import rows_in_order


@pytest.mark.parametrize(("held", "parts"), [(64 << 20, 1), (20_000, 2), (1, 256)])
def test_parts_together_are_the_rows_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int, parts: int
) -> None:
    monkeypatch.setattr(sorting, "_HELD_BYTES", held)
    rows = 512
    table = awkward(rows).set_column(0, "name", [[f"J{i}" for i in range(rows)]])
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=100)
    order = np.random.default_rng(0).permutation(rows)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = list(rows_in_order(tmp_path / "t.parquet", order, scratch))
    assert len(found) >= parts
    assert len(found) <= 256
    together = pa.concat_tables(found)
    expected = table.take(pa.array(order))
    assert repr(together.to_pylist()) == repr(expected.to_pylist())  # NaN equals itself as text
    assert list(scratch.iterdir()) == []


def test_left_early_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_HELD_BYTES", 1)
    pq.write_table(awkward(50), tmp_path / "t.parquet")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    parts = rows_in_order(tmp_path / "t.parquet", np.arange(50)[::-1], scratch)
    assert next(parts)["votes"].to_pylist() == awkward(50)["votes"].to_pylist()[-1:]
    parts.close()  # type: ignore[attr-defined]
    assert list(scratch.iterdir()) == []
