"""Nominees hold the best of a plain sort in float64, and none that is surely worse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.similarity import nominate as nomination
from zoolens.catalog.similarity.nominate import nominate

C = 9


def scene(
    seed: int, queries: int, candidates: int, levels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factors, columns (few levels: many equals), and what their products can be off by."""
    random = np.random.default_rng(seed)
    factors = random.integers(-levels, levels + 1, (queries, C)).astype(np.float32) / levels
    factors[:, random.random(C) < 0.3] = 0
    columns = random.integers(-levels, levels + 1, (C, candidates)).astype(np.float32) / levels
    off = C * np.finfo(np.float32).eps * np.abs(factors).sum(axis=1).astype(float) + 1e-30
    return factors, columns, off


def check(factors: np.ndarray, columns: np.ndarray, off: np.ndarray, k: int, size: int) -> None:
    blocks = [(at, columns[:, at : at + size]) for at in range(0, columns.shape[1], size)]
    exact = factors.astype(float) @ columns.astype(float)
    for row, margin, places in zip(exact, off, nominate(factors, blocks, k, off), strict=True):
        found = places.tolist()
        assert found == sorted(set(found))
        least = np.sort(row)[::-1][:k][-1]
        assert set(np.flatnonzero(row >= least).tolist()) <= set(found)  # all equals too
        if len(row) > k:
            assert (row[found] >= least - 5 * margin).all()


@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(1, 300),
    st.sampled_from([1, 3, 1000]),
    st.integers(1, 40),
    st.integers(1, 120),
)
def test_the_best_are_among_them(
    seed: int, queries: int, candidates: int, levels: int, k: int, size: int
) -> None:
    check(*scene(seed, queries, candidates, levels), k, size)


def test_many_candidates_in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nomination, "_FIRST", 16)
    monkeypatch.setattr(nomination, "_SCORES", 64)
    monkeypatch.setattr(nomination, "_GATHERED", 50)
    for levels in (2, 10**6):
        check(*scene(5, 3, 3000, levels), 7, 1000)


def test_places_are_counted_from_the_first_of_a_block() -> None:
    columns = np.array([[1, 5, 5, 2]], np.float32)
    (found,) = nominate(np.ones((1, 1), np.float32), [(100, columns)], 1, np.array([1e-3]))
    assert found.tolist() == [101, 102]


def test_without_candidates_or_with_factors_of_nothing() -> None:
    factors, off = np.zeros((2, C), np.float32), np.zeros(2)
    assert [places.tolist() for places in nominate(factors, [], 3, off)] == [[], []]
    columns = np.ones((C, 5), np.float32)
    assert [p.tolist() for p in nominate(factors, [(2, columns)], 3, off)] == [[2, 3, 4, 5, 6]] * 2
