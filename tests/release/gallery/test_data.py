"""What the page's script is given, against the catalogue's views."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.made.catalogues import (
    TOY,
)
from tests.made.galleries import page_data
from zoolens.catalog.release.gallery.data import IN_A_ROW, LONGEST, answer_choices, galaxies_data
from zoolens.catalog.release.gallery.images import Drawn, Scale
from zoolens.catalog.release.gallery.rows import Row, Rows
from zoolens.catalog.similarity.counterparts import Counterpart
from zoolens.catalog.similarity.target import Target
from zoolens.catalog.store.facts import AnswerFacts
from zoolens.catalog.store.store import Store


@pytest.mark.slow
def test_votes_and_intervals_are_those_of_the_catalogue(path: Path, page: Path) -> None:
    with Store.open(path, read_only=True) as store:
        rows = store.arrow(
            """SELECT iauname, question, answer, v.count, v.total, v.fraction AS observed,
    p.fraction AS predicted, fraction_lo AS lo, fraction_hi AS hi, l.ce
FROM predictions p LEFT JOIN votes v USING (iauname, question, answer)
LEFT JOIN losses l USING (iauname, question, answer)"""
        ).to_pylist()
    known = {(row["iauname"], row["question"], row["answer"]): row for row in rows}
    seen = 0
    for one in page_data(page):
        own = next(q for q in one["questions"] if q["question"] == one["question"])
        chosen = next(answer for answer in own["answers"] if answer[0] == one["answer"])
        assert [one[key] for key in IN_A_ROW] == chosen[1:]
        assert one["total"] == own["total"]
        for question in one["questions"]:
            labels = TOY.questions[[q.name for q in TOY.questions].index(question["question"])]
            assert [answer[0] for answer in question["answers"]] == list(labels.answers)
            for answer, *values in question["answers"]:
                row = known[one["name"], question["question"], answer]
                assert question["total"] == row["total"]
                for key, value in zip(IN_A_ROW, values, strict=True):
                    if row[key] is None:
                        assert value is None
                    else:
                        assert value == pytest.approx(row[key], abs=6e-5)
                        seen += 1
    assert seen > 200


INF, NAN = float("inf"), float("nan")


def facts(counts: list[float], total: float | None, **first: Any) -> list[AnswerFacts]:
    """Facts of the answers of `shape`, then of those of the other questions, all missing."""
    known = [
        AnswerFacts(q.name, a, f"{q.name}_{a}", None, None, None, None, None, None, None)
        for q in TOY.questions
        for a in q.answers
    ]
    for place, count in enumerate(counts):
        known[place] = replace(known[place], count=count, total=total)
    known[0] = replace(known[0], **first)
    return known


def row(number: int, *, answer_id: int = 0, counts: list[float], total: float | None) -> Row:
    own = facts(counts, total, observed=1 / 3, predicted=0.0, ce=INF, lo=NAN)
    target = Target(("smooth", "disk"), 0, (0.123456, None), (0.5, 0.5), 20)
    other = Counterpart(7, "x" * 500, -0.123456, target)
    return Row(number, f"G{number}", answer_id, 6, INF, own, ["shape"], other, None, "why")


def galleries_data(rows: list[Row], scale: Scale | None = None) -> list[dict[str, Any]]:
    found = {row.galaxy_id: row.facts for row in rows} | {7: facts([], None)}
    drawn = {row.galaxy_id: Drawn("", True, scale) for row in rows} | {
        7: Drawn("gone", False, None)
    }
    return galaxies_data(Rows(rows, found), drawn)


def test_a_galaxy_by_hand() -> None:
    scale = Scale(1 / 3, 2.0, -1e-9, None, 0.5)
    (one,) = galleries_data([row(3, counts=[2, 1, 3], total=6)], scale)
    other = one.pop("counterparts")[0]
    assert one == {
        "name": "G3",
        "shown": "G3",
        "question": "shape",
        "answer": "smooth",
        "label": "shape_smooth",
        "votes": 6,
        "loss": "Infinity",
        "total": 6,
        "count": 2,
        "observed": 0.3333,
        "predicted": 0.0,
        "lo": None,
        "hi": None,
        "ce": "Infinity",
        "image": "images/3.jpg",
        "missing": "",
        "outline": "images/3-outline.png",
        "map": {
            "scale": {
                "reach": 0.3333,
                "increase": 2.0,
                "decrease": -1e-9,
                "on_target": None,
                "lowered_on_target": 0.5,
            },
            "exact": True,
            "baseline": None,
            "increase": "images/3-increase.png",
            "decrease": "images/3-decrease.png",
        },
        "questions": [
            {
                "question": "shape",
                "total": 6,
                "outside": 0,
                "answers": [
                    ["smooth", 2, 0.3333, 0.0, None, None, "Infinity"],
                    ["disk", 1, None, None, None, None, None],
                    ["star", 3, None, None, None, None, None],
                ],
            }
        ],
        "notes": "why",
    }
    assert (other["role"], other["place"]) == ("observed", None)
    assert (other["asked"], other["close"]) == (0.1235, None), "a note says that it is not close"
    assert (other["image"], other["missing"]) == (None, "gone")
    assert len(other["shown"]) <= LONGEST


def test_votes_outside_the_tree_are_told_but_not_rounding() -> None:
    found = galleries_data(
        [row(1, counts=[2, 1, 3], total=8), row(2, counts=[2, 1, 3], total=6.005)]
    )
    assert [one["questions"][0]["outside"] for one in found] == [2, 0]
    assert found[0]["map"] is None


def test_answers_are_counted_in_the_trees_order() -> None:
    rows = [row(n, answer_id=k, counts=[1], total=1) for n, k in enumerate([7, 0, 7, 2, 5])]
    assert answer_choices(rows, TOY) == [
        {
            "question": "shape",
            "galaxies": 2,
            "answers": [
                {"answer": "smooth", "label": "shape_smooth", "galaxies": 1},
                {"answer": "star", "label": "shape_star", "galaxies": 1},
            ],
        },
        {
            "question": "bar",
            "galaxies": 3,
            "answers": [
                {"answer": "strong", "label": "bar_strong", "galaxies": 1},
                {"answer": "no", "label": "bar_no", "galaxies": 2},
            ],
        },
    ]
