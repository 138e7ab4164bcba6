"""What a counterpart is asked to have: a galaxy's fractions, some exchanged for the other kind."""

from typing import Literal, get_args

import numpy as np

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.scoring.weights import PAPER_FACTOR

Exchange = Literal["question", "answer"]


def check_exchange(exchange: str) -> None:
    """Raises `CatalogError` for what cannot be exchanged."""
    if exchange not in get_args(Exchange):
        raise CatalogError(f"no exchange of {exchange!r}; choose question or answer")


def part_exchanged(tree: DecisionTree, answer_id: Ids, exchange: Exchange) -> np.ndarray:
    """Which of the A answers of each of N galaxies are exchanged, (N, A) of bool.

    answer_id (N,): the answer of interest of each. `question`: all answers to its question, so
    that the fractions asked for add up to one. `answer`: it alone, as Su et al. 2023 have it.
    """
    if exchange == "answer":
        return np.arange(len(tree.labels)) == answer_id[:, None]
    return tree.question_of == tree.question_of[answer_id][:, None]


def exchanged(own: Floats, other: Floats, part: np.ndarray) -> Floats:
    """Fractions (N, A) of one kind, with a part (N, A) of the other kind's in their place.

    An answer of the part that either kind lacks, such as one that a published table leaves out,
    is NaN: nothing is asked for.
    """
    lacking = np.isnan(own) | np.isnan(other)
    return np.where(part, np.where(lacking, np.nan, other), own)


def default_weights(part: np.ndarray) -> Floats:
    """Weights (N, A): 5 for what is exchanged, 1 for others.

    "Our function can set a specific weight for a particular question of interest" (4.3), as for
    the loss, where it is five.
    """
    return np.where(part, PAPER_FACTOR, 1.0)
