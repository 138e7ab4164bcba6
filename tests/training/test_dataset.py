"""What a model is trained on, against the votes and images that were ingested."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_images,
    add_predictions,
    catalogue,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.scoring.credence import credence
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.training.dataset import read_training_set

pytestmark = pytest.mark.slow

N = 9
IMAGED = [0, 1, 2, 4, 5, 7, 8]


def images(sides: dict[int, tuple[int, int]]) -> list[dict[str, object]]:
    return [
        {
            "galaxy_id": number,
            "source": f"{number}.png",
            "format": "PNG",
            "height": height,
            "width": width,
            "sha256": "ff",
        }
        for number, (height, width) in sides.items()
    ]


@pytest.fixture
def counts() -> np.ndarray:
    counts = random_counts(N)
    counts[:, 0] += 1
    counts[5] = 0  # nobody was asked anything
    return counts


@pytest.fixture
def gz(tmp_path: Path, counts: np.ndarray) -> Path:
    path = catalogue(tmp_path / "gz.duckdb", counts)
    with Store.open(path) as store:
        add_images(store, images(dict.fromkeys(IMAGED, (30, 40))))
    return path


def test_galaxies_with_an_image_and_a_vote(gz: Path, counts: np.ndarray) -> None:
    with Store.open(gz, read_only=True) as store:
        data = read_training_set(store, 3, 0.5, None)
    wanted = [number for number in IMAGED if number != 5]
    assert data.galaxy_id.tolist() == wanted
    assert [galaxy.source for galaxy in data.galaxies] == [f"{n}.png" for n in wanted]
    np.testing.assert_array_equal(data.counts, counts[wanted])
    np.testing.assert_array_equal(data.worth, np.ones((len(wanted), len(TOY.labels))))
    names = [f"G{number:04d}" for number in wanted]
    assert data.split.tolist() == split_galaxies(names, 3, 0.5).tolist()
    assert data.largest == 30


def test_questions_asked_with_other_answers_are_left_out(tmp_path: Path) -> None:
    counts = random_counts(4) + 1
    totals = question_totals(counts)
    totals[1, 3] += 5
    path = catalogue(tmp_path / "gz.duckdb", counts, totals=totals)
    with Store.open(path) as store:
        add_images(store, images({0: (30, 30), 1: (40, 35), 2: (50, 30), 3: (20, 30)}))
        data = read_training_set(store, 0, 0.5, None)
    expected = counts.copy()
    expected[1, TOY.slices[3]] = 0
    assert np.array_equal(data.counts, expected)
    assert data.largest == 35  # the smaller side of the largest image


def test_votes_are_worth_what_the_predictions_leave_of_them(gz: Path, counts: np.ndarray) -> None:
    alpha = random_concentrations(3)
    predicted = [1, 4, 8]
    with Store.open(gz) as store:
        run = add_predictions(store, alpha, galaxy_ids=predicted)
        data = read_training_set(store, 0, 0.5, (run, 0.2))
    expected = np.ones_like(data.counts)
    where = np.searchsorted(data.galaxy_id, predicted)
    expected[where] = credence(counts[predicted], alpha, TOY, 0.2)
    np.testing.assert_array_equal(data.worth, expected)
    assert expected.min() < 0.9


def test_shuffled_votes_are_those_of_other_galaxies(gz: Path) -> None:
    with Store.open(gz) as store:
        run = add_predictions(store, random_concentrations(3), galaxy_ids=[1, 4, 8])
        plain, shuffled, again = (
            read_training_set(store, 3, 0.4, (run, 0.2), shuffled=deal)
            for deal in (False, True, True)
        )
    assert not np.array_equal(plain.counts, shuffled.counts)
    dealt = [
        sorted(zip(data.counts.tolist(), data.worth.tolist(), strict=True))
        for data in (plain, shuffled)
    ]
    assert dealt[0] == dealt[1], "votes keep what they are worth"
    assert np.array_equal(shuffled.counts, again.counts)
    assert (plain.galaxies, plain.split.tolist()) == (shuffled.galaxies, shuffled.split.tolist())


def test_without_images_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(5))
    with (
        Store.open(path, read_only=True) as store,
        pytest.raises(CatalogError, match="both an image and votes"),
    ):
        read_training_set(store, 0, 0.5, None)
