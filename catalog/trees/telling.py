"""Which tree columns are of, without guessing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from zoolens.catalog.decision_tree import DecisionTree, campaign_of
from zoolens.catalog.errors import UnknownName, few
from zoolens.catalog.trees.published import TREE_NAMES, get_tree, own_suffix, suffixes


@dataclass(frozen=True)
class Fit:
    """How a tree fits some columns.

    read: columns of its complete questions; part: columns of those that lack an answer; unasked:
    how many questions it has beyond the complete ones; suffixed: whether the columns say their
    campaign.
    """

    tree: DecisionTree
    read: frozenset[str]
    part: frozenset[str]
    unasked: int

    @property
    def suffixed(self) -> bool:
        return bool(self.read) and all(campaign_of(column) for column in self.read)


def fit(tree: DecisionTree, columns: Collection[str]) -> Fit:
    """How a tree fits columns named QUESTION_ANSWER, with its own suffix or without."""
    known = set(columns)
    read: set[str] = set()
    part: set[str] = set()
    unasked = 0
    for question in tree.questions:
        named = [
            [f"{question.name}{suffix}_{answer}" for answer in question.answers]
            for suffix in dict.fromkeys((own_suffix(tree), ""))
        ]
        best = max(named, key=lambda labels: len(known & set(labels)))
        whole = known >= set(best)
        (read if whole else part).update(known & set(best))
        unasked += not whole
    return Fit(tree, frozenset(read), frozenset(part), unasked)


def rows_of(labels: Sequence[str], tree: DecisionTree) -> list[int | None]:
    """The place of each of a tree's A answers among the labels of a model.

    Labels of the tree's own campaign count first (`-dr5` for gzd5), then those without campaign
    (GZ DESI), then those of the campaign that asked the same questions (dr8 for gzd5, dr5 for
    gzd8): one of these for the whole tree, never a mixture. None for all answers of a question
    that lacks one.
    """
    position = {label: row for row, label in enumerate(labels)}
    for suffix in suffixes(tree):
        rows: list[int | None] = []
        for question in tree.questions:
            found = [position.get(f"{question.name}{suffix}_{a}") for a in question.answers]
            rows += [None] * len(found) if None in found else found
        if any(row is not None for row in rows):
            return rows
    return [None] * len(tree.labels)


def best_fit(source: str, fits: Sequence[Fit], prefer: DecisionTree | None) -> Fit:
    """The tree that reads most columns; among equals `prefer`, or the one that is read whole.

    Trees with the same questions are one, and so are trees of several campaigns with the same
    questions for the columns there are: the first, and the smallest, stands for them. Raises
    `UnknownName`, naming them, if others fit alike.
    """
    most = max((len(fit.read), len(fit.part)) for fit in fits)
    best = [fit for fit in fits if (len(fit.read), len(fit.part)) == most]
    if prefer is not None and (own := [fit for fit in best if fit.tree == prefer]):
        return own[0]
    best = [fit for fit in best if not fit.unasked] or best
    distinct = {fit.tree.questions: fit for fit in reversed(best)}
    best = [fit for fit in best if distinct[fit.tree.questions] is fit]
    if not most[0] or len(best) == 1:
        return best[0]
    if best[0].suffixed:
        largest_first = sorted(best, key=lambda fit: -len(fit.tree.labels))
        smallest = {_asked(fit): fit for fit in largest_first}.values()
        best = [fit for fit in best if fit in smallest]
        if len(best) == 1:
            return best[0]
    names = ", ".join(fit.tree.name for fit in best)
    raise UnknownName(f"{source} fits the trees {names} alike; choose one with --tree")


def _asked(fit: Fit) -> frozenset[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """The questions that are read, and all that lead to them, named by campaign."""
    suffix = own_suffix(fit.tree)

    def named(label: str) -> str:
        question, _, answer = label.rpartition("_")
        return f"{question}{suffix}_{answer}"

    questions = {question.name: question for question in fit.tree.questions}
    wanted = [q.name for q in questions.values() if fit.read & set(map(named, q.labels))]
    found: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {}
    while wanted:
        question = questions[wanted.pop()]
        if question.name not in found:
            parents = tuple(map(named, question.asked_after))
            found[question.name] = (question.name + suffix, question.answers, parents)
            wanted += [label.rpartition("_")[0] for label in question.asked_after]
    return frozenset(found.values())


def whole_trees(labels: Collection[str]) -> list[DecisionTree]:
    """The known trees all of whose columns are among a model's labels, which may be of several.

    Those that are part of another one are left out, and of trees with the same columns all but
    the first.
    """
    fits = [fit(get_tree(name), labels) for name in TREE_NAMES]
    whole = [one for one in fits if not one.unasked]
    largest = {one.read: one.tree for one in reversed(whole)}
    return [
        one.tree
        for one in whole
        if largest[one.read] is one.tree and not any(one.read < other for other in largest)
    ]


def tree_of(
    labels: Collection[str], *, source: str, tree: str | None = None, whole: bool = False
) -> DecisionTree:
    """The tree of a model's or a table's labels, QUESTION_ANSWER, suffixed or not.

    tree: the name or file of the one it is to be; a table may then have single answers of it.
    whole: the tree has to have all the labels, as a model is of one tree. Raises `UnknownName` if
    no tree, or more than one, fits; source is for messages.
    """
    candidates = [get_tree(tree)] if tree else [get_tree(name) for name in TREE_NAMES]
    found = best_fit(source, [fit(candidate, labels) for candidate in candidates], None)
    if found.part and not found.read:
        if tree:
            return found.tree
        raise UnknownName(
            f"{source} has single answers of questions, {few(sorted(found.part))}, which do not "
            "tell their tree: name it with --tree"
        )
    if not found.read:
        of = f"tree {tree}" if tree else "any known tree"
        raise UnknownName(
            f"{source} answers no question of {of}; it has {few(list(labels))}; give a file of its "
            "tree, --tree NAME.yaml"
        )
    others = [label for label in labels if label not in found.read]
    if whole and tree is None and others:
        several = [known.name for known in whole_trees(labels)]
        if len(several) > 1:
            raise UnknownName(
                f"{source} answers the questions of several trees, {few(several)}; choose one with "
                f"--tree {several[0]}"
            )
        raise UnknownName(
            f"{source} answers questions of tree {found.tree.name} and others, {few(others)}; "
            "give a file of its own tree, --tree NAME.yaml"
        )
    return found.tree
