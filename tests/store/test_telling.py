from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_fractions,
    add_galaxies,
    add_predictions,
    catalogue,
    expected_fractions,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.telling import telling_answers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two galaxies with votes, then eight without, none of them predicted."""
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with Store.open(path) as store:
        add_galaxies(store, 8)
    return path


def test_it_is_the_answer_that_a_volunteer_would_tell_most_about(path: Path) -> None:
    alpha = random_concentrations(10)
    information = np.random.default_rng(3).random((10, len(TOY.questions)))
    with Store.open(path) as store:
        run = add_predictions(store, alpha)
        for galaxy, row in enumerate(information.tolist()):
            for question, value in enumerate(row):
                store.execute(
                    "UPDATE question_prediction SET mutual_information = ? "
                    "WHERE run_id = ? AND galaxy_id = ? AND question_id = ?",
                    [value, run, galaxy, question],
                )
        found = telling_answers(store, range(10))
        reach = store.arrow(
            "SELECT reach FROM prediction WHERE run_id = ? ORDER BY galaxy_id, answer_id", [run]
        )["reach"].to_numpy()
    reach = reach.reshape(10, -1)[:, [where.start for where in TOY.slices]]
    fractions = expected_fractions(alpha)
    expected = {}
    for galaxy in range(2, 10):  # the others have votes
        where = TOY.slices[int(np.argmax(reach[galaxy] * information[galaxy]))]
        expected[galaxy] = where.start + int(np.argmax(fractions[galaxy, where]))
    assert found == expected
    assert len({TOY.question_of[answer] for answer in expected.values()}) > 1


def test_without_mutual_information_it_is_of_the_question_that_all_are_asked(path: Path) -> None:
    fractions = expected_fractions(random_concentrations(10))
    with Store.open(path) as store:
        assert telling_answers(store, range(10)) == {}
        add_fractions(store, fractions)
        found = telling_answers(store, range(10))
    assert found == {i: int(np.argmax(fractions[i, TOY.slices[0]])) for i in range(2, 10)}
