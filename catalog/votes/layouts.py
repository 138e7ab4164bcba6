"""The published layouts of vote tables: which columns hold which answer's votes.

GZ DECaLS (Walmsley et al. 2022) and those after it: `QUESTION_ANSWER` counts, with
`QUESTION_total-votes` and `QUESTION_ANSWER_fraction` beside them; the question may
carry its campaign, `how-rounded-dr5_round`. Galaxy Zoo 2 (Willett et al. 2013,
table 5): `tNN_question_aNN_answer_count`, or `_weight` for votes weighted by the volunteers'
consistency; its fractions are of the weights before they were rounded, and are not read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree, Question, campaign_of, strip_campaign
from zoolens.catalog.errors import TableRefused, UnknownName, nearest
from zoolens.catalog.formats.identifiers import identifier_columns
from zoolens.catalog.trees.published import TREE_NAMES, get_tree, own_suffix
from zoolens.catalog.trees.telling import best_fit, fit

_POSITIONS = (("ra", "dec"), ("right_ascension", "declination"))

# Task and answer numbers of Galaxy Zoo 2 (Willett et al. 2013, table 2), in tree order.
_GZ2_NUMBERS: dict[str, tuple[int, tuple[int, ...]]] = {
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
_GZ2_COLUMN = re.compile(r"t(\d\d)_\w+?_a(\d\d)_\w+?_(count|weight)")


@dataclass(frozen=True)
class QuestionColumns:
    """Where a table holds the votes for one question.

    counts: the tree's answers, in tree order, None where the table lacks one.
    foreign: counts of answers that the tree does not have. fractions: by count
    column, the column that states its fraction. unknown: columns that might be answers, but
    have no fraction beside them to show it.
    """

    question: Question
    counts: tuple[str | None, ...]
    foreign: tuple[str, ...] = ()
    total: str | None = None
    fractions: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Labels of the tree that have no column."""
        pairs = zip(self.question.labels, self.counts, strict=True)
        return tuple(label for label, column in pairs if column is None)

    @property
    def found(self) -> tuple[str, ...]:
        """The count columns of the tree's answers."""
        return tuple(column for column in self.counts if column is not None)


@dataclass(frozen=True)
class Layout:
    """How to read one vote table.

    identifier: the column that names the galaxy, or several, joined by commas. questions: those
    of the tree with all their answers in the table, in tree order;
    incomplete: those with only some, which cannot be used. position and image: the
    columns of coordinates and image paths, None if there are none. weighted: whether
    fractional counts are allowed. unread: columns that look like answers and are not of the
    tree, by the campaign or question that they are of.
    """

    tree: DecisionTree
    identifier: str
    position: tuple[str, str] | None
    image: str | None
    questions: tuple[QuestionColumns, ...]
    incomplete: tuple[QuestionColumns, ...]
    weighted: bool
    unread: Mapping[str, tuple[str, ...]]

    @property
    def columns(self) -> list[str]:
        """All columns that are read, or counted to say what was not."""
        single = [*self.identifier.split(","), *(self.position or ()), self.image]
        for question in self.incomplete:
            single += question.found
        for names in self.unread.values():
            single += names
        for question in self.questions:
            single += [*question.found, *question.foreign, *question.unknown, question.total]
            single += question.fractions.values()
        return list(dict.fromkeys(name for name in single if name is not None))

    @property
    def unasked(self) -> tuple[str, ...]:
        """Questions of the tree for which this table has no usable votes."""
        asked = {found.question.name for found in self.questions}
        return tuple(q.name for q in self.tree.questions if q.name not in asked)


def recognise(
    source: Path,
    columns: Sequence[str],
    *,
    tree: str | None = None,
    prefer: DecisionTree | None = None,
    identifier: str | None = None,
    weighted: bool = False,
) -> Layout:
    """The layout of a table with these columns.

    tree: the name or the file of the tree (`catalog.trees.get_tree`). Without it, the tree is the
    one with most of its answers among the columns; among equals it is `prefer` (the catalogue's
    tree), or the one of which no question is missing (`catalog.trees.best_fit`).
    A column with a campaign suffix counts only for a tree of that campaign. A table of
    Galaxy Zoo 2 with only weighted votes is read as `weighted`. identifier: see
    `identifier_columns`. `source` is for messages. Raises `TableRefused`, naming what was looked
    for and the nearest columns, and `UnknownName` for the tree, or if several fit alike.
    """
    weighted = weighted or _only_weights(columns)
    known = {column: column for column in columns} | _numbered(columns, weighted)
    candidates = trees_to_try(tree, prefer)
    try:
        best = best_fit(str(source), [fit(each, known) for each in candidates], prefer)
    except UnknownName as error:
        raise TableRefused(str(error)) from None
    found = [_question(source, best.tree, question, known) for question in best.tree.questions]
    questions = tuple(q for q in found if not q.missing)
    if not questions:
        looked_for = list(best.tree.labels[:2])
        if any(candidate.name == "gz2" for candidate in candidates):
            looked_for.append(
                f"t01_smooth_or_features_a01_smooth_{'weight' if weighted else 'count'}"
            )
        raise TableRefused(_not_understood(source, best.tree, found, columns, looked_for))
    incomplete = tuple(q for q in found if q.missing and q.found)
    return Layout(
        best.tree,
        identifier_columns(source, columns, identifier),
        position_columns(columns),
        "file_loc" if "file_loc" in columns else None,
        questions,
        incomplete,
        weighted,
        _unread(columns, found, best.tree),
    )


def trees_to_try(tree: str | None, prefer: DecisionTree | None) -> list[DecisionTree]:
    """The trees that a table may be of: the one named, or all, `prefer` first."""
    if tree is not None:
        return [prefer] if prefer is not None and tree == prefer.name else [get_tree(tree)]
    own = [] if prefer is None else [prefer]
    return own + [get_tree(n) for n in TREE_NAMES if prefer is None or n != prefer.name]


def position_columns(columns: Sequence[str]) -> tuple[str, str] | None:
    """The columns of right ascension and declination, in whatever case; None if there are none."""
    for names in _POSITIONS:
        for spelt in (str.lower, str.upper, str.title, str.capitalize):
            pair = spelt(names[0]), spelt(names[1])
            if set(pair) <= set(columns):
                return pair
        ra, dec = ([c for c in columns if c.lower() == name] for name in names)
        if len(ra) == len(dec) == 1:
            return ra[0], dec[0]
    return None


def _question(
    source: Path, tree: DecisionTree, question: Question, known: Mapping[str, str]
) -> QuestionColumns:
    """The columns of a question; known: the columns of the table, by their names in the tree."""
    names = dict.fromkeys((question.name, question.name + own_suffix(tree)))
    spelt = [n for n in names if any(f"{n}_{answer}" in known for answer in question.answers)]
    if len(spelt) > 1:
        raise TableRefused(
            f"{source} has both {spelt[0]} and {spelt[1]} columns; leave one of them out"
        )
    name = spelt[0] if spelt else question.name
    counts = [f"{name}_{answer}" for answer in question.answers]
    # a column is an answer outside the tree if it has a fraction beside it
    foreign = sorted(
        column
        for column in known
        if column.startswith(f"{name}_") and f"{column}_fraction" in known and column not in counts
    )
    stated = {c: f"{c}_fraction" for c in [*counts, *foreign] if f"{c}_fraction" in known}
    total = f"{name}_total-votes"
    unknown = sorted(
        column
        for column in known.keys() - {*counts, *foreign, total}
        if column.startswith(f"{name}_") and _is_answer(column)
    )
    return QuestionColumns(
        question,
        tuple(known.get(count) for count in counts),
        tuple(foreign),
        total if total in known else None,
        stated,
        tuple(unknown),
    )


def _is_answer(column: str) -> bool:
    """Whether a column QUESTION_… can be an answer: those have no "_", statistics of them do."""
    rest = column.partition("_")[2]
    return rest not in ("", "total-votes") and "_" not in rest and not rest.endswith("-conf")


def _unread(
    columns: Sequence[str], found: Sequence[QuestionColumns], tree: DecisionTree
) -> dict[str, tuple[str, ...]]:
    """Columns that look like votes on answers, and are none of the tree's.

    Those of a question that some tree asks, or with a fraction beside them. By the campaign that
    they say, else by question.
    """
    used = {name for q in found for name in (*q.found, *q.foreign, *q.unknown)}
    asked = {strip_campaign(q.name) for name in TREE_NAMES for q in get_tree(name).questions}
    groups: dict[str, list[str]] = {}
    for column in columns:
        question = strip_campaign(column).partition("_")[0]
        beside = f"{column}_fraction" in columns
        if column not in used and _is_answer(column) and (question in asked or beside):
            campaign = campaign_of(column)
            of = f"campaign {campaign}" if campaign else f"question {question}"
            groups.setdefault(of, []).append(column)
    return {of: tuple(names) for of, names in groups.items()}


def _numbered(columns: Iterable[str], weighted: bool) -> dict[str, str]:
    """Columns of Galaxy Zoo 2's own table, by their names in its tree."""
    kind = "weight" if weighted else "count"
    by_number: dict[tuple[int, int], str] = {}
    for column in columns:
        match = _GZ2_COLUMN.fullmatch(column)
        if match is not None and match[3] == kind:
            by_number[int(match[1]), int(match[2])] = column
    if not by_number:
        return {}
    # the fractions beside them are of other numbers, votes weighted by consistency and not
    # rounded: they contradict nothing
    return {
        f"{question.name}-gz2_{answer}": by_number[task, number]
        for question in get_tree("gz2").questions
        for task, numbers in [_GZ2_NUMBERS[question.name]]
        for answer, number in zip(question.answers, numbers, strict=True)
        if (task, number) in by_number
    }


def _only_weights(columns: Iterable[str]) -> bool:
    """Whether a table of Galaxy Zoo 2 has weighted votes and no others."""
    kinds = {match[3] for column in columns if (match := _GZ2_COLUMN.fullmatch(column))}
    return kinds == {"weight"}


def _not_understood(
    source: Path,
    tree: DecisionTree,
    found: Sequence[QuestionColumns],
    columns: Sequence[str],
    looked_for: Sequence[str],
) -> str:
    partial = [label for question in found if question.found for label in question.missing]
    if partial:
        return (
            f"{source} has no question of tree {tree.name} with all its answers; it lacks "
            f"{', '.join(partial[:3])}; choose another --tree if the votes are of another campaign"
        )
    near = dict.fromkeys(nearest(name, list(columns), 1) for name in looked_for)
    return (
        f"{source} has no vote counts of a decision tree; looked for {', '.join(looked_for)}, …; "
        f"nearest columns: {', '.join(near)}"
    )
