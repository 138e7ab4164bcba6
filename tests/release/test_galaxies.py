"""Rows of a release's galaxies against the catalogue's own views."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.made.catalogues import (
    TOY,
    random_counts,
)
from tests.made.releases import N, released_galaxies, view_rows
from zoolens.catalog.release.columns import release_columns
from zoolens.catalog.release.galaxies import ERROR_RATE, Block, galaxy_rows
from zoolens.catalog.scoring.credence import credence

pytestmark = pytest.mark.slow


def same(found: Any, expected: Any) -> bool:
    if expected is None or expected != expected:
        return bool(pd.isna(found) or found == "")
    return bool(found == expected)


_CONCENTRATION, _FRACTION = (
    f"saliency_stats WHERE of = '{of}'" for of in ("concentration", "fraction")
)
_PLACES = ("galaxy", "neighbours", "sky")
# view, its column, and the ending of the columns of the release
_OF_ANSWERS = [
    ("votes", "count", ""),
    ("votes", "fraction", "_fraction"),
    ("predictions", "concentration", "_concentration"),
    ("predictions", "fraction", "_pred_frac"),
    ("predictions", "fraction_sd", "_pred_frac_sd"),
    ("predictions", "fraction_lo", "_pred_frac_lo"),
    ("predictions", "fraction_hi", "_pred_frac_hi"),
    ("losses", "ce", "_ce"),
    (_CONCENTRATION, "on_target", "_on_target"),
    (_CONCENTRATION, "centroid_offset", "_centroid_offset"),
    (_CONCENTRATION, "entropy", "_map_entropy"),
    (_CONCENTRATION, "increase", "_increase"),
    (_CONCENTRATION, "decrease", "_decrease"),
    (_CONCENTRATION, "peak_x", "_peak_x"),
    (_CONCENTRATION, "peak_y", "_peak_y"),
    *((_FRACTION, f"on_{place}", f"_pred_frac_on_{place}") for place in _PLACES),
]

_OF_QUESTIONS = [
    ("votes", "total", "_total-votes"),
    ("predictions", "reach", "_proportion_volunteers_asked"),
    ("question_losses", "nll", "_nll"),
]


def test_every_cell_is_that_of_the_public_view(full_gz: Path, full_cut: Path) -> None:
    galaxies = released_galaxies(full_cut)
    assert [*galaxies.index] == [
        row["iauname"] for row in view_rows(full_gz, "FROM galaxies ORDER BY galaxy_id")
    ]
    checked = set()
    for view, source, ending in _OF_ANSWERS:
        values = {(r["iauname"], r["label"]): r[source] for r in view_rows(full_gz, f"FROM {view}")}
        for label in TOY.labels:
            column = galaxies[label + ending]
            assert all(same(column[n], values.get((n, label))) for n in galaxies.index), label
            checked.add(label + ending)
    for view, source, ending in _OF_QUESTIONS:
        values = {
            (r["iauname"], r["question"]): r[source] for r in view_rows(full_gz, f"FROM {view}")
        }
        for question in TOY.questions:
            column = galaxies[question.name + ending]
            assert all(same(column[n], values.get((n, question.name))) for n in galaxies.index)
            checked.add(question.name + ending)
    rest = set(galaxies.columns) - checked
    others = ("_vote_weight", "_mutual_information")  # tested below, or constant here
    assert {name for name in rest if not name.endswith(others)} == {
        "ra", "dec", "rank", "worst_answer", "worst_weighted_ce", "worst_ce",
        "observed_counterpart", "predicted_counterpart", "image_sha256",
    }  # fmt: skip


def test_a_block_knows_its_names_votes_and_weights(block: Block) -> None:
    some = replace(block, ids=np.array([2, 5, N - 2, N - 1]))
    names = [f"J{n:06d}.00+{n:06d}.0" for n in (2, 5, N - 2, N - 1)]
    assert some.names.tolist() == names
    counts = random_counts(N)
    counts[N - 1] = 0
    np.testing.assert_array_equal(some.votes.tree_counts, counts[some.ids])
    ((where, alpha),) = some.posteriors
    assert where.tolist() == [0, 1]
    expected = np.full((4, len(TOY.labels)), np.nan)
    expected[:2] = credence(counts[[2, 5]], alpha, TOY, ERROR_RATE)
    expected[counts[some.ids] == 0] = np.nan
    np.testing.assert_array_equal(some.vote_weights, expected)
    assert np.isnan(some.vote_weights[2:]).all()


def test_missing_is_null_and_missing_text_empty(block: Block) -> None:
    some = replace(block, ids=np.array([0, N - 1]))
    columns = [release_columns(TOY).field(name) for name in ("round_yes_ce", "round_yes")]
    schema = pa.schema(
        [pa.field("worst_answer", pa.string()), *columns, pa.field("rank", pa.int64())]
    )
    known = pa.table(
        {
            "galaxy_id": pa.array([0, N - 1], pa.int64()),
            "rank": pa.array([3, None], pa.int32()),
            "worst_answer": pa.array(["bar_no", None], pa.string()),
        }
    )
    rows = galaxy_rows(some, schema, known)
    assert rows.schema.equals(schema, check_metadata=True)
    assert rows["worst_answer"].to_pylist() == ["bar_no", ""]
    assert rows["rank"].to_pylist() == [3, None]
    votes = int(random_counts(N)[0, 3])
    assert rows["round_yes"].to_pylist() == [votes, 0]
    assert rows["round_yes_ce"][1].as_py() is None
