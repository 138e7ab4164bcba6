"""The selection: which galaxies get more votes, within a budget and quotas."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError


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
    best: Callable[[str | None], Iterator[Pick]],
    budget: int,
    quotas: Mapping[str, int],
    use: Callable[[Sequence[Pick]], Iterator[bool]],
) -> list[Pick]:
    """The galaxies of a selection, none twice: quota by quota, then the best of all.

    best: gives those with an image that are worth anything, best first, for a quota's question, or
    for all (None). Each quota takes the galaxies that are worth most on its question, of those that
    no quota before it took; the rest of the budget, with what a quota could not fill, goes to those
    worth most on all questions. use: takes picks in order and says of each whether it can be used.
    It is only asked until there are enough; the next best replaces one that cannot be used.
    """
    tried: set[int] = set()
    chosen: list[Pick] = []
    for name in [*quotas, None]:
        most = len(chosen) + quotas[name] if name is not None else budget
        order = (pick for pick in best(name) if pick.galaxy_id not in tried)
        size = most - len(chosen)
        while len(chosen) < most and (picks := list(islice(order, size))):
            for pick, usable in zip(picks, use(picks), strict=True):
                tried.add(pick.galaxy_id)
                chosen += [pick] if usable else []
                if len(chosen) == most:
                    break
            size *= 2  # if many are refused, few more blocks are needed
    return chosen
