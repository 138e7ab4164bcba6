"""Columns whose hyphens became underscores, as STILTS's `fixcolnames` and databases make them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.trees.published import suffixes

_ENDINGS = (
    *("", "_fraction", "_debiased", "_weighted", "_pred", "_pred_frac"),
    *("_concentration", "_concentration_mean", "_dirichlet", "_90pc-lower", "_90pc-upper"),
)


def respelt(path: Path, columns: Sequence[str], trees: Iterable[DecisionTree]) -> dict[str, str]:
    """Columns of a table that are a tree's with underscores for hyphens, and their names there.

    Those that could be two of a tree's columns are left as they are. Raises `TableRefused` if
    the table has a column in both spellings.
    """
    meant = defaultdict(set)
    for name in _names(trees):
        if "-" in name:
            meant[name.replace("-", "_")].add(name)
    found = {}
    for column in columns:
        names = meant.get(column, set())
        if len(names) == 1:
            (found[column],) = names
            if found[column] in columns:
                raise TableRefused(
                    f"{path} has both {column} and {found[column]} columns; leave one of them out"
                )
    return found


def _names(trees: Iterable[DecisionTree]) -> Iterable[str]:
    """The columns that tables of these trees can have, of any campaign."""
    for tree in trees:
        for question in tree.questions:
            for suffix in suffixes(tree):
                stem = question.name + suffix
                yield f"{stem}_total-votes"
                for answer in question.answers:
                    yield from (f"{stem}_{answer}{ending}" for ending in _ENDINGS)
