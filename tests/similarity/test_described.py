"""Fractions of a question, and targets of them."""

import numpy as np

from tests.made.catalogues import TOY
from zoolens.catalog.similarity.described import fractions_of, target_of
from zoolens.catalog.similarity.target import Target

FRACTIONS = np.array([0.2, np.nan, 0.7, 0.5, 0.5, 0.1, 0.6, 0.3, 0.9, 0.1])


def test_fractions_are_those_of_the_question() -> None:
    assert fractions_of(TOY, TOY.answer_id("shape_star"), FRACTIONS) == (0.2, None, 0.7)
    assert fractions_of(TOY, TOY.answer_id("bar_weak"), FRACTIONS) == (0.1, 0.6, 0.3)


def test_a_target_is_of_the_answer_of_interest() -> None:
    found = target_of(TOY, TOY.answer_id("bar_no"), (0.3, 0.3, 0.4), FRACTIONS, 12)
    assert found == Target(("strong", "weak", "no"), 2, (0.3, 0.3, 0.4), (0.1, 0.6, 0.3), 12)
    assert (found.fraction, found.found_fraction) == (0.4, 0.3)
