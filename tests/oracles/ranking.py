"""The ranking by sorting lists."""

from collections.abc import Iterable, Mapping
from typing import Any

from zoolens.catalog.decision_tree import DecisionTree


def slow_ranking(
    rows: Iterable[Mapping[str, Any]], by: str, tree: DecisionTree
) -> list[Mapping[str, Any]]:
    """Of rows of `losses` each galaxy's worst one, worst galaxy first, then by name.

    Of equals the answer that comes first in the tree.
    """
    largest: dict[str, Mapping[str, Any]] = {}
    for row in sorted(rows, key=lambda row: tree.answer_id(row["label"])):
        if row[by] is not None:
            best = largest.get(row["iauname"])
            if best is None or row[by] > best[by]:
                largest[row["iauname"]] = row
    return sorted(largest.values(), key=lambda row: (-row[by], row["iauname"]))
