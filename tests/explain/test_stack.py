"""A stack of maps against each map alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.explain.rows import map_rows
from zoolens.catalog.explain.stack import saliency_stack
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.store.store import Store

GALAXIES, SIDE = 6, 4
LACKING = slice(5, 8)  # `bar`, which the model does not have
UNEXPLAINED = "G0005"


def _maps(seed: int, galaxies: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    maps = random.normal(size=(galaxies, len(TOY.labels), SIDE, SIDE)).astype(np.float32)
    maps[:, LACKING] = np.nan
    return maps


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The first galaxies are explained, the second one twice."""
    path = catalogue(
        tmp_path_factory.mktemp("stack") / "gz.duckdb",
        random_counts(GALAXIES, seed=3),
        concentrations=random_concentrations(GALAXIES, 1),
    )
    with Store.open(path) as opened:
        predicted = opened.newest_run("predict")
        for seed, ids in enumerate(([0, 1, 2, 3, 4], [1])):
            maps = _maps(seed, len(ids))
            run = opened.begin("explain", {"predict_run": predicted, "seed": seed, "samples": 0})
            opened.commit(run, "1", {"saliency_map": map_rows(ids, maps, 2 * maps, TOY)})
            opened.finish(run)
        yield opened


@pytest.mark.parametrize("of", ["concentration", "fraction", "cross_entropy"])
@pytest.mark.parametrize("size", [None, 9])
@pytest.mark.slow
def test_a_stack_holds_each_map_bit_for_bit(store: Store, of: Of, size: int | None) -> None:
    names = ["G0003", "G0001", UNEXPLAINED, "G0000", "G0001"]
    labels = ["round_no", "shape_disk", "bar_weak"]
    stack = saliency_stack(store, names, labels, of=of, size=size)
    assert stack.shape == (5, 3, size or SIDE, size or SIDE)
    missing = 0
    for row, name in enumerate(names):
        for column, label in enumerate(labels):
            try:
                one = saliency_of(store, name, label, of=of, size=size)
            except CatalogError:
                missing += 1
                assert np.isnan(stack[row, column]).all()
            else:
                np.testing.assert_array_equal(stack[row, column], one)
                assert stack.dtype == one.dtype
    assert 7 <= missing < 15


def test_a_stack_is_of_the_newest_run_of_each_galaxy(store: Store) -> None:
    stack = saliency_stack(store, ["G0000", "G0001"], ["shape_disk"], sd=True)
    np.testing.assert_array_equal(stack[0, 0], 2 * _maps(0, 5)[0, 1])
    np.testing.assert_array_equal(stack[1, 0], 2 * _maps(1, 1)[0, 1])


def test_maps_that_are_not_there_are_told(store: Store) -> None:
    with pytest.raises(UnknownName, match="no galaxy 'G9'"):
        saliency_stack(store, ["G9"], ["round_no"])
    with pytest.raises(UnknownName, match="no answer 'round_maybe'"):
        saliency_stack(store, ["G0000"], ["round_maybe"])
    for names, labels in (([UNEXPLAINED], ["round_no"]), (["G0000"], ["bar_weak"]), ([], [])):
        with pytest.raises(CatalogError, match="none of these galaxies has a map"):
            saliency_stack(store, names, labels)


def test_maps_of_several_resolutions_need_a_size(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(2), concentrations=random_concentrations(2)
    )
    with Store.open(path) as store:
        predictions = store.newest_run("predict")
        for galaxy, side in enumerate((2, 3)):
            maps = np.ones((1, len(TOY.labels), side, side), np.float32)
            run = store.begin("explain", {"predict_run": predictions, "layer": side})
            store.commit(run, "1", {"saliency_map": map_rows([galaxy], maps, maps, TOY)})
            store.finish(run)
        with pytest.raises(CatalogError, match="2 x 2 and 3 x 3 cells; to stack them give"):
            saliency_stack(store, ["G0000", "G0001"], ["shape_disk"])
        stack = saliency_stack(store, ["G0000", "G0001"], ["shape_disk"], size=6)
    np.testing.assert_array_equal(stack, np.ones((2, 1, 6, 6)))


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "a", 10**6])
def test_maps_have_a_size_that_can_be(store: Store, size: Any) -> None:
    with pytest.raises(CatalogError, match="give a whole number to 8192"):
        saliency_stack(store, ["G0000"], ["round_yes"], size=size)
    with pytest.raises(CatalogError, match="give a whole number to 8192"):
        saliency_of(store, "G0000", "round_yes", size=size)
