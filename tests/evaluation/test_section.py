from dataclasses import replace

import pyarrow as pa
import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.section import evaluation_tables, with_interval

MEASURES = [
    Measure("error", "mean absolute error", 0.1, 40, 0.08, 0.12, question="bar", chance=0.2),
    Measure("error", "mean absolute error", 0.3, 40, label="bar_strong", chance=0.4),
    Measure("error", "reach", 0.5, 40, question="shape"),
    Measure("calibration", "coverage", 0.91, 40, 0.9, 0.92, level=0.9),
    Measure("calibration", "coverage", 0.5, 40, question="bar", level=0.9),
    Measure("localisation", "inside over area", 3.25, 9, 2.0, 4.5, None, "bar_strong", "hirescam"),
    Measure("localisation", "inside over area", 1.0, 9, None, None, None, "bar_strong", "random"),
    Measure("sanity", "rank correlation", 1.0, 9, method="hirescam", level=0.0),
    Measure("sanity", "rank correlation", 0.2, 9, method="hirescam", level=1.0),
    Measure("faithfulness", "deletion", 0.2, 9, method="hirescam", level=0.5),
    Measure("warning", "ROC AUC", 0.7, 90, method="on_target", chance=0.5),
    Measure("neighbours", "ROC AUC", 0.9, 90, 0.8, 1, method="on_neighbours", level=0.2),
    Measure("neighbours", "ROC AUC", 0.6, 90, method="area", level=0.2),
    Measure("neighbours", "recall", 0.5, 40, method="on_neighbours", level=0.2),
    Measure("correlation", "Spearman's rho", 0.7, 40, 0.6, 0.8, label="bar_no", chance=0.0),
    Measure("correlation", "Spearman's rho, relevant", 0.8, 9, label="bar_no", chance=0.0),
]


def _tables() -> dict[str, list[dict[str, object]]]:
    tables = evaluation_tables(MEASURES, TOY)
    assert all(isinstance(table, pa.Table) for table in tables.values())
    return {title.split()[0]: table.to_pylist() for title, table in tables.items()}


def test_questions_in_tree_order_with_what_was_measured() -> None:
    assert _tables()["Vote"] == [
        {"question": "shape", "reach": 0.5, "error": None, "of mean": None},
        {"question": "bar", "reach": None, "error": 0.1, "of mean": 0.2},
    ]


def test_each_method_has_a_column() -> None:
    (row,) = _tables()["Does"]
    expected = {"answer": "bar_strong", "n": 9, "hirescam": "3.25 [2.00, 4.50]", "random": "1.00"}
    assert {name: value for name, value in row.items() if name != "chance"} == expected


def test_gradcam_has_a_column_where_it_differs() -> None:
    own, other = MEASURES[5], replace(MEASURES[5], method="gradcam")
    (table,) = evaluation_tables([own, other], TOY).values()
    assert "gradcam" not in table.column_names
    (table,) = evaluation_tables([own, replace(other, value=3.0)], TOY).values()
    assert table["gradcam"].to_pylist() == ["3.00 [2.00, 4.50]"]


def test_of_a_curve_the_end_is_told() -> None:
    assert _tables()["Sanity,"] == [{"measure": "rank correlation", "hirescam": "0.20"}]


def test_coverage_of_all_answers_and_warnings() -> None:
    tables = _tables()
    assert tables["Coverage"] == [{"interval": "90%", "holds": "0.91 [0.90, 0.92]", "n": 40}]
    (row,) = tables["Warnings:"]
    assert row == {"warning": "on_target", "answer": "all", "area under curve": "0.70", "n": 90}


def test_rank_correlations_of_all_asked_and_where_half_were() -> None:
    assert _tables()["Spearman's"] == [
        {
            "answer": "bar_no",
            "rho": "0.70 [0.60, 0.80]",
            "n": 40,
            "rho, half asked": "0.80",
            "of": 9,
        }
    ]


def test_of_weighted_votes_coverage_says_so() -> None:
    measured = replace(MEASURES[3], method="rounded votes")
    (table,) = evaluation_tables([measured], TOY).values()
    assert table.to_pylist()[0]["of"] == "rounded votes"


def test_how_well_shares_tell_neighbours() -> None:
    table = _tables()["Neighbours:"]
    assert table == [
        {"share": "on_neighbours", "ROC AUC": "0.90 [0.80, 1.00]", "recall": "0.50"},
        {"share": "area", "ROC AUC": "0.60", "recall": None},
    ]


def test_nothing_measured_no_tables() -> None:
    assert evaluation_tables([], TOY) == {}


@pytest.mark.parametrize(
    ("value", "text"), [(0.123, "0.12"), (12.34, "12"), (float("nan"), "nan"), (-0.5, "-0.50")]
)
def test_digits(value: float, text: str) -> None:
    assert with_interval(Measure("t", "m", value, 1)) == text
