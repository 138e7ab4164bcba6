"""Which galaxies' vote fractions are most alike, exactly, for any weights.

The similarity of fractions p and q (Su et al. 2023, 4.3; weights as for the loss),

    S(p, q; w) = sum_i w_i [p_i log q_i + (1 - p_i) log(1 - q_i)],

in nat, 0 or less, is the inner product of [w p, w] and [log q - log(1 - q),
log(1 - q)]: the same columns serve all weights. The product is computed in float32,
which only nominates candidates; they are ranked by float64 scores, ties by galaxy number.
docs/decisions/similarity.md says why this is not a FAISS index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.similarity.nominate import nominate

# A candidate's fraction is at least so far from 0 and 1; 1 - EDGE is a float32.
EDGE = float(np.finfo(np.float32).eps)

BLOCK = 2**16  # galaxies in a block of an index file


def observed_candidates(counts: npt.ArrayLike, tree: DecisionTree) -> Floats:
    """Vote fractions (N, A) that have a logarithm: (k + 1/2) / (n + K/2).

    counts k (N, A), NaN where missing, n their sum over the question's K answers. This
    departs from the paper, whose fractions of 0 and 1 would score minus infinity: every
    answer gets half a vote more (Jeffreys' prior). Missing and not asked: 1 / K.
    """
    votes = np.nan_to_num(np.asarray(counts, np.float64), nan=0.0)
    starts = [where.start for where in tree.slices]
    sizes = np.array([where.stop - where.start for where in tree.slices])
    totals = np.add.reduceat(votes, starts, axis=1) + sizes / 2  # (N, Q)
    smoothed: Floats = (votes + 0.5) / totals[:, tree.question_of]
    return smoothed


def predicted_candidates(fractions: npt.ArrayLike) -> Floats:
    """Predicted fractions (N, A) that have a logarithm: within `EDGE` of 0 and 1.

    Those of a Dirichlet distribution are so already; published ones may be rounded to 0 or 1.
    NaN, for an answer that the model lacks, becomes 1/2, the same for every galaxy.
    """
    clipped = np.clip(np.asarray(fractions, np.float64), EDGE, 1 - EDGE)
    return np.nan_to_num(clipped, nan=0.5)


def similarity(query: npt.ArrayLike, candidates: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """S(p, q; w) of one query and N candidates, float64, shape (N,), in nat, 0 or less.

    query p (A,), NaN where unknown: such answers do not count; candidates q (N, A), strictly
    within 0..1; weights w (A,), 0 or more. Equal candidates score equal to the bit.
    """
    p, w = known_part(query, weights)
    q = np.ascontiguousarray(candidates, np.float64)
    # a sum along each row, not a matrix product, whose rounding depends on the row
    return np.sum(w * (p * np.log(q) + (1 - p) * np.log1p(-q)), axis=1)


@dataclass(frozen=True)
class Block:
    """Some of the candidates: n galaxies, C = 2 A + Q columns.

    galaxy_id (n,). columns (C, n) float32, each column contiguous: for each question
    log q - log(1 - q) of its answers and the sum of their log(1 - q); then log(1 - q) of
    every answer by itself. fractions (n, A) float64: q, by which candidates are
    ranked. largest (C,): the largest absolute value of each column.
    """

    galaxy_id: Ids
    columns: npt.NDArray[np.float32]
    fractions: Floats
    largest: Floats


def make_block(tree: DecisionTree, galaxy_id: Ids, candidates: Floats) -> Block:
    """A block of galaxy numbers (n,) and their candidate fractions (n, A)."""
    others = np.log1p(-candidates).T  # (A, n)
    logits = np.log(candidates).T - others
    parts = [
        part
        for where in tree.slices
        for part in (logits[where], others[where].sum(axis=0, keepdims=True))
    ]
    columns = np.concatenate([*parts, others]).astype(np.float32, order="C")
    largest = np.abs(columns).max(axis=1, initial=0.0).astype(np.float64)
    return Block(galaxy_id, columns, np.ascontiguousarray(candidates), largest)


class SimilarityIndex:
    """All candidates, searched exactly; the arrays may be mapped from a file.

    The inner product uses only columns with a weight other than 0: those of questions that
    the query was asked. If answers of a question have the same weight, the sum of their
    log(1 - q) is used instead of each.
    """

    def __init__(self, tree: DecisionTree, blocks: Sequence[Block]) -> None:
        self.tree = tree
        self.blocks = blocks
        self._starts = np.cumsum([0, *(len(block.galaxy_id) for block in blocks)])
        width = 2 * len(tree.labels) + len(tree.questions)
        self._largest = np.max([b.largest for b in blocks], axis=0, initial=0.0)
        self._largest = np.broadcast_to(self._largest, width)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def search(
        self,
        query: npt.ArrayLike,
        weights: npt.ArrayLike,
        k: int,
        *,
        exclude: int | None = None,
        among: Flags | None = None,
    ) -> tuple[Ids, Floats]:
        """The k candidates most similar to a query, best first, and their scores.

        query (A,), weights (A,): see `similarity`. Fewer than k if there are no
        more; `exclude` is never among them. among (N,): which candidates count
        (`holding`), all unless given. The order is that of a float64 ranking of all candidates.
        """
        alone = np.asarray(query)[None], np.asarray(weights)[None]
        (found,) = self.search_many(*alone, k, exclude=[exclude], among=[among])
        return found

    @cached_property
    def galaxy_id(self) -> Ids:
        """Numbers of the N candidates, (N,), ascending."""
        return np.concatenate([np.empty(0, np.int64), *(b.galaxy_id for b in self.blocks)])

    def holding(self, galaxy_id: Ids) -> Flags:
        """Which of the N candidates are among some galaxies, (N,)."""
        return np.isin(self.galaxy_id, galaxy_id)

    def search_many(
        self,
        queries: npt.NDArray[np.float64],
        weights: npt.NDArray[np.float64],
        k: int,
        *,
        exclude: Sequence[int | None] | None = None,
        among: Sequence[Flags | None] | None = None,
    ) -> list[tuple[Ids, Floats]]:
        """`search` for several queries (n, A), in one pass over the candidates."""
        known = [known_part(query, weight) for query, weight in zip(queries, weights, strict=True)]
        exact = np.stack([self._coefficients(p, w) for p, w in known])
        scale = np.abs(exact).max(axis=1, keepdims=True)
        exact /= np.where(scale == 0, 1.0, scale)  # float32 cannot hold a weight of 1e39
        # how far off a float32 score can be, by rounding of both factors and of the sum of
        # products (Higham 2002, 3.1)
        terms = np.count_nonzero(exact, axis=1) + 4
        off = terms * (EDGE / 2) * (np.abs(exact) @ self._largest)
        columns = ((int(a), b.columns) for a, b in zip(self._starts, self.blocks, strict=False))
        nominated = nominate(exact.astype(np.float32), columns, k + 1, off, among)
        return [
            self.rank(p, w, places, k, exclude=None if exclude is None else exclude[i])
            for i, ((p, w), places) in enumerate(zip(known, nominated, strict=True))
        ]

    def _coefficients(self, p: Floats, w: Floats) -> Floats:
        """The factor of each column, (C,), as many as possible 0."""
        sections, alone = [], w.copy()
        for where in self.tree.slices:
            common = np.sort(w[where])[
                (where.stop - where.start) // 2
            ]  # the weight of a majority, if they agree
            sections += [w[where] * p[where], [common]]
            alone[where] -= common
        return np.concatenate([*sections, alone])

    def at(self, places: Ids) -> tuple[Ids, Floats]:
        """Galaxy numbers (n,) and fractions (n, A) of the candidates at ascending places."""
        which = np.searchsorted(self._starts, places, side="right") - 1
        parts = [(self.blocks[b], places[which == b] - self._starts[b]) for b in np.unique(which)]
        none = np.empty(0, np.int64), np.empty((0, len(self.tree.labels)))
        return (
            np.concatenate([none[0], *(block.galaxy_id[here] for block, here in parts)]),
            np.concatenate([none[1], *(block.fractions[here] for block, here in parts)]),
        )

    def rank(
        self,
        query: npt.ArrayLike,
        weights: npt.ArrayLike,
        places: Ids,
        k: int,
        *,
        exclude: int | None = None,
    ) -> tuple[Ids, Floats]:
        """The best k of the candidates at ascending places, by their float64 scores."""
        galaxy_id, fractions = self.at(places)
        other = galaxy_id != exclude
        galaxy_id = galaxy_id[other]
        scores = similarity(query, fractions[other], weights)
        best = np.lexsort((galaxy_id, -scores))[:k]
        return galaxy_id[best], scores[best]


def known_part(query: npt.ArrayLike, weights: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Query and weights, both 0 where the query is unknown."""
    p = np.asarray(query, np.float64)
    known = ~np.isnan(p)
    return np.where(known, p, 0.0), np.where(known, np.asarray(weights, np.float64), 0.0)
