"""Which candidates could be among the best, by inner products in float32.

One pass over columns that may be larger than memory, as fast as they can be read: candidates
clearly below the best so far are dropped at once.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats32, Places

_SCORES = 2**20  # of several queries, computed at a time
_WIDEST = 2**16  # candidates of one query at a time: more exceed the caches
_FIRST = 4096  # scores from which the first floor is found
_NEAR = 5  # columns: reading those in between is faster than another product
_GATHERED = 2**13  # candidates of a query that are kept before some are dropped
_LOWEST = np.finfo(np.float32).min  # below any score, above that of a candidate left out


def nominate(
    factors: Floats32,
    blocks: Iterable[tuple[int, Floats32]],
    k: int,
    off: npt.NDArray[np.float64],
    among: Sequence[Flags | None] | None = None,
) -> list[Places]:
    """Positions of all candidates that could be among the best k of each query.

    factors (n, C); blocks: position of the first of m candidates, and their columns (C, m).
    off (n,): how far rounding can change an inner product, so that a candidate whose
    product is more than 2 `off` below the k-th best is surely not among the best. among:
    for each query which candidates count, by position, None for all.
    """
    chosen = [_Nominees(k, 2 * margin) for margin in off]
    runs = _runs(np.flatnonzero(factors.any(axis=0)))
    width = min(max(_FIRST, _SCORES // len(factors)), _WIDEST)
    spare = np.empty((2, len(factors), width), np.float32)
    for start, block in blocks:
        for at in range(0, block.shape[1], width):
            columns = block[:, at : at + width]
            scores = _products(factors, columns, runs, spare[..., : columns.shape[1]])
            for row, mask in zip(scores, among or (), strict=False):
                if mask is not None:
                    row[~mask[start + at : start + at + len(row)]] = -np.inf
            floors = [one.floor(row) for one, row in zip(chosen, scores, strict=True)]
            hits = np.flatnonzero(scores >= np.array(floors)[:, None])
            ends = np.searchsorted(hits, np.arange(len(chosen) + 1) * scores.shape[1])
            for row in np.flatnonzero(np.diff(ends)):
                places = hits[ends[row] : ends[row + 1]] - row * scores.shape[1]
                chosen[row].add(start + at + places, scores[row, places])
    return [one.places() for one in chosen]


class _Nominees:
    """Candidates of one query, collected as their scores arrive."""

    def __init__(self, k: int, margin: float) -> None:
        self._k, self._margin = k, margin
        self._floor = _LOWEST
        self._found: list[tuple[Places, Floats32]] = []
        self._count, self._most = 0, _GATHERED

    def floor(self, scores: Floats32) -> np.float32:
        """The least score that is worth adding, at first estimated from some of `scores`."""
        if self._floor == _LOWEST:
            self._raise(scores[:_FIRST])
        return self._floor

    def add(self, places: Places, scores: Floats32) -> None:
        """Add positions (n,) of candidates, and their scores."""
        self._found.append((places, scores))
        self._count += len(places)
        if self._count > self._most:
            self.places()
            self._most = 2 * self._count + _GATHERED

    def places(self) -> Places:
        """Positions of the candidates that could still be among the best k."""
        places = np.concatenate([np.empty(0, np.int64), *(at for at, _ in self._found)])
        scores = np.concatenate([np.empty(0, np.float32), *(found for _, found in self._found)])
        self._raise(scores)
        kept = scores >= self._floor
        self._found = [(places[kept], scores[kept])]
        self._count = int(np.count_nonzero(kept))
        return places[kept]

    def _raise(self, scores: Floats32) -> None:
        """Raise the floor to the k-th best of some scores, less the margin for rounding."""
        if len(scores) >= self._k:
            best = float(np.partition(scores, -self._k)[-self._k])
            below = np.nextafter(np.float32(best - self._margin), np.float32(-np.inf))
            self._floor = max(self._floor, below)


def _runs(columns: npt.NDArray[np.intp]) -> list[slice]:
    """Slices that cover the columns; columns near each other share one."""
    parts = np.split(columns, np.flatnonzero(np.diff(columns) > _NEAR) + 1)
    return [slice(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]


def _products(
    factors: Floats32,
    columns: Floats32,
    runs: Sequence[slice],
    spare: Floats32,
) -> Floats32:
    """Inner products (n, m) of factors (n, C) and columns (C, m); spare (2, n, m)."""
    scores, more = spare
    if not runs:
        scores[:] = 0
    for number, run in enumerate(runs):
        np.matmul(factors[:, run], columns[run], out=more if number else scores)
        if number:
            scores += more
    return scores
