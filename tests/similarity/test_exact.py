"""The index ranks as a plain float64 NumPy formula does, for any weights."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.made.catalogues import TOY, random_counts
from tests.oracles.similarity import ranking
from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.similarity.exact import (
    EDGE,
    SimilarityIndex,
    make_block,
    observed_candidates,
    predicted_candidates,
    similarity,
)

A = 10


def build(*parts: tuple[Ids, Floats]) -> SimilarityIndex:
    return SimilarityIndex(TOY, [make_block(TOY, ids, candidates) for ids, candidates in parts])


def test_score_by_hand() -> None:
    score = similarity([0.2, 1.0, np.nan], [[0.5, 0.25, 0.9]], [1.0, 5.0, 7.0])
    assert score[0] == pytest.approx(math.log(0.5) + 5 * math.log(0.25))


def test_a_galaxy_is_most_like_itself() -> None:
    candidates = observed_candidates(random_counts(50), TOY)
    for galaxy in range(50):
        scores = similarity(candidates[galaxy], candidates, np.ones(A))
        assert scores.argmax() == galaxy
        assert (scores <= 0).all()


def test_observed_candidates_by_hand() -> None:
    counts = np.zeros((1, A))
    counts[0, TOY.slices[0]] = [3, 1, 0]
    counts[0, TOY.slices[1]] = np.nan
    found = observed_candidates(counts, TOY)[0]
    np.testing.assert_allclose(found[TOY.slices[0]], np.array([3.5, 1.5, 0.5]) / 5.5)
    np.testing.assert_array_equal(found[TOY.slices[1]], 1 / 2)  # not the tree's question
    np.testing.assert_allclose(found[TOY.slices[2]], 1 / 3)  # nobody was asked


@given(arrays(np.float64, (3, A), elements=st.floats(0, 1e9)))
def test_observed_candidates_have_logarithms_and_sum_to_one(counts: Floats) -> None:
    found = observed_candidates(counts, TOY)
    assert np.isfinite(np.log(found)).all()
    assert np.isfinite(np.log1p(-found)).all()
    for where in TOY.slices:
        np.testing.assert_allclose(found[:, where].sum(axis=1), 1)


def test_predicted_candidates_stay_off_the_ends_in_float32() -> None:
    found = predicted_candidates([[0.0, 1.0, 0.3, np.nan]])[0]
    assert found.tolist() == [EDGE, 1 - EDGE, 0.3, 0.5]
    assert np.float32(found[1]) < 1


@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_random_weightings_rank_as_numpy_does(seed: int) -> None:
    """Twenty-five a seed; half of the candidates are doubles, so that ties abound."""
    random = np.random.default_rng(seed)
    counts = random_counts(400, seed=seed, most=4)  # few votes: many equals
    candidates = observed_candidates(counts, TOY)
    candidates[200:] = candidates[random.integers(0, 200, 200)]
    ids = random.permutation(3 * len(candidates))[: len(candidates)].astype(np.int64)
    index = build((ids[:150], candidates[:150]), (ids[150:], candidates[150:]))
    for _ in range(25):
        query = random.random(A)
        query[random.random(A) < 0.2] = np.nan
        query[random.random(A) < 0.2] = random.integers(0, 2)
        weights = random.choice([0.0, 1.0, 5.0], A) * random.lognormal(0, 2, A)
        exclude = int(random.choice(ids))
        expected = ranking(query, candidates, weights, ids, exclude)
        for k in (1, 5, 30):
            found, scores = index.search(query, weights, k, exclude=exclude)
            assert found.tolist() == expected[:k]
            rows = [ids.tolist().index(number) for number in found]
            np.testing.assert_array_equal(scores, similarity(query, candidates[rows], weights))


def test_thousands_of_equals_are_told_apart_by_number_alone() -> None:
    """More equals than are fetched at first: all must be seen to find the lowest number."""
    ids = np.arange(5000, dtype=np.int64)[::-1].copy()
    candidates = np.full((5000, A), 0.3)
    candidates[17] = 0.31
    index = build((ids, candidates))
    found, _ = index.search(np.full(A, 0.31), np.ones(A), 3)
    assert found.tolist() == [int(ids[17]), 0, 1]


def test_differences_below_float32_are_ranked() -> None:
    ids = np.arange(500, dtype=np.int64)
    candidates = np.full((500, A), 0.4)
    candidates[:, 0] = 0.4 + 1e-12 * np.random.default_rng(0).permutation(500)
    index = build((ids, candidates))
    query = np.full(A, 0.9)
    found, _ = index.search(query, np.ones(A), 10)
    assert found.tolist() == np.argsort(-candidates[:, 0])[:10].tolist()


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30, 1e200])
def test_the_scale_of_the_weights_does_not_matter(scale: float) -> None:
    ids = np.arange(300, dtype=np.int64)
    candidates = observed_candidates(random_counts(300), TOY)
    index = build((ids, candidates))
    query, weights = np.random.default_rng(0).random((2, A))
    plain, _ = index.search(query, weights, 20)
    scaled, _ = index.search(query, scale * weights, 20)
    assert plain.tolist() == scaled.tolist()


def test_only_some_candidates_count() -> None:
    """The best of those that count, however few they are and whichever query asks."""
    random = np.random.default_rng(8)
    candidates = observed_candidates(random_counts(9000, most=4), TOY)
    ids = random.permutation(9000).astype(np.int64)
    index = build((ids[:5000], candidates[:5000]), (ids[5000:], candidates[5000:]))
    queries, weights = random.random((4, A)), random.choice([1.0, 5.0], (4, A))
    some = [random.choice(ids, size, replace=False) for size in (6000, 40, 3)]
    masks = [index.holding(ids) for ids in some]
    assert [int(mask.sum()) for mask in masks] == [6000, 40, 3]
    among = [*masks, None]
    together = index.search_many(queries, weights, 7, exclude=[int(some[0][0])] * 4, among=among)
    for i, (found, _) in enumerate(together):
        here = slice(None) if i == 3 else among[i]
        exclude = int(some[0][0])
        expected = ranking(queries[i], candidates[here], weights[i], ids[here], exclude)[:7]
        assert found.tolist() == expected
        one, _ = index.search(queries[i], weights[i], 7, exclude=exclude, among=among[i])
        assert one.tolist() == expected
    nobody = index.holding(np.empty(0, np.int64))
    assert index.search(queries[0], weights[0], 7, among=nobody)[0].tolist() == []


def test_few_candidates() -> None:
    ids = np.array([4, 2], np.int64)
    candidates = observed_candidates(random_counts(2), TOY)
    index = build((ids, candidates))
    query, weights = candidates[0], np.ones(A)
    assert index.search(query, weights, 10)[0].tolist() == [4, 2]
    assert index.search(query, weights, 10, exclude=4)[0].tolist() == [2]
    assert index.search(query, np.zeros(A), 1)[0].tolist() == [2]  # all equal
    alone = build((ids[:1], candidates[:1]))
    assert alone.search(query, weights, 1, exclude=4)[0].tolist() == []


def test_queries_together_are_those_apart() -> None:
    """With other weights each, on more candidates than the caches take at once."""
    random = np.random.default_rng(3)
    candidates = observed_candidates(random_counts(20_000, most=9), TOY)
    ids = np.arange(len(candidates), dtype=np.int64)
    index = build((ids[:12_000], candidates[:12_000]), (ids[12_000:], candidates[12_000:]))
    queries = candidates[random.integers(0, len(ids), 40)].copy()
    queries[random.random(queries.shape) < 0.2] = np.nan
    weights = random.choice([1.0, 1.0, 5.0], queries.shape)
    together = index.search_many(queries, weights, 7, exclude=[*range(40)])
    for i, (found, scores) in enumerate(together):
        expected = ranking(queries[i], candidates, weights[i], ids, exclude=i)[:7]
        assert found.tolist() == expected
        alone = index.search(queries[i], weights[i], 7, exclude=i)
        np.testing.assert_array_equal(scores, alone[1])


def test_a_bad_start_is_made_up_for() -> None:
    """The first candidates are the worst, so that nearly all others are gathered at first."""
    candidates = np.repeat(np.linspace(0.1, 0.9, 100_000)[:, None], A, axis=1)
    ids = np.arange(len(candidates), dtype=np.int64)
    index = build(
        *((ids[i : i + 9000], candidates[i : i + 9000]) for i in range(0, len(ids), 9000))
    )
    found, _ = index.search(np.full(A, 0.95), np.ones(A), 5)
    assert found.tolist() == [99_999, 99_998, 99_997, 99_996, 99_995]


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.int64, (30, A), elements=st.integers(0, 3)),
    arrays(np.float64, A, elements=st.floats(0, 1)),
    arrays(np.float64, A, elements=st.floats(0, 10, allow_subnormal=False)),
)
@pytest.mark.slow
def test_any_votes_query_and_weights(counts: Ids, query: Floats, weights: Floats) -> None:
    ids = np.arange(30, dtype=np.int64)
    candidates = observed_candidates(counts, TOY)
    index = build((ids, candidates))
    found, _ = index.search(query, weights, 5)
    assert found.tolist() == ranking(query, candidates, weights, ids)[:5]
