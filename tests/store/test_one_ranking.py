"""Ranks of all galaxies, from files of some."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import blank
from zoolens.catalog.store import one_ranking
from zoolens.catalog.store.one_ranking import rank_together, worst_of
from zoolens.catalog.store.store import Store


@pytest.mark.parametrize("rows", [3, 100])
def test_ranks_are_those_of_all_in_one_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(one_ranking, "_ROWS", rows)
    random = np.random.default_rng(1)
    files: list[Path] = []
    every: list[dict[str, Any]] = []
    for piece, size in enumerate((12, 0, 7, 5)):
        losses = random.integers(0, 4, size).tolist()  # many equals
        known = [
            {
                "piece": piece,
                "galaxy_id": 100 * piece + n,
                "iauname": f"J{random.integers(10**9):09d}",
                "rank": None if n % 3 == 1 else 1,
                "worst_weighted_ce": None if n % 3 == 1 else float(loss),
                "answer_id": n,
            }
            for n, loss in enumerate(losses)
        ]
        every += known
        schema = pa.schema(
            {"piece": pa.int32(), "galaxy_id": pa.int64(), "iauname": pa.string()}
            | {"rank": pa.int64(), "worst_weighted_ce": pa.float64(), "answer_id": pa.int32()}
        )
        files.append(tmp_path / f"{piece}.parquet")
        pq.write_table(pa.Table.from_pylist(known, schema), files[-1], row_group_size=4)
    with Store.open(blank(tmp_path / "gz.duckdb"), read_only=True) as store:
        rank_together(store, files, tmp_path)
        worst = worst_of(store, files, 5).to_pylist()
    ranked = [row for row in every if row["rank"]]
    ranked.sort(key=lambda row: (-row["worst_weighted_ce"], row["iauname"]))
    ranks = {row["galaxy_id"]: rank for rank, row in enumerate(ranked, 1)}
    for file in files:
        assert pq.ParquetFile(file).metadata.num_rows in (12, 0, 7, 5)
    found = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert found == [{**row, "rank": ranks.get(row["galaxy_id"])} for row in every]
    first = sorted(ranked[:5], key=lambda row: row["galaxy_id"])
    assert worst == [{k: r[k] for k in ("piece", "galaxy_id", "answer_id")} for r in first]
    assert not (tmp_path / "ranks.parquet").exists()
