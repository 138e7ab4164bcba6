"""The selection: which galaxies get more votes, within a budget and quotas."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.selection.acquisition import Scores


@dataclass(frozen=True)
class Pick:
    """A galaxy, the number of the question that it is picked for, and its score, nat.

    by_quota: whether it fills the quota of that question; otherwise the score is of all
    questions, and the question the one that contributes most to it.
    """

    galaxy_id: int
    question: int
    score: float
    by_quota: bool


def read_quotas(given: Sequence[str], tree: DecisionTree, budget: int) -> dict[str, int]:
    """Galaxies by question, from texts such as `bar=100`, in the order given.

    Raises `UnknownName` for a question that the tree does not have, `CatalogError` for
    a text of another form, a question twice, and quotas that exceed the budget.
    """
    names = [question.name for question in tree.questions]
    quotas: dict[str, int] = {}
    for text in given:
        question, _, count = text.rpartition("=")
        if not question or not (count.isascii() and count.isdigit()) or int(count) < 1:
            raise CatalogError(f"no quota {text!r}; write QUESTION=N, such as {names[0]}=100")
        question = names[tree.question_id(question)]
        if question in quotas:
            raise CatalogError(f"two quotas for {question}; give one")
        quotas[question] = int(count)
    if sum(quotas.values()) > budget:
        raise CatalogError(
            f"the quotas are {sum(quotas.values()):,} galaxies, above the budget of {budget:,}"
        )
    return quotas


def choose(
    scores: Scores,
    budget: int,
    quotas: Mapping[str, int],
    tree: DecisionTree,
    use: Callable[[Sequence[Pick]], Iterator[bool]],
) -> list[Pick]:
    """The galaxies of a selection, none twice: quota by quota, then the best of all.

    Each quota takes the galaxies that are worth most on its question, of those with an
    image that no quota before it took; the rest of the budget, with what a quota could
    not fill, goes to those worth most on all questions. Equals go by name; galaxies
    worth nothing are not selected. use: takes picks in order and says of each whether it can
    be used. It is only asked until there are enough; the next best replaces one that cannot
    be used.
    """
    names = [question.name for question in tree.questions]
    tried = ~scores.has_image
    chosen: list[Pick] = []
    for name in [*quotas, None]:
        values = np.where(tried, 0.0, scores.total if name is None else scores.of[name])
        order = np.argsort(-values, kind="stable")[: np.count_nonzero(values > 0)]
        most = len(chosen) + quotas[name] if name is not None else budget
        start, size = 0, most - len(chosen)
        while len(chosen) < most and start < len(order):
            block = order[start : start + size]
            picks = [
                Pick(
                    int(scores.galaxy_id[i]),
                    int(scores.question[i]) if name is None else names.index(name),
                    float(values[i]),
                    name is not None,
                )
                for i in block
            ]
            for i, pick, usable in zip(block, picks, use(picks), strict=True):
                tried[i] = True
                chosen += [pick] if usable else []
                if len(chosen) == most:
                    break
            start, size = start + size, 2 * size  # if many are refused, few more blocks are needed
    return chosen
