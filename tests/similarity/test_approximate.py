"""An approximate search finds what it says it finds, with exact scores."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import TOY, random_counts
from zoolens.catalog.similarity import approximate
from zoolens.catalog.similarity.approximate import ApproximateIndex, build_codes, read_codes
from zoolens.catalog.similarity.exact import (
    SimilarityIndex,
    make_block,
    observed_candidates,
    similarity,
)

pytestmark = pytest.mark.slow

A = 10


@pytest.fixture(scope="module")
def exact() -> SimilarityIndex:
    candidates = observed_candidates(random_counts(6000), TOY)
    ids = np.arange(100, 6100, dtype=np.int64)
    return SimilarityIndex(
        TOY, [make_block(TOY, ids[i : i + 2000], candidates[i : i + 2000]) for i in (0, 2000, 4000)]
    )


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts, the last one not full."""
    monkeypatch.setattr(approximate, "_PART", 4000)


def test_its_recall_is_as_measured(exact: SimilarityIndex, tmp_path: Path) -> None:
    path = tmp_path / "codes.arrow"
    made = build_codes(exact, path)
    assert made.ranked < 6000
    assert 0.95 <= made.recall <= 1
    parts = read_codes(path)
    assert [part.ntotal for part in parts] == [4000, 2000]
    index = ApproximateIndex(parts, exact, made.ranked)
    random = np.random.default_rng(7)
    hits = 0
    for query in exact.at(np.sort(random.choice(6000, 100, replace=False)))[1]:
        weights = random.choice([1.0, 5.0], A)
        found, scores = index.search(query, weights, 10)
        hits += len(np.intersect1d(found, exact.search(query, weights, 10)[0]))
        alone = [similarity(query, exact.at(found[i : i + 1] - 100)[1], weights) for i in range(10)]
        np.testing.assert_array_equal(scores, np.concatenate(alone))
    assert hits / 1000 >= 0.9  # other queries than those it was measured with


def test_too_few_ranked_miss_some(exact: SimilarityIndex, tmp_path: Path) -> None:
    """Or the recall that is measured would say nothing."""
    build_codes(exact, tmp_path / "codes.arrow")
    index = ApproximateIndex(read_codes(tmp_path / "codes.arrow"), exact, 10)
    queries = exact.at(np.arange(50))[1]
    hits = []
    for query in queries:
        near, best = (one.search(query, np.ones(A), 10)[0] for one in (index, exact))
        hits.append(len(np.intersect1d(near, best)))
    assert 0.3 <= np.mean(hits) / 10 < 0.95


def test_all_ranked_are_an_exact_search(exact: SimilarityIndex, tmp_path: Path) -> None:
    build_codes(exact, tmp_path / "codes.arrow")
    index = ApproximateIndex(read_codes(tmp_path / "codes.arrow"), exact, 6000)
    query, weights = np.random.default_rng(1).random((2, A))
    query[:3] = np.nan
    for exclude in (None, int(exact.search(query, weights, 1)[0][0])):
        found, scores = index.search(query, weights, 5, exclude=exclude)
        best, their = exact.search(query, weights, 5, exclude=exclude)
        np.testing.assert_array_equal(found, best)
        np.testing.assert_array_equal(scores, their)


def test_the_same_candidates_give_the_same_codes(exact: SimilarityIndex, tmp_path: Path) -> None:
    made = [build_codes(exact, tmp_path / name) for name in ("one", "two")]
    assert made[0] == made[1]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("galaxies", [1, 3])
def test_few_candidates(tmp_path: Path, galaxies: int) -> None:
    candidates = observed_candidates(random_counts(galaxies), TOY)
    ids = np.array([4, 2, 9][:galaxies])
    exact = SimilarityIndex(TOY, [make_block(TOY, ids, candidates)])
    made = build_codes(exact, tmp_path / "codes.arrow")
    index = ApproximateIndex(read_codes(tmp_path / "codes.arrow"), exact, made.ranked)
    found = index.search(candidates[0], np.ones(A), 5, exclude=4)[0]
    assert sorted(found) == [2, 9][: galaxies - 1]
