"""Columns in another spelling: with underscores for hyphens, or other capitals.

STILTS's `fixcolnames` makes underscores, databases fold names to small or to capital letters, and
people write `Smooth-or-Featured`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.trees.published import suffixes

_ENDINGS = (
    *("", "_fraction", "_debiased", "_weighted", "_pred", "_pred_frac"),
    *("_concentration", "_concentration_mean", "_dirichlet", "_90pc-lower", "_90pc-upper"),
)


def respelt(path: Path, columns: Sequence[str], trees: Iterable[DecisionTree]) -> dict[str, str]:
    """Columns of a table that are a tree's in another spelling, and their names there.

    That is with underscores for hyphens, or other capitals.

    Those that could be two of a tree's columns are left as they are. Raises `TableRefused` if
    the table has a column in both spellings.
    """
    meant = _meant(tuple(trees))
    found = {}
    for column in columns:
        names = meant.get(_plain(column), frozenset())
        if len(names) == 1 and column not in names:
            (found[column],) = names
            if found[column] in columns:
                raise TableRefused(
                    f"{path} has both {column} and {found[column]} columns; leave one of them out"
                )
    return found


@lru_cache(maxsize=4)
def _meant(trees: tuple[DecisionTree, ...]) -> Mapping[str, frozenset[str]]:
    """The columns of these trees, by what is left of them in any spelling."""
    meant = defaultdict(set)
    for name in _names(trees):
        meant[_plain(name)].add(name)
    return {plain: frozenset(names) for plain, names in meant.items()}


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _names(trees: Iterable[DecisionTree]) -> Iterable[str]:
    """The columns that tables of these trees can have, of any campaign."""
    for tree in trees:
        endings = suffixes(tree)
        for question in tree.questions:
            for suffix in endings:
                stem = question.name + suffix
                yield f"{stem}_total-votes"
                for answer in question.answers:
                    yield from (f"{stem}_{answer}{ending}" for ending in _ENDINGS)
