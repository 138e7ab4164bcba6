"""The published layouts of vote tables: which columns hold which answer's votes.

GZ DECaLS (Walmsley et al. 2022): `QUESTION_ANSWER` counts, with
`QUESTION_total-votes` and `QUESTION_ANSWER_fraction` beside them; the question may
carry its campaign, `how-rounded-dr5_round`. Galaxy Zoo 2 (Willett et al. 2013,
table 5): `tNN_question_aNN_answer_count`, or `_weight` for votes weighted by the volunteers'
consistency; its fractions are of the weights before they were rounded, and are not read.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoolens.catalog.decision_tree import CAMPAIGN, TREE_NAMES, DecisionTree, Question, get_tree
from zoolens.catalog.errors import TableRefused, nearest

IDENTIFIER = "iauname"
_OTHER_IDENTIFIERS = ("objid", "dr7objid", "id_str", "subject_id", "id")

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

    questions: those of the tree with all their answers in the table, in tree order;
    incomplete: those with only some, which cannot be used. position and image: the
    columns of coordinates and image paths, None if there are none. weighted: whether
    fractional counts are allowed.
    """

    tree: DecisionTree
    identifier: str
    position: tuple[str, str] | None
    image: str | None
    questions: tuple[QuestionColumns, ...]
    incomplete: tuple[QuestionColumns, ...]
    weighted: bool

    @property
    def columns(self) -> list[str]:
        """All columns that are read."""
        single = [self.identifier, *(self.position or ()), self.image]
        for question in self.questions:
            single += [*question.found, *question.foreign, question.total]
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

    Without `tree`, the tree is the one with most of its answers among the columns; among
    equals it is `prefer` (the catalogue's tree), then the first of gzd5, gzd8, gzd12, gz2.
    A column with a campaign suffix counts only for the tree of that campaign. A table of
    Galaxy Zoo 2 with only weighted votes is read as `weighted`. `source` is for messages.
    Raises `TableRefused`, naming what was looked for and the nearest
    columns, and `UnknownName` for the tree.
    """
    weighted = weighted or _only_weights(columns)
    candidates = trees_to_try(tree, prefer)
    readings = [
        (candidate, found)
        for candidate in candidates
        for found in (_decals(source, candidate, columns), _gz2(candidate, columns, weighted))
    ]
    best, found = max(readings, key=lambda reading: sum(len(q.found) for q in reading[1]))
    questions = tuple(q for q in found if not q.missing)
    if not questions:
        gz2 = any(candidate.name == "gz2" for candidate in candidates)
        example = f"t01_smooth_or_features_a01_smooth_{'weight' if weighted else 'count'}"
        looked_for = [*best.labels[:2], *([example] if gz2 else [])]
        raise TableRefused(_not_understood(source, best, found, columns, looked_for))
    return Layout(
        best,
        identifier_column(source, columns, identifier),
        next((pair for pair in (("ra", "dec"), ("RA", "DEC")) if set(pair) <= set(columns)), None),
        "file_loc" if "file_loc" in columns else None,
        questions,
        tuple(q for q in found if q.missing and q.found),
        weighted,
    )


def trees_to_try(tree: str | None, prefer: DecisionTree | None) -> list[DecisionTree]:
    """The trees that a table may be of: the one named, or all, `prefer` first."""
    if tree is not None:
        return [get_tree(tree)]
    own = [] if prefer is None else [prefer]
    return own + [get_tree(n) for n in TREE_NAMES if prefer is None or n != prefer.name]


def _decals(source: Path, tree: DecisionTree, columns: Iterable[str]) -> list[QuestionColumns]:
    known = set(columns)
    found = []
    for question in tree.questions:
        names = [question.name]
        if tree.name in CAMPAIGN:
            names.append(f"{question.name}-{CAMPAIGN[tree.name]}")
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
            if column.startswith(f"{name}_")
            and f"{column}_fraction" in known
            and column not in counts
        )
        stated = {c: f"{c}_fraction" for c in [*counts, *foreign] if f"{c}_fraction" in known}
        total = f"{name}_total-votes"
        # answers contain no "_", statistics of them do
        unknown = sorted(
            column
            for column in known - {*counts, *foreign, total}
            if column.startswith(f"{name}_")
            and "_" not in column.removeprefix(f"{name}_")
            and not column.endswith("-conf")
        )
        found.append(
            QuestionColumns(
                question,
                tuple(count if count in known else None for count in counts),
                tuple(foreign),
                total if total in known else None,
                stated,
                tuple(unknown),
            )
        )
    return found


def _gz2(tree: DecisionTree, columns: Iterable[str], weighted: bool) -> list[QuestionColumns]:
    if tree.name != "gz2":
        return []
    kind = "weight" if weighted else "count"
    by_number: dict[tuple[int, int], str] = {}
    for column in columns:
        match = _GZ2_COLUMN.fullmatch(column)
        if match is not None and match[3] == kind:
            by_number[int(match[1]), int(match[2])] = column
    found = []
    for question in tree.questions:
        task, answers = _GZ2_NUMBERS[question.name]
        counts = tuple(by_number.get((task, answer)) for answer in answers)
        # the fractions beside them are of other numbers, votes weighted by consistency and not
        # rounded: they contradict nothing
        found.append(QuestionColumns(question, counts))
    return found


def _only_weights(columns: Iterable[str]) -> bool:
    """Whether a table of Galaxy Zoo 2 has weighted votes and no others."""
    kinds = {match[3] for column in columns if (match := _GZ2_COLUMN.fullmatch(column))}
    return kinds == {"weight"}


def identifier_column(source: Path, columns: Sequence[str], asked: str | None) -> str:
    """The column of identifiers: `asked`, or `iauname` if that is None.

    Raises `TableRefused`, naming likely columns, if the table does not have it.
    """
    wanted = asked or IDENTIFIER
    if wanted in columns:
        return wanted
    likely = [name for name in _OTHER_IDENTIFIERS if name in columns]
    near = ", ".join(likely) or nearest(wanted, list(columns))
    raise TableRefused(
        f"{source} has no identifier column {wanted!r}; name one with --id; nearest: {near}"
    )


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
