"""Several trees in one head: all their columns, as GZ Evo's models have them."""

from collections.abc import Sequence

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.trees.published import own_suffix


def joint_tree(trees: Sequence[DecisionTree]) -> DecisionTree:
    """The tree of a head that answers several, each question once; of one tree, that itself.

    Its questions are named as a model's columns, with the campaign (`bar-gz2`, `bar-dr5`), so
    that trees share a question only if their columns are the same. Raises `CatalogError` if two
    trees give one question other answers.
    """
    distinct = list(dict.fromkeys(trees))
    if len(distinct) == 1:
        return distinct[0]
    questions: dict[str, Question] = {}
    owner: dict[str, str] = {}
    for tree in distinct:
        for question in tree.questions:
            own = _as_columns(tree, question)
            found = questions.setdefault(own.name, own)
            owner.setdefault(own.name, tree.name)
            if set(found.answers) != set(own.answers):
                raise CatalogError(
                    f"trees {owner[own.name]} and {tree.name} give the question {own.name} other "
                    "answers, which one head cannot have; train on their catalogues apart"
                )
    return DecisionTree("+".join(tree.name for tree in distinct), tuple(questions.values()))


def columns_in(joint: DecisionTree, tree: DecisionTree) -> Ids:
    """Where the A answers of a tree stand among those of a `joint_tree` of it, (A,)."""
    if joint == tree:
        return np.arange(len(tree.labels))
    position = {label: place for place, label in enumerate(joint.labels)}
    return np.array([position[label] for label in column_labels(tree)])


def column_labels(tree: DecisionTree) -> list[str]:
    """The A labels as the columns of a model of this tree: `bar_no` of gzd5 is `bar-dr5_no`."""
    return [label for question in tree.questions for label in _as_columns(tree, question).labels]


def _as_columns(tree: DecisionTree, question: Question) -> Question:
    """A question and what leads to it, named as a model's columns."""
    suffix = own_suffix(tree)

    def named(label: str) -> str:
        name, _, answer = label.partition("_")
        return f"{name}{suffix}_{answer}"

    return Question(
        question.name + suffix, question.answers, tuple(map(named, question.asked_after))
    )
