"""Tables of predictions as they are published, made from concentrations."""

from typing import Any

from tests.made.catalogues import TOY, random_concentrations
from zoolens.catalog.decision_tree import DecisionTree

N, T = 6, 4


def concentrations_table(tree: DecisionTree = TOY, campaign: str = "") -> dict[str, Any]:
    """Columns of N galaxies with T samples each, as `random_concentrations` has them."""
    alpha = random_concentrations(N, T, tree)
    columns: dict[str, Any] = {"iauname": [f"G{i:04d}" for i in range(N)]}
    for k, label in enumerate(tree.labels):
        question, _, answer = label.partition("_")
        columns[f"{question}{campaign}_{answer}_concentration"] = alpha[:, :, k].tolist()
    return columns
