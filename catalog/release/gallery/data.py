"""The JSON data from which the script of a gallery shows its galaxies."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.explain.portraits import SELECTED, Portrait, outside_votes
from zoolens.catalog.output.figures import shown
from zoolens.catalog.release.gallery.images import Drawn, Scale, file_name
from zoolens.catalog.release.gallery.rows import Row, Rows
from zoolens.catalog.similarity.counterparts import Counterpart
from zoolens.catalog.store.facts import AnswerFacts

LONGEST = 400  # characters of a name; the rest is not shown
IN_A_ROW = ("count", "observed", "predicted", "lo", "hi", "ce")  # of an answer, in this order
_LEAST_OUTSIDE = 0.01  # votes: less is rounding


def galaxies_data(rows: Rows, drawn: Mapping[int, Drawn]) -> list[dict[str, Any]]:
    """All that the page shows of its galaxies, worst first.

    drawn: what was drawn of each, counterparts included. Fractions in 0..1, losses and
    similarities in nat, maps in units of the fraction; missing numbers are
    None, and infinite ones text, since JSON has no number for them. Addresses are relative
    to the page; `place` of a counterpart is its position in this list.
    """
    places = {row.galaxy_id: place for place, row in enumerate(rows.rows)}
    return [_galaxy(row, rows, drawn, places) for row in rows.rows]


def answer_choices(rows: Sequence[Row], tree: DecisionTree) -> list[dict[str, Any]]:
    """Questions and answers that galaxies stand for, with how many, in tree order."""
    counted = Counter(row.fact.label for row in rows)
    choices = [
        {
            "question": question.name,
            "galaxies": sum(counted[label] for label in question.labels),
            "answers": [
                {"answer": answer, "label": label, "galaxies": counted[label]}
                for answer, label in zip(question.answers, question.labels, strict=True)
                if counted[label]
            ],
        }
        for question in tree.questions
    ]
    return [choice for choice in choices if choice["galaxies"]]


def _galaxy(
    row: Row, rows: Rows, drawn: Mapping[int, Drawn], places: Mapping[int, int]
) -> dict[str, Any]:
    own = drawn[row.galaxy_id]
    return {
        "name": row.iauname,
        "shown": shown(row.iauname, LONGEST),
        "question": row.fact.question,
        "answer": row.fact.answer,
        "label": row.fact.label,
        "votes": _number(row.votes),
        "loss": _number(row.loss),
        **_numbers(row.fact),
        **_image(row.galaxy_id, own),
        "outline": _address(row.galaxy_id, "outline") if own.outlined else None,
        "map": None if own.scale is None else _map(row.galaxy_id, own.scale, own),
        "questions": [_question(row, question) for question in row.questions],
        "counterparts": [
            {
                "role": role,
                "shown": shown(other.iauname, LONGEST),
                "place": places.get(other.galaxy_id),
                **_target(other),
                **_numbers(rows.facts[other.galaxy_id][row.answer_id]),
                **_image(other.galaxy_id, drawn[other.galaxy_id]),
            }
            for role, other in _others(row)
        ],
        "notes": row.notes,
    }


def _others(row: Row) -> list[tuple[str, Counterpart]]:
    roles = (("observed", row.observed), ("predicted", row.predicted))
    return [(role, other) for role, other in roles if other is not None]


def _target(other: Counterpart) -> dict[str, Any]:
    """What the counterpart was to have of the answer, and how close it is."""
    if other.target is None:
        return {"asked": None, "close": None}
    target = other.target  # that the best is not close is among the notes
    return {"asked": _number(target.fraction), "close": target.words if target.close else None}


def _question(row: Row, question: str) -> dict[str, Any]:
    """A question that was put to a galaxy, and all of its answers.

    An answer is a list, since there are many: its name, then `IN_A_ROW`.
    """
    facts = [fact for fact in row.facts if fact.question == question]
    outside = outside_votes(Portrait(SELECTED, "", row.facts, None), question)
    return {
        "question": question,
        "total": _number(facts[0].total or 0),
        "outside": _number(outside) if outside > _LEAST_OUTSIDE else 0,
        "answers": [
            [fact.answer, *(_number(getattr(fact, name)) for name in IN_A_ROW)] for fact in facts
        ],
    }


def _numbers(fact: AnswerFacts) -> dict[str, float | str | None]:
    return {name: _number(getattr(fact, name)) for name in ("total", *IN_A_ROW)}


def _image(galaxy_id: int, drawn: Drawn) -> dict[str, str | None]:
    image = None if drawn.missing else _address(galaxy_id, "image")
    return {"image": image, "missing": drawn.missing}


def _map(galaxy_id: int, scale: Scale, own: Drawn) -> dict[str, Any]:
    # four significant digits, since a cell may hold little of a fraction
    numbers = {
        name: None if value is None else float(f"{value:.4g}")
        for name, value in vars(scale).items()
    }
    files = {w: _address(galaxy_id, w) for w in ("increase", "decrease")}
    return {
        "scale": numbers,
        "exact": own.exact,
        "baseline": _number(own.baseline),
        **files,
    }


def _address(galaxy_id: int, what: str) -> str:
    return f"images/{file_name(galaxy_id, what)}"


def _number(value: float | None) -> float | str | None:
    """A number to four digits after the point, as JSON can hold it."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return round(value, 4)
