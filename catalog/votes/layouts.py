"""The published layouts of vote tables: which columns hold which answer's votes.

GZ DECaLS (Walmsley et al. 2022) and those after it: `QUESTION_ANSWER` counts, with
`QUESTION_total-votes` and `QUESTION_ANSWER_fraction` beside them; the question may
carry its campaign, `how-rounded-dr5_round`. Those before it number their columns:
`catalog.votes.numbered`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree, Question, campaign_of, strip_campaign
from zoolens.catalog.errors import TableRefused, UnknownName, nearest
from zoolens.catalog.formats.identifiers import IDENTIFIER, identifier_columns
from zoolens.catalog.trees.published import TREE_NAMES, also_called, get_tree, own_suffix
from zoolens.catalog.trees.telling import best_fit, fit
from zoolens.catalog.votes.numbered import Numbered, numbered, only_weights

_NO_ANSWERS = ("", "total-votes", "nll")  # of a question; the last is a release's
_SUMS = ("total", "num", "number", "n", "count")
_POSITIONS = (("ra", "dec"), ("right_ascension", "declination"))


@dataclass(frozen=True)
class QuestionColumns:
    """Where a table holds the votes for one question.

    counts: the tree's answers, in tree order, None where the table lacks one.
    foreign: counts of answers that the tree does not have. fractions: by count
    column, the column that states its fraction. unknown: columns that might be answers, but
    have no fraction beside them to show it. of_total: whether the count columns hold fractions
    of the total instead.
    """

    question: Question
    counts: tuple[str | None, ...]
    foreign: tuple[str, ...] = ()
    total: str | None = None
    fractions: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    of_total: bool = False

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
    tree, by the campaign or question that they are of; guessed: those of them that are answers
    only if they hold whole numbers. also_called: trees that ask the same,
    where the columns do not say which campaign they are of.
    """

    tree: DecisionTree
    identifier: str
    position: tuple[str, str] | None
    image: str | None
    questions: tuple[QuestionColumns, ...]
    incomplete: tuple[QuestionColumns, ...]
    weighted: bool
    unread: Mapping[str, tuple[str, ...]]
    also_called: tuple[str, ...] = ()
    guessed: frozenset[str] = frozenset()

    @property
    def columns(self) -> list[str]:
        """All columns that are read, or counted to say what was not."""
        single = [*self.identifier.split(","), *(self.position or ()), self.image]
        for question in self.incomplete:
            single += [*question.found, *question.unknown]
        for names in self.unread.values():
            single += names
        for question in self.questions:
            single += [*question.found, *question.foreign, *question.unknown, question.total]
            single += question.fractions.values()
        return list(dict.fromkeys(name for name in single if name is not None))

    @property
    def notes(self) -> list[str]:
        """What was told from the columns, and might be told otherwise, one sentence each."""
        said = []
        if self.also_called:
            names = " and ".join(self.also_called)
            said.append(f"no column names a campaign: {names} ask what {self.tree.name} asks")
        if self.identifier != IDENTIFIER:
            said.append(f"galaxies are named by {self.identifier}")
        return said

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
    weighted = weighted or only_weights(columns)
    by_number = numbered(columns, weighted)
    known = {column: column for column in columns} | dict(by_number.names)
    candidates = trees_to_try(tree, prefer)
    try:
        best = best_fit(str(source), [fit(each, known) for each in candidates], prefer)
    except UnknownName as error:
        raise TableRefused(str(error)) from None
    found = [_question(source, best.tree, question, known) for question in best.tree.questions]
    if by_number.fractions:
        numbers = set(by_number.names.values())
        found = [replace(q, of_total=bool(numbers & set(q.found))) for q in found]
    questions = tuple(q for q in found if not q.missing)
    if not questions:
        looked_for = list(best.tree.labels[:2])
        if any(candidate.name == "gz2" for candidate in candidates):
            looked_for.append(
                f"t01_smooth_or_features_a01_smooth_{'weight' if weighted else 'count'}"
            )
        raise TableRefused(_not_understood(source, best.tree, found, known, looked_for))
    incomplete = tuple(q for q in found if q.missing and q.found)
    unread, guessed = _unread(columns, found, by_number)
    return Layout(
        best.tree,
        identifier_columns(source, columns, identifier),
        position_columns(columns),
        "file_loc" if "file_loc" in columns else None,
        questions,
        incomplete,
        weighted,
        unread,
        also_called(best.tree) if tree is None and not any(map(campaign_of, best.read)) else (),
        guessed,
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
        known.get(total),
        stated,
        tuple(unknown),
    )


def _is_answer(column: str) -> bool:
    """Whether a column QUESTION_… can be an answer: those have no "_", statistics of them do."""
    rest = column.partition("_")[2]
    return rest not in _NO_ANSWERS and "_" not in rest and not rest.endswith("-conf")


def _unread(
    columns: Sequence[str], found: Sequence[QuestionColumns], by_number: Numbered
) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
    """Columns that look like votes on answers, and are none of the tree's.

    Those of a question that some tree asks, of whatever campaign, or with a fraction beside them;
    and, if they turn out to hold whole numbers (the second result), several with one beginning.
    By the campaign that they say, else by question.
    """
    used = {name for q in found for name in (*q.found, *q.foreign, *q.unknown)}
    asked = {strip_campaign(q.name) for name in TREE_NAMES for q in get_tree(name).questions}
    others = [column for column in columns if column not in used and _is_answer(column)]
    alike = Counter(column.partition("_")[0] for column in others)
    groups: dict[str, list[str]] = {}
    guessed = set()
    if by_number.others and not by_number.fractions:
        groups["numbered tasks"] = list(by_number.others)
    for column in others:
        question = strip_campaign(column).partition("_")[0]
        sure = question in asked or f"{column}_fraction" in columns
        sure = sure or any(question.startswith(f"{name}-") for name in asked)
        if sure or (alike[column.partition("_")[0]] > 1 and question not in _SUMS):
            campaign = campaign_of(column)
            of = f"campaign {campaign}" if campaign else f"question {question}"
            groups.setdefault(of, []).append(column)
            if not sure:
                guessed.add(of)
    return {of: tuple(names) for of, names in groups.items()}, frozenset(guessed)


def _not_understood(
    source: Path,
    tree: DecisionTree,
    found: Sequence[QuestionColumns],
    known: Mapping[str, str],
    looked_for: Sequence[str],
) -> str:
    others = [fit(get_tree(name), known) for name in TREE_NAMES if name != tree.name]
    fitting = max(others, key=lambda other: (len(other.read), -other.unasked))
    if fitting.read:
        return (
            f"{source} has no question of tree {tree.name}; its columns are those of "
            f"{fitting.tree.name}"
        )
    partial = [label for question in found if question.found for label in question.missing]
    if partial:
        return (
            f"{source} has no question of tree {tree.name} with all its answers; it lacks "
            f"{', '.join(partial[:3])}; choose another --tree if the votes are of another campaign"
        )
    near = dict.fromkeys(nearest(name, list(known), 1) for name in looked_for)
    return (
        f"{source} has no vote counts of a decision tree; looked for {', '.join(looked_for)}, …; "
        f"nearest columns: {', '.join(near)}"
    )
