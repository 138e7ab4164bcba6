"""An approximate search finds what it says it finds, with exact scores."""

from pathlib import Path

import numpy as np
import pytest

from catalog.approximate import ApproximateIndex, build_lists, read_lists
from catalog.similarity import SimilarityIndex, make_block, observed_candidates, similarity
from tests.catalogues import TOY, random_counts

pytestmark = pytest.mark.slow

A = 10


@pytest.fixture(scope="module")
def exact() -> SimilarityIndex:
    candidates = observed_candidates(random_counts(6000), TOY)
    ids = np.arange(100, 6100, dtype=np.int64)
    return SimilarityIndex(
        TOY, [make_block(TOY, ids[i : i + 4000], candidates[i : i + 4000]) for i in (0, 4000)]
    )


def test_its_recall_is_as_measured(exact: SimilarityIndex, tmp_path: Path) -> None:
    path = tmp_path / "lists.faiss"
    made = build_lists(exact, path)
    assert made.lists == 6000 // 39
    assert 1 <= made.probes <= made.lists
    assert 0.95 <= made.recall <= 1
    index = ApproximateIndex(read_lists(path), exact, made.probes)
    random = np.random.default_rng(7)
    hits = 0
    for query in exact.at(np.sort(random.choice(6000, 100, replace=False)))[1]:
        weights = random.choice([1.0, 5.0], A)
        found, scores = index.search(query, weights, 10)
        hits += len(np.intersect1d(found, exact.search(query, weights, 10)[0]))
        alone = [similarity(query, exact.at(found[i : i + 1] - 100)[1], weights) for i in range(10)]
        np.testing.assert_array_equal(scores, np.concatenate(alone))
    assert hits / 1000 >= 0.9  # other queries than those it was measured with


def test_all_lists_are_an_exact_search(exact: SimilarityIndex, tmp_path: Path) -> None:
    made = build_lists(exact, tmp_path / "lists.faiss")
    index = ApproximateIndex(read_lists(tmp_path / "lists.faiss"), exact, made.lists)
    query, weights = np.random.default_rng(1).random((2, A))
    query[:3] = np.nan
    for exclude in (None, int(exact.search(query, weights, 1)[0][0])):
        found, scores = index.search(query, weights, 5, exclude=exclude)
        best, their = exact.search(query, weights, 5, exclude=exclude)
        np.testing.assert_array_equal(found, best)
        np.testing.assert_array_equal(scores, their)


def test_the_same_candidates_give_the_same_lists(exact: SimilarityIndex, tmp_path: Path) -> None:
    made = [build_lists(exact, tmp_path / name) for name in ("one", "two")]
    assert made[0] == made[1]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_few_candidates(tmp_path: Path) -> None:
    candidates = observed_candidates(random_counts(3), TOY)
    exact = SimilarityIndex(TOY, [make_block(TOY, np.array([4, 2, 9]), candidates)])
    made = build_lists(exact, tmp_path / "lists.faiss")
    assert (made.lists, made.probes, made.recall) == (1, 1, 1.0)
    index = ApproximateIndex(read_lists(tmp_path / "lists.faiss"), exact, 1)
    assert index.search(candidates[1], np.ones(A), 5, exclude=4)[0].tolist() == [2, 9]
