"""Rows of `vote`, and which questions a new table answers otherwise, one by one in Python."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import TOY, question_totals, random_counts
from zoolens.catalog.store.matrices import Votes
from zoolens.catalog.store.tables import arrow_schema
from zoolens.catalog.votes.standing import changed_questions, vote_table

N, A, Q = 12, len(TOY.labels), len(TOY.questions)


@given(st.integers(0, 2**32 - 1))
def test_a_question_changed_where_a_count_or_its_total_did(seed: int) -> None:
    random = np.random.default_rng(seed)
    before = random_counts(N, seed=seed % 100)
    counts = before + (random.random((N, A)) < 0.1)
    old_totals = question_totals(before)
    totals = old_totals + (random.random((N, Q)) < 0.1)
    asked = random.random(Q) < 0.7
    current = Votes(TOY, np.arange(N), before, old_totals)
    found = changed_questions(current, counts, totals, asked)
    for galaxy in range(N):
        for question, where in enumerate(TOY.slices):
            other = before[galaxy, where].tolist() != counts[galaxy, where].tolist()
            other |= old_totals[galaxy, question] != totals[galaxy, question]
            assert found[galaxy, question] == (other and asked[question])


@given(st.integers(0, 2**32 - 1))
def test_rows_are_those_of_the_questions_to_write(seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = random.permutation(1000)[:N]
    counts, totals = random.random((N, A)), random.random((N, Q))
    write = random.random((N, Q)) < 0.4
    table = vote_table(TOY, ids, counts, totals, write)
    assert table.schema == arrow_schema("vote")
    expected = [
        (
            int(ids[galaxy]),
            answer,
            counts[galaxy, answer],
            totals[galaxy, question],
            totals[galaxy, question] - counts[galaxy, where].sum() > 0.01,
        )
        for galaxy in sorted(range(N), key=lambda galaxy: ids[galaxy])
        for question, where in enumerate(TOY.slices)
        if write[galaxy, question]
        for answer in range(where.start, where.stop)
    ]
    assert list(zip(*table.to_pydict().values(), strict=True)) == expected
