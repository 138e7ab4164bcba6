"""What a selection is made from: images that nobody opens, and mutual information."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from tests.made.catalogues import (
    TOY,
    add_images,
)
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.selection.acquisition import Scores
from zoolens.catalog.selection.choosing import Pick
from zoolens.catalog.store.store import Store


def give_images(store: Store, galaxy_ids: Sequence[int]) -> None:
    """Rows of images that nobody opens."""
    rows = [
        {"galaxy_id": i, "source": f"/{i}.png", "format": "PNG", "height": 9, "width": 9}
        | {"sha256": "00" * 32}
        for i in galaxy_ids
    ]
    add_images(store, rows)


def inform(store: Store, values: Mapping[tuple[int, int], float | None]) -> None:
    """Set the mutual information by galaxy and question."""
    for (galaxy, question), value in values.items():
        store.execute(
            "UPDATE question_prediction SET mutual_information = ? "
            "WHERE galaxy_id = ? AND question_id = ?",
            [value, galaxy, question],
        )


def everything(picks: Sequence[Pick]) -> Iterator[bool]:
    """Every galaxy can be used."""
    return (True for _ in picks)


def best_of(scores: Scores, tree: DecisionTree = TOY) -> Callable[[str | None], Iterator[Pick]]:
    """The picks that `choose` takes from."""
    names = [question.name for question in tree.questions]

    def best(quota: str | None) -> Iterator[Pick]:
        for place, value in zip(*scores.best(quota), strict=True):
            question = int(scores.question[place]) if quota is None else names.index(quota)
            yield Pick(int(scores.galaxy_id[place]), question, float(value), quota is not None)

    return best
