"""Maps and dropout samples as cells of a table, against what is stored."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import (
    TOY,
    random_concentrations,
)
from tests.made.releases import EXPLAINED, N
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.release.arrays import answer_names, posteriors, saliency
from zoolens.catalog.release.galaxies import Block

pytestmark = pytest.mark.slow


def test_maps_are_arrays(full_gz: Path, full_cut: Path) -> None:
    found = pq.read_table(full_cut / "tables/saliency.parquet").to_pylist()
    assert len(found) == len(EXPLAINED) * len(TOY.labels)
    for row in found[::7]:
        for column, sd in (("mean", False), ("sd", True)):
            stored = saliency_of(full_gz, row["iauname"], row["label"], sd=sd)
            np.testing.assert_array_equal(np.array(row[column], np.float32), stored)


def test_samples_are_those_of_the_posterior(block: Block) -> None:
    columns, read = posteriors(pa.field("iauname", pa.string()), TOY)
    found = read(block)
    assert found.column_names == ["iauname", *(f"{label}_concentration" for label in TOY.labels)]
    assert found.schema.equals(columns)
    expected = random_concentrations(N - 2, seed=1)  # (N, T, A), the last two have none
    assert found["iauname"].to_pylist() == block.names[: N - 2].tolist()
    for answer, label in enumerate(TOY.labels):
        lists = np.array(found[f"{label}_concentration"].to_pylist(), np.float32)
        np.testing.assert_array_equal(lists, expected[:, :, answer])


def test_a_block_without_samples_or_maps_is_empty(block: Block) -> None:
    none = replace(block, ids=np.array([N - 2, N - 1]))
    names = [pa.field(name, pa.string()) for name in ("iauname", "question", "answer", "label")]
    for columns, read in (posteriors(names[0], TOY), saliency(names)):
        assert len(read(none)) == 0
        assert read(none).schema.equals(columns)
    unexplained = replace(block, runs=replace(block.runs, explain=None))
    assert len(saliency(names)[1](unexplained)) == 0


def test_names_of_answers_by_number() -> None:
    found = [[*column] for column in answer_names(TOY, np.array([0, 4, 7, 1]))]
    assert found == [
        ["shape", "round", "bar", "shape"],
        ["smooth", "no", "no", "disk"],
        ["shape_smooth", "round_no", "bar_no", "shape_disk"],
    ]
