"""Which decision tree labels are of."""

from collections.abc import Sequence

from zoolens.catalog.decision_tree import (
    CAMPAIGN,
    TREE_NAMES,
    DecisionTree,
    get_tree,
    strip_campaign,
)
from zoolens.catalog.errors import CatalogError, UnknownName


def tree_of(labels: Sequence[str], *, source: str, tree: str | None = None) -> DecisionTree:
    """The tree that labels (`QUESTION_ANSWER`, with a campaign or without) are of.

    tree: its name, if it is known. Raises `UnknownName` if they are of none, `CatalogError` if
    they could be of two.
    """
    if tree is not None:
        return get_tree(tree)
    counts = {}
    for name in TREE_NAMES:
        known = set(get_tree(name).labels)
        own = {label for label in labels if f"-{CAMPAIGN[name]}_" in label}
        plain = {label for label in labels if strip_campaign(label) == label}
        counts[name] = sum(strip_campaign(label) in known for label in own | plain)
    most = max(counts.values())
    best = [name for name, count in counts.items() if count == most]
    if not most:
        raise UnknownName(f"{source} has answers of no tree; choose one of {', '.join(TREE_NAMES)}")
    if len(best) > 1:
        raise CatalogError(
            f"{source} could be of the trees {', '.join(best)}; name one with --tree"
        )
    return get_tree(best[0])
