"""Tables 1 and 2 of the paper, as files: values by hand."""

import csv
from pathlib import Path

import pytest

from tests.made.latex import table_of
from zoolens.catalog.explain.portraits import Explanation, Portrait
from zoolens.catalog.explain.tables import save_tables
from zoolens.catalog.store.facts import AnswerFacts

# the paper's Table 1, of two of its galaxies and two questions: votes of each answer, and asked
VOTES = {
    "J113514.30-060216.9": [(1, 5), (4, 5), (1, 1), (0, 1), (0, 1)],
    "J153503.65+222540.6": [(13, 23), (4, 23), (8, 13), (4, 13), (1, 13)],
}
ANSWERS = [
    ("smooth-or-featured", "smooth"),
    ("smooth-or-featured", "featured-or-disk"),
    ("how-rounded", "round"),
    ("how-rounded", "in-between"),
    ("how-rounded", "cigar-shaped"),
]
QUESTIONS = ["smooth-or-featured", "how-rounded"]


def facts(name: str, weight: float = 1.0) -> list[AnswerFacts]:
    return [
        AnswerFacts(q, a, f"{q}_{a}", weight * count, weight * total, count / total, *PREDICTED)
        for (q, a), (count, total) in zip(ANSWERS, VOTES[name], strict=True)
    ]


PREDICTED = (0.25, 0.125, 0.5, None)


def explanation(weight: float = 1.0) -> Explanation:
    roles = zip(("selected", "predicted counterpart"), VOTES, strict=True)
    return Explanation(2, [Portrait(r, n, facts(n, weight), None) for r, n in roles], ())


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8", newline="")))


def test_table_1_holds_votes_by_galaxy(tmp_path: Path) -> None:
    files = save_tables(explanation(), QUESTIONS, tmp_path, "J1_round")
    assert files["votes"]["csv"].name == "J1_round_votes.csv"
    selected, other = read(files["votes"]["csv"])
    assert selected == {
        "role": "selected",
        "iauname": "J113514.30-060216.9",
        "smooth-or-featured_total-votes": "5",
        "smooth-or-featured_smooth": "1",
        "smooth-or-featured_featured-or-disk": "4",
        "how-rounded_total-votes": "1",
        "how-rounded_round": "1",
        "how-rounded_in-between": "0",
        "how-rounded_cigar-shaped": "0",
    }
    assert other["how-rounded_round"] == "8"
    table = table_of(files["votes"]["tex"].read_text(encoding="utf-8"))
    assert table.align == "llrr"
    assert table.lines[1] == ["question", "answer", *VOTES]
    assert table.lines[2:5] == [
        ["smooth-or-featured", "asked", "5", "23"],
        ["", "smooth", "1", "13"],
        ["", "featured-or-disk", "4", "4"],
    ]
    assert table.caption.endswith("how-rounded\\_round.")


def test_table_2_holds_fractions_by_galaxy(tmp_path: Path) -> None:
    files = save_tables(explanation(), QUESTIONS, tmp_path, "J1_round")
    _, other = read(files["fractions"]["csv"])
    assert float(other["smooth-or-featured_smooth_fraction"]) == pytest.approx(0.565217, abs=1e-6)
    assert float(other["how-rounded_in-between_fraction"]) == pytest.approx(0.307692, abs=1e-6)
    assert other["how-rounded_round_pred_frac"] == "0.25"
    assert other["how-rounded_round_pred_frac_lo"] == "0.125"
    assert other["how-rounded_round_pred_frac_hi"] == "0.5"
    table = table_of(files["fractions"]["tex"].read_text(encoding="utf-8"))
    assert table.align == "llrlrl"
    assert table.lines[2][:4] == ["smooth-or-featured", "smooth", "0.20", "0.25 [0.12, 0.50]"]
    assert r"\multicolumn{2}{c}{J113514.30-060216.9 (selected)}" in table.lines[0]


def test_weighted_votes_are_exact_in_csv_and_whole_in_print(tmp_path: Path) -> None:
    files = save_tables(explanation(0.9), QUESTIONS, tmp_path, "J1_round")
    assert read(files["votes"]["csv"])[1]["smooth-or-featured_smooth"] == "11.700000000000001"
    table = table_of(files["votes"]["tex"].read_text(encoding="utf-8"))
    assert table.lines[2] == ["smooth-or-featured", "asked, about", "5", "21"]
    assert table.lines[3] == ["", "smooth", "1", "12"]


def test_without_votes_there_is_one_table_and_what_is_missing_is_empty(tmp_path: Path) -> None:
    unknown = [AnswerFacts(q, a, f"{q}_{a}", None, None, None, *PREDICTED) for q, a in ANSWERS]
    alone = Explanation(0, [Portrait("selected", "a_b & c", unknown, None)], ())
    files = save_tables(alone, QUESTIONS, tmp_path, "odd")
    assert list(files) == ["fractions"]
    (row,) = read(files["fractions"]["csv"])
    assert row["how-rounded_round_fraction"] == ""
    table = table_of(files["fractions"]["tex"].read_text(encoding="utf-8"))
    assert table.lines[2] == ["smooth-or-featured", "smooth", "--", "0.25 [0.12, 0.50]"]
    assert r"\multicolumn{2}{c}{a\_b \& c (selected)}" in table.lines[0]
