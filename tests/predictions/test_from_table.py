"""Published predictions: layouts, every kind of refusal, round trips."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, random_concentrations
from tests.made.prediction_tables import N, T, concentrations_table
from tests.made.vote_tables import read_table
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.predictions.from_table import PublishedPosteriors, read_posteriors
from zoolens.catalog.predictions.layouts import recognise_predictions
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.checks import Rows

SOURCE = Path("published.csv")


def read(columns: dict[str, Any], tree: DecisionTree = TOY) -> tuple[Rows, PublishedPosteriors]:
    table = pa.table(columns)
    layout = recognise_predictions(SOURCE, table.column_names, tree)
    rows = Rows(SOURCE, table, layout.identifier, np.arange(1, len(table) + 1))
    return rows, read_posteriors(rows, layout, tree)


def test_concentrations_are_summarised_as_those_of_a_model() -> None:
    rows, found = read(concentrations_table())
    assert rows.good.all()
    assert rows.rejects == []
    ((which, alpha),) = found.samples
    assert which.tolist() == list(range(N))
    np.testing.assert_array_equal(alpha, random_concentrations(N, T))
    expected = summarise(random_concentrations(N, T), TOY)
    for name, values in vars(expected).items():
        np.testing.assert_array_equal(getattr(found.summary, name), values, err_msg=name)


CHAIN = DecisionTree(
    "chain",
    (
        Question("shape", ("smooth", "disk")),
        Question("bar", ("yes", "no"), ("shape_disk",)),
        Question("length", ("short", "long"), ("bar_yes",)),
    ),
)


def test_reach_is_that_of_the_samples_where_there_are_any() -> None:
    """By hand; both rows have the mean fractions 0.5 and 0.5, whose product is 0.25."""
    varying, mean = [[1.0, 9.0], [5.0]]
    columns = {
        "iauname": ["A", "B"],
        "shape_smooth_concentration": [[9.0, 1.0], mean],
        "shape_disk_concentration": [varying, mean],
        "bar_yes_concentration": [varying, mean],
        "bar_no_concentration": [[9.0, 1.0], mean],
    }
    _, found = read(columns, CHAIN)
    np.testing.assert_allclose(found.summary.reach[:, 4], [(0.9**2 + 0.1**2) / 2, 0.25])
    np.testing.assert_array_equal(found.summary.fraction[:, 2], [0.5, 0.5])


def test_a_published_fraction_takes_part_in_the_reach_of_samples() -> None:
    columns = {
        "iauname": ["A", "B"],
        "shape_smooth_concentration": [[9.0, 1.0], [5.0]],
        "shape_disk_concentration": [[1.0, 9.0], [5.0]],
        "shape_disk_pred_frac": [None, 0.7],  # of means a published fraction says more
        "bar_yes_pred_frac": [0.6, 0.6],
    }
    _, found = read(columns, CHAIN)
    np.testing.assert_allclose(found.summary.reach[:, 4], [0.5 * 0.6, 0.7 * 0.6])
    np.testing.assert_allclose(found.summary.reach[:, 2], [0.5, 0.7])


def test_files_of_any_kind_say_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame(concentrations_table())
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        table = read_table(tmp_path / name)
        rows, found = read({column: table[column] for column in table.column_names})
        assert rows.good.all()
        np.testing.assert_array_equal(found.samples[0][1], random_concentrations(N, T))


def test_galaxies_may_differ_in_samples_and_questions() -> None:
    columns = concentrations_table()
    for name, cells in columns.items():
        if name.endswith("_concentration"):
            cells[1] = cells[1][:2]  # two samples
            if name.startswith("bar"):
                cells[3] = None  # a question not predicted
    rows, found = read(columns)
    assert rows.good.all()
    alpha = random_concentrations(N, T).astype(np.float64)
    assert [(which.tolist(), a.shape[1]) for which, a in found.samples] == [
        ([1], 2),
        ([0, 2, 3, 4, 5], T),
    ]
    bar = TOY.slices[2]
    assert np.isnan(found.summary.fraction[3, bar]).all()
    assert np.isnan(found.samples[1][1][2, :, bar]).all()
    np.testing.assert_array_equal(
        found.summary.fraction[1], summarise(alpha[1:2, :2], TOY).fraction[0]
    )


def test_plain_fractions_are_kept_and_no_more_is_claimed() -> None:
    columns = {
        "iauname": ["G0", "G1"],
        "shape_smooth_fraction": [0.5, 0.25],
        "shape_disk_fraction": ["0.5", ""],
        "round_yes_pred_frac": [1.0, 0.0],
    }
    rows, found = read(columns)
    assert rows.good.all()
    assert found.samples == []
    summary = found.summary
    np.testing.assert_array_equal(summary.fraction[:, 0], [0.5, 0.25])
    np.testing.assert_array_equal(summary.fraction[:, 1], [0.5, np.nan])
    np.testing.assert_array_equal(summary.fraction[:, 3], [1, 0])
    for values in (summary.concentration, summary.sd, summary.lo, summary.hi, summary.information):
        assert np.isnan(values).all()
    # how often round is asked is the fraction of smooth; merging needs disk as well
    np.testing.assert_array_equal(summary.reach[:, 3], [0.5, 0.25])
    np.testing.assert_array_equal(summary.reach[:, 8], [1.0, np.nan])
    layout = recognise_predictions(SOURCE, list(columns), TOY)
    assert layout.missing_questions(TOY) == ("bar", "merging")


def test_fractions_stand_in_for_questions_without_concentrations() -> None:
    columns = concentrations_table()
    del columns["bar_no_concentration"]
    columns |= {f"{label}_fraction": [0.5] * N for label in TOY.labels}
    rows, found = read(columns)
    expected = summarise(random_concentrations(N, T), TOY).fraction
    expected[:, TOY.slices[2]] = 0.5
    np.testing.assert_array_equal(found.summary.fraction, expected)
    layout = recognise_predictions(SOURCE, list(columns), TOY)
    assert layout.incomplete == ("bar",)
    assert [reject.reason for reject in rows.rejects] == [
        "contradictory fractions: those of bar add up to 1.5; kept as given"
    ] * N


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("many", "unreadable concentration: bar_no_concentration is 'many'"),
        ([1, 2, 3, 0], "concentration outside 1e-06..1e+06"),
        ([1, 2, 3, -4], "concentration outside"),
        ([1, 2, 3, float("nan")], "concentration outside"),
        ([1, 2, 3, float("inf")], "concentration outside"),
        ([1, 2, 3], "uneven samples: 4 of some answers, not of all to bar"),
        ([1, 2, 3, 4, 5], "uneven samples"),
        ([], "missing concentration: some answers to bar are empty"),
    ],
)
def test_bad_concentrations_refuse_their_row(cell: Any, told: str) -> None:
    import json

    columns = concentrations_table()
    texts = [json.dumps(cells) for cells in columns["bar_no_concentration"]]
    texts[2] = cell if isinstance(cell, str) else json.dumps(cell)
    columns["bar_no_concentration"] = texts
    rows, found = read(columns)
    assert np.flatnonzero(~rows.good).tolist() == [2]
    (reject,) = rows.rejects
    assert (reject.row, reject.key) == (3, "G0002")
    assert told in reject.reason
    ((which, _),) = found.samples
    assert which.tolist() == [0, 1, 3, 4, 5]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("-0.1", "fraction outside 0..1: shape_disk_fraction is '-0.1'"),
        ("1.001", "fraction outside 0..1"),
        ("inf", "fraction outside 0..1"),
        ("half", "unreadable fraction: shape_disk_fraction is 'half'"),
        ("[0.5]", "unreadable fraction"),
    ],
)
def test_bad_fractions_refuse_their_row(cell: str, told: str) -> None:
    columns = {
        "iauname": ["G0", "G1"],
        "shape_smooth_fraction": ["0.5", "0.5"],
        "shape_disk_fraction": ["0.5", cell],
    }
    rows, _ = read(columns)
    assert rows.good.tolist() == [True, False]
    assert told in rows.rejects[0].reason


def test_rows_that_predict_nothing_are_refused() -> None:
    columns = {"iauname": ["G0", "G1"], "shape_disk_fraction": [0.5, None]}
    rows, _ = read(columns)
    assert rows.good.tolist() == [True, False]
    assert rows.rejects[0].reason.startswith("no predictions")


def test_too_many_samples_are_refused() -> None:
    columns = {"iauname": ["G0"]} | {
        f"{label}_concentration": [[1.0] * 1001] for label in TOY.labels
    }
    rows, found = read(columns)
    assert not rows.good.any()
    assert found.samples == []


def test_the_real_automated_fractions_are_recognised(data: Path) -> None:
    path = data / "decals_automated_fractions.csv"
    table = read_table(path)
    tree = get_tree("gzd5")
    layout = recognise_predictions(path, table.column_names, tree)
    assert list(layout.fractions) == [
        "smooth-or-featured_featured-or-disk",
        "disk-edge-on_no",
        "has-spiral-arms_no",
    ]
    rows = Rows(path, table, layout.identifier, np.arange(1, len(table) + 1))
    found = read_posteriors(rows, layout, tree)
    assert rows.good.all()
    stated = pd.read_csv(path)["disk-edge-on_no_fraction"]
    np.testing.assert_array_equal(
        found.summary.fraction[:, tree.answer_id("disk-edge-on_no")], stated
    )
