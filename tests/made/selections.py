"""What a selection is made from: images that nobody opens, and mutual information."""

from collections.abc import Iterator, Mapping, Sequence

from tests.made.catalogues import (
    add_images,
)
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
