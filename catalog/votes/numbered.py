"""Tables whose columns number their tasks and answers: GZ2's, GZ Hubble's and GZ CANDELS' own.

Galaxy Zoo 2 (Willett et al. 2013, table 5): `tNN_question_aNN_answer_count`, or `_weight` for
votes weighted by the volunteers' consistency; answers are numbered onwards from task to task, and
fractions are of the weights before they were rounded. Galaxy Zoo Hubble (Willett et al. 2017,
table 7) has the same, and numbers the answers of each task from 1. Galaxy Zoo CANDELS (Simmons et
al. 2017, table 2): `tNN_question_aN_answer_frac`, fractions of `tNN_question_count`, from 0.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zoolens.catalog.trees.published import get_tree

_NUMBERED = re.compile(r"t(\d\d)_\w+?_a(\d\d?)_(?!\w*weighted)\w+?_(count|weight|frac)")
_TOTAL = re.compile(r"t(\d\d)_(?!\w+_a\d)\w+?_count")

_Numbers = Mapping[str, tuple[int, tuple[int, ...]]]
# By tree: task and answer numbers of its questions, the answers in tree order.
_GZ2: _Numbers = {
    "smooth-or-featured": (1, (1, 2, 3)),
    "disk-edge-on": (2, (4, 5)),
    "has-spiral-arms": (4, (8, 9)),
    "bar": (3, (6, 7)),
    "bulge-size": (5, (13, 12, 11, 10)),
    "something-odd": (6, (14, 15)),
    "how-rounded": (7, (16, 17, 18)),
    "bulge-shape": (9, (25, 26, 27)),
    "spiral-winding": (10, (28, 29, 30)),
    "spiral-arm-count": (11, (31, 32, 33, 34, 36, 37)),
    "odd-feature": (8, (19, 20, 21, 22, 23, 24, 38)),
}
_HUBBLE: _Numbers = {
    "smooth-or-featured": (1, (1, 2, 3)),
    "how-rounded": (7, (1, 2, 3)),
    "clumpy-appearance": (12, (1, 2)),
    "disk-edge-on": (2, (1, 2)),
    "bulge-shape": (9, (1, 2, 3)),
    "bar": (3, (1, 2)),
    "has-spiral-arms": (4, (1, 2)),
    "spiral-winding": (10, (1, 2, 3)),
    "spiral-arm-count": (11, (1, 2, 3, 4, 5, 6)),
    "bulge-size": (5, (1, 2, 3, 4)),
    "galaxy-symmetrical": (17, (1, 2)),
    "clumps-embedded-larger-object": (18, (1, 2)),
}
_CANDELS: _Numbers = {
    "smooth-or-featured": (0, (0, 1, 2)),
    "how-rounded": (1, (0, 1, 2)),
    "clumpy-appearance": (2, (0, 1)),
    "disk-edge-on": (9, (0, 1)),
    "edge-on-bulge": (10, (0, 1)),
    "bar": (11, (0, 1)),
    "has-spiral-arms": (12, (0, 1)),
    "spiral-winding": (13, (0, 1, 2)),
    "spiral-arm-count": (14, (0, 1, 2, 3, 4, 5)),
    "bulge-size": (15, (0, 1, 2)),
    "merging": (16, (0, 1, 2, 3)),
}


@dataclass(frozen=True)
class Numbered:
    """The numbered columns of a table.

    names: columns, by the names that a table of their tree gives them, `bar-gz2_yes`, totals
    among them; others: those of tasks or answers that the tree does not have; fractions: whether
    they hold fractions of their question's total.
    """

    names: Mapping[str, str]
    others: tuple[str, ...]
    fractions: bool = False


def numbered(columns: Iterable[str], weighted: bool) -> Numbered:
    """The numbered columns of a table: counts, or if `weighted` weights, or else fractions."""
    columns = list(columns)
    found: dict[str, dict[tuple[int, int], str]] = {"count": {}, "weight": {}, "frac": {}}
    for column in columns:
        if match := _NUMBERED.fullmatch(column):
            found[match[3]][int(match[1]), int(match[2])] = column
    kind = "weight" if weighted else "count"
    by_number = found[kind]
    if by_number:
        of_gz2 = {(task, answer) for task, answers in _GZ2.values() for answer in answers}
        if by_number.keys() <= of_gz2:
            return _named("gz2", "-gz2", _GZ2, by_number)
        return _named("hubble", "-hubble", _HUBBLE, by_number)
    totals = {int(m[1]): column for column in columns if (m := _TOTAL.fullmatch(column))}
    stated = {number: c for number, c in found["frac"].items() if number[0] in totals}
    if weighted or not stated:
        return Numbered({}, ())
    read = _named("candels", "-candels", _CANDELS, stated)
    total_of = {
        f"{question}-candels_total-votes": totals[task]
        for question, (task, _) in _CANDELS.items()
        if task in totals
    }
    return Numbered({**read.names, **total_of}, read.others, fractions=True)


def _named(
    tree: str, suffix: str, numbers: _Numbers, by_number: Mapping[tuple[int, int], str]
) -> Numbered:
    names = {
        f"{question.name}{suffix}_{answer}": by_number[task, number]
        for question in get_tree(tree).questions
        for task, of_task in [numbers[question.name]]
        for answer, number in zip(question.answers, of_task, strict=True)
        if (task, number) in by_number
    }
    used = set(names.values())
    return Numbered(names, tuple(column for column in by_number.values() if column not in used))


def only_weights(columns: Iterable[str]) -> bool:
    """Whether a table has numbered columns of weighted votes and none of others."""
    return {m[3] for c in columns if (m := _NUMBERED.fullmatch(c))} - {"frac"} == {"weight"}
