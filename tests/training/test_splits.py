"""Which galaxies belong together, and splits that leave too little."""

import numpy as np
import numpy.typing as npt
import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.training.pixels import TrainingSet
from zoolens.catalog.training.splits import check_split, remarks, same_galaxies, unasked

pytestmark = pytest.mark.slow

ARCSEC = 1 / 3600


def _galaxies(*names_and_images: tuple[str, str]) -> list[Galaxy]:
    return [Galaxy(n, name, "x", None, sha) for n, (name, sha) in enumerate(names_and_images)]


def _unplaced(count: int) -> npt.NDArray[np.float64]:
    return np.full(count, np.nan)


def test_one_name_or_one_image_is_one_galaxy_also_by_way_of_a_third() -> None:
    galaxies = _galaxies(("a", "1"), ("b", "2"), ("c", "3"), ("b", "4"), ("d", "1"), ("e", "4"))
    catalogue = np.array([0, 0, 0, 1, 1, 2])
    nowhere = _unplaced(6)
    assert same_galaxies(galaxies, catalogue, nowhere, nowhere).tolist() == [0, 1, 2, 1, 0, 1]


def test_one_place_in_two_catalogues_is_one_galaxy() -> None:
    galaxies = _galaxies(*((f"g{n}", str(n)) for n in range(6)))
    catalogue = np.array([0, 0, 1, 1, 1, 1])
    # across 0 h and at high declination, where an arcsecond is many of right ascension
    ra = np.array([0.0, 40.0, 360 - 0.3 * ARCSEC / np.cos(np.radians(80)), 40.0, 40.0, np.nan])
    dec = np.array([80.0, -5.0, 80 + 0.7 * ARCSEC, -5 + 0.5 * ARCSEC, -5 + 1.5 * ARCSEC, -5.0])
    assert same_galaxies(galaxies, catalogue, ra, dec).tolist() == [0, 1, 0, 1, 4, 5]


def test_a_place_that_many_have_tells_nothing() -> None:
    galaxies = _galaxies(*((f"g{n}", str(n)) for n in range(4)))
    zero = np.zeros(4)
    catalogue = np.array([0, 0, 1, 1])
    assert same_galaxies(galaxies, catalogue, zero, zero).tolist() == [0, 1, 2, 3]


def _data(split: list[str], asked: npt.NDArray[np.bool_] | None = None) -> TrainingSet:
    """Galaxies in a split; asked (N, Q): which questions got votes, all unless given."""
    asked = np.ones((len(split), 4), dtype=bool) if asked is None else asked
    counts = asked[:, TOY.question_of].astype(np.float64)
    galaxies = _galaxies(*((f"g{n}", str(n)) for n in range(len(split))))
    return TrainingSet(
        galaxies, counts, np.ones_like(counts), np.array(split), np.full(len(split), 40)
    )


def test_enough_is_enough() -> None:
    data = _data(["train", "train", "validation"])
    check_split(data, TOY, batch_size=2)
    assert remarks(data, TOY) == []


def test_too_little_is_told() -> None:
    with pytest.raises(CatalogError, match=r"no train galaxy among 2 .* another --held-out or"):
        check_split(_data(["validation", "test"]), TOY, 2)
    with pytest.raises(CatalogError, match="no validation galaxy among 3"):
        check_split(_data(["train", "train", "test"]), TOY, 2)
    message = "2 galaxies to train on, fewer than a batch of 3; .* smaller --batch-size"
    with pytest.raises(CatalogError, match=message):
        check_split(_data(["train", "train", "validation"]), TOY, 3)


def test_a_question_that_the_split_empties_is_named() -> None:
    split = ["train", "train", "validation", "test"]
    asked = np.ones((4, 4), dtype=bool)
    asked[:2, 2] = asked[:, 3] = False
    data = _data(split, asked)
    with pytest.raises(CatalogError, match=r"no votes to train on for bar, .* another --seed"):
        check_split(data, TOY, 2)
    asked[:2, 2], asked[2, 2] = True, False
    data = _data(split, asked)
    check_split(data, TOY, 2)
    assert unasked(data, TOY) == ["merging"]
    never, unseen = remarks(data, TOY)
    assert never == "not learnt, since nobody was asked: merging"
    assert unseen.startswith("not validated, since the split leaves no votes for it: bar; ")
