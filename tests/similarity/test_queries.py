"""What is known of galaxies and asked of counterparts, row by row."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    catalogue,
    expected_fractions,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.similarity.exact import similarity
from zoolens.catalog.similarity.queries import (
    Source,
    make_queries,
    one_kind_at_a_time,
    ranked,
    read_known,
)
from zoolens.catalog.store.store import Store
from zoolens.jobs.index import index

pytestmark = pytest.mark.slow

N = 25
COUNTS, CONCENTRATIONS = random_counts(N, most=15) + 1, random_concentrations(N)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("queries") / "gz.duckdb"
    catalogue(path, COUNTS, concentrations=CONCENTRATIONS)
    index(path)
    return path


def test_galaxies_are_known_in_any_order_and_twice(path: Path) -> None:
    ids = np.array([7, 3, 7, 20])
    with Store.open(path, read_only=True) as store:
        known = read_known(Source.of(store), ids)
    totals = question_totals(COUNTS)
    np.testing.assert_array_equal(known.totals, totals[ids])
    np.testing.assert_array_equal(known.observed, (COUNTS / totals[:, TOY.question_of])[ids])
    np.testing.assert_array_equal(known.predicted, expected_fractions(CONCENTRATIONS)[ids])
    np.testing.assert_array_equal(known.some(np.array([1])).totals, totals[[3]])


def test_those_of_enough_votes_come_first_by_similarity(path: Path) -> None:
    ids, answers = np.array([4, 2, 4]), np.array([0, 6, 8])
    predicted, totals = expected_fractions(CONCENTRATIONS), question_totals(COUNTS)
    with Store.open(path, read_only=True) as store:
        source = Source.of(store)
        queries = make_queries(
            source, ids, answers, read_known(source, ids), None, None, "question"
        )
        found = ranked(source, "predicted", queries, N)
        assert one_kind_at_a_time(source, queries, N)[1] == found
    for row, (galaxy, answer) in enumerate(zip(ids, answers, strict=True)):
        scores = similarity(queries.asked["predicted"][row], predicted, queries.weights[row])
        votes = totals[:, TOY.question_of[answer]]
        others = [n for n in range(N) if n != galaxy]
        order = sorted(others, key=lambda n: (votes[n] < 10, -scores[n], n))
        assert [hit.galaxy_id for hit in found[row]] == order
        assert [hit.enough for hit in found[row]] == [votes[n] >= 10 for n in order]
        assert [hit.score for hit in found[row]] == [scores[n] for n in order]
