"""What a counterpart is asked to have, against loops."""

from typing import get_args

import numpy as np
import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.similarity.exchange import (
    Exchange,
    check_exchange,
    default_weights,
    exchanged,
    part_exchanged,
)

A = len(TOY.labels)


@pytest.mark.parametrize("exchange", get_args(Exchange))
def test_the_question_or_the_answer_is_exchanged(exchange: Exchange) -> None:
    answers = np.arange(A)
    own, other = np.random.default_rng(0).random((2, A, A))
    part = part_exchanged(TOY, answers, exchange)
    asked, weights = exchanged(own, other, part), default_weights(part)
    for row, answer in enumerate(answers):
        for one in range(A):
            same = TOY.question_of[one] == TOY.question_of[answer]
            taken = one == answer if exchange == "answer" else same
            assert asked[row, one] == (other if taken else own)[row, one]
            assert weights[row, one] == (5 if taken else 1)


def test_what_either_lacks_is_not_asked_for() -> None:
    own, other = np.array([[0.2, np.nan, np.nan]]), np.array([[np.nan, 0.4, 0.6]])
    part = np.array([[True, True, False]])
    np.testing.assert_array_equal(exchanged(own, other, part), [[np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(exchanged(own, other, ~part), [[0.2, np.nan, np.nan]])


def test_another_exchange_is_refused() -> None:
    with pytest.raises(CatalogError, match="no exchange of 'all'; choose question or answer"):
        check_exchange("all")
