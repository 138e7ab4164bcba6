"""Which galaxies' vote fractions are most alike, exactly, for any weights.

The similarity of fractions p and q (Su et al. 2023, 4.3; weights as for the loss),

    S(p, q; w) = sum_i w_i [p_i log q_i + (1 - p_i) log(1 - q_i)],

in nat, 0 or less, is the inner product of [w p, w] and [log q - log(1 - q),
log(1 - q)]: one FAISS index of 2 A columns serves every weighting. FAISS computes in
float32 and orders equals as it likes; it only nominates here. The ranking is made of
float64 scores, ties by galaxy number.
"""

from collections.abc import Callable, Iterable
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from catalog.decision_tree import DecisionTree

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

# The nearest to 0 and to 1 that a candidate's fraction comes: 1 - EDGE is a float32.
EDGE = float(np.finfo(np.float32).eps)


def observed_candidates(counts: npt.ArrayLike, tree: DecisionTree) -> Floats:
    """Vote fractions (N, A) that have a logarithm: (k + 1/2) / (n + K/2).

    counts k (N, A), NaN where missing, n their sum over the question's K answers. A
    departure from the paper, whose fractions of 0 and 1 would score minus infinity:
    half a vote more for every answer (Jeffreys' prior). Missing and not asked: 1 / K.
    """
    votes = np.nan_to_num(np.asarray(counts, np.float64), nan=0.0)
    starts = [where.start for where in tree.slices]
    sizes = np.array([where.stop - where.start for where in tree.slices])
    totals = np.add.reduceat(votes, starts, axis=1) + sizes / 2  # (N, Q)
    smoothed: Floats = (votes + 0.5) / totals[:, tree.question_of]
    return smoothed


def predicted_candidates(fractions: npt.ArrayLike) -> Floats:
    """Predicted fractions (N, A) that have a logarithm: within `EDGE` of 0 and 1.

    A Dirichlet's are already; published ones may be rounded to 0 or 1. NaN, an answer
    that the model lacks, becomes 1/2, the same for every galaxy.
    """
    clipped = np.clip(np.asarray(fractions, np.float64), EDGE, 1 - EDGE)
    return np.nan_to_num(clipped, nan=0.5)


def similarity(query: npt.ArrayLike, candidates: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """S(p, q; w) of one query and N candidates, float64, shape (N,), in nat, 0 or less.

    query p (A,), NaN where unknown: those count nothing; candidates q (N, A), strictly
    within 0..1; weights w (A,), 0 or more. Equal candidates score equal to the bit.
    """
    p, w = _known(query, weights)
    q = np.ascontiguousarray(candidates, np.float64)
    # a sum along each row, not a matrix product, whose rounding depends on the row
    return np.sum(w * (p * np.log(q) + (1 - p) * np.log1p(-q)), axis=1)


class SimilarityIndex:
    """Candidates' vectors in a flat, exact FAISS index, by galaxy number."""

    def __init__(self, index: Any) -> None:
        self._index = index
        vectors = index.index.reconstruct_n(0, index.ntotal)
        norms = np.einsum("nd,nd->n", vectors, vectors)
        self._longest = float(np.sqrt(norms.max(initial=0.0)))

    @classmethod
    def build(cls, answers: int, parts: Iterable[tuple[Ids, Floats]]) -> "SimilarityIndex":
        """An index of galaxy numbers (M,) and their candidate fractions (M, A), in parts."""
        index = faiss.IndexIDMap(faiss.IndexFlatIP(2 * answers))
        for galaxy_id, candidates in parts:
            others = np.log1p(-candidates)
            vectors = np.hstack([np.log(candidates) - others, others])
            index.add_with_ids(np.ascontiguousarray(vectors, np.float32), galaxy_id)
        return cls(index)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SimilarityIndex":
        """The index that `to_bytes` gave.

        FAISS trusts what it reads: compare a checksum first.
        """
        return cls(faiss.deserialize_index(np.frombuffer(data, np.uint8)))

    def to_bytes(self) -> bytes:
        """FAISS's own file format; the same candidates give the same bytes."""
        data: bytes = faiss.serialize_index(self._index).tobytes()
        return data

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(
        self,
        query: npt.ArrayLike,
        weights: npt.ArrayLike,
        k: int,
        exact: Callable[[Ids], Floats],
        *,
        exclude: int | None = None,
    ) -> tuple[Ids, Floats]:
        """The k candidates most similar to a query, best first, and their scores.

        query (A,), weights (A,): see `similarity`. `exact` gives the float64 fractions
        (M, A) of galaxies by number, ascending. Fewer than k where there are no more;
        `exclude` is never among them. The order is that of a float64 ranking of all
        candidates: more are fetched until none left out could be among the k.
        """
        p, w = _known(query, weights)
        vector = np.concatenate([w * p, w])
        scale = float(np.abs(vector).max()) or 1.0  # float32 holds no weight of 1e39
        vector /= scale
        # rounding of both vectors and of their product's sum (Higham 2002, 3.1), by
        # Cauchy-Schwarz: what a float32 score can be off
        unit = EDGE / 2  # of float32
        off = (len(vector) + 4) * unit * float(np.linalg.norm(vector)) * self._longest
        fetch = 4 * k + 64
        while True:
            fetch = min(fetch, len(self))
            near, found = self._index.search(vector[None].astype(np.float32), max(fetch, 1))
            galaxy_id = np.sort(found[0][(found[0] >= 0) & (found[0] != exclude)])
            scores = similarity(p, exact(galaxy_id), w)
            best = np.lexsort((galaxy_id, -scores))[:k]
            sure = len(best) == k and scores[best[-1]] > (float(near[0, -1]) + off) * scale
            if sure or fetch == len(self):
                return galaxy_id[best], scores[best]
            fetch *= 4


def _known(query: npt.ArrayLike, weights: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Query and weights, both 0 where the query is unknown."""
    p = np.asarray(query, np.float64)
    known = ~np.isnan(p)
    return np.where(known, p, 0.0), np.where(known, np.asarray(weights, np.float64), 0.0)
