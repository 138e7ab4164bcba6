"""What several catalogues give to a training together, and that they are opened all or none."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import TOY, add_images, catalogue, random_counts
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.training.catalogues import all_open, read_catalogues

pytestmark = pytest.mark.slow

OTHER = DecisionTree(
    "other",
    (Question("ring", ("yes", "no")), Question("round", ("no", "yes")), Question("clump", ("a",))),
)
N = 6


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    """Two catalogues of six galaxies, at the same places, whose question `round` is the same."""
    paths = []
    for number, tree in enumerate((TOY, OTHER)):
        counts = 1 + random_counts(N, tree, seed=number)
        names = [f"{tree.name}{n}" for n in range(N)]
        paths.append(catalogue(tmp_path / f"{tree.name}.duckdb", counts, tree=tree, names=names))
        with Store.open(paths[-1]) as store:
            add_images(
                store,
                [
                    {
                        "galaxy_id": n,
                        "source": f"{n}.png",
                        "format": "PNG",
                        "height": 30 + number,
                        "width": 40,
                        "sha256": f"{number}{n}",
                    }
                    for n in range(N)
                ],
            )
    return paths


def test_votes_are_in_the_columns_of_their_own_tree(pair: list[Path]) -> None:
    with all_open(pair) as stores:
        given = read_catalogues(stores, 3, 0.5, None)
        (toy, other) = (read_catalogues([store], 3, 0.5, None).data for store in stores)
    assert given.tree.name == "toy+other"
    expected = np.zeros((2 * N, 13))
    expected[:N, :10] = toy.counts
    expected[N:, [10, 11, 4, 3, 12]] = other.counts
    np.testing.assert_array_equal(given.data.counts, expected)
    assert given.data.galaxies == [*toy.galaxies, *other.galaxies]
    assert given.data.sides.tolist() == [30] * N + [31] * N
    assert given.of(1).tolist() == [False] * N + [True] * N


def test_galaxies_at_one_place_have_the_split_of_the_first(pair: list[Path]) -> None:
    with all_open(pair) as stores:
        given = read_catalogues(stores, 3, 0.5, None)
    first, second = (
        split_galaxies([f"{t}{n}" for n in range(N)], 3, 0.5) for t in ("toy", "other")
    )
    assert given.data.split.tolist() == [*first, *first]
    assert given.moved == np.sum(first != second) > 0


def test_one_catalogue_is_recorded_as_if_there_were_no_others(pair: list[Path]) -> None:
    with all_open(pair) as stores:
        alone, both = (
            read_catalogues(stores[:1], 3, 0.5, None),
            read_catalogues(stores, 3, 0.5, None),
        )
    state = dict(both.parts[0].state)
    assert alone.config({"seed": 3}) == {"seed": 3, **state}
    assert both.config({"seed": 3}) == {
        "seed": 3,
        "catalogues": [state, dict(both.parts[1].state)],
    }


def test_all_are_open_or_none(pair: list[Path]) -> None:
    with Store.open(pair[1]), pytest.raises(CatalogBusy), all_open(pair):
        pass
    with Store.open(pair[0]):
        pass  # it was let go
    link = pair[0].with_name("link.duckdb")
    link.hardlink_to(pair[0])
    with (
        pytest.raises(CatalogError, match=r"toy\.duckdb and .*link\.duckdb are one catalogue"),
        all_open([pair[0], link]),
    ):
        pass
