"""How many were asked, by hand."""

import numpy as np
import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.evaluation.reach import observed_reach, reach_measures

SHAPE, ROUND, BAR, MERGING = TOY.slices


def votes() -> np.ndarray:
    counts = np.zeros((3, len(TOY.labels)))
    counts[:, SHAPE] = [[4, 6, 0], [0, 9, 1], [0, 0, 0]]
    counts[0, ROUND] = [1, 3]
    counts[:2, BAR] = [[1, 2, 3], [0, 0, 0]]  # of the second nobody knows how many were asked
    counts[0, MERGING] = [2, 8]
    return counts


def test_shares_of_those_who_were_asked_first() -> None:
    expected = np.array([[1, 0.4, 0.6, 1], [1, 0, np.nan, np.nan], [np.nan] * 4])
    np.testing.assert_allclose(observed_reach(votes(), TOY), expected)


def test_what_follows_a_question_that_is_lacking_is_not_known() -> None:
    from zoolens.catalog.decision_tree import DecisionTree, Question

    tree = DecisionTree(
        "chain",
        (
            Question("first", ("a", "b")),
            Question("second", ("c", "d"), ("first_a",)),
            Question("third", ("e", "f"), ("second_c",)),
        ),
    )
    lacking, nobody = [5, 5, 0, 0, 0, 0], [0, 10, 0, 0, 0, 0]
    found = observed_reach(np.array([lacking, nobody], float), tree)
    np.testing.assert_allclose(found, np.array([[1, np.nan, np.nan], [1, 0, 0]]))


def test_errors_of_the_reach_beside_giving_the_mean() -> None:
    predicted = np.repeat([[1, 0.5, 0.5, 0.9], [1, 0.5, 0.5, 0.9], [1, 0.5, 0.5, 0.9]], 3, axis=1)
    predicted = predicted[:, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]]  # of each question as many as answers
    found = {(m.measure, m.question): m for m in reach_measures(votes(), predicted, TOY)}
    assert found["reach of the votes", "round"].value == pytest.approx(0.2)
    off = found["mean absolute error of the reach", "round"]
    assert (off.value, off.galaxies, off.chance) == (pytest.approx(0.3), 2, pytest.approx(0.2))
    assert found["mean absolute error of the reach", "bar"].galaxies == 1
