"""Counterparts without a pass over all candidates: FAISS's inverted lists.

The candidates are divided into lists by k-means; a query looks through the lists whose
centres promise most (Sivic & Zisserman 2003; Johnson et al. 2019). What it finds is
ranked by the same float64 scores as in an exact search, but a candidate in a list that
was not looked through is missed: how many are, on this catalogue, is measured when the
lists are made.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from catalog.similarity import Floats, Ids, SimilarityIndex, known_part
from catalog.weights import PAPER_FACTOR

RECALL = 0.95  # asked for, of the best ten
_BEST = 10
_QUERIES = 200
_PER_LIST = 39  # candidates a list that k-means is trained on, FAISS's fewest
_ROUNDS = 10


@dataclass(frozen=True)
class Lists:
    """How many lists there are, how many are looked through, and the recall of that."""

    lists: int
    probes: int
    recall: float


class ApproximateIndex:
    """The lists of FAISS, and the exact index whose candidates they hold, by place."""

    def __init__(self, lists: Any, exact: SimilarityIndex, probes: int) -> None:
        self._lists, self._exact = lists, exact
        self._probes = probes

    def search(
        self, query: npt.ArrayLike, weights: npt.ArrayLike, k: int, *, exclude: int | None = None
    ) -> tuple[Ids, Floats]:
        """As `SimilarityIndex.search`, but that some of the best may be missed."""
        p, w = known_part(query, weights)
        left = np.concatenate([w * p, w])
        left /= np.abs(left).max() or 1.0  # float32 holds no weight of 1e39
        fetch = min(4 * k + 64, len(self._exact))
        chosen = faiss.SearchParametersIVF(nprobe=self._probes)  # type: ignore[call-arg]
        _, places = self._lists.search(left[None].astype(np.float32), fetch, params=chosen)
        found = np.sort(places[0][places[0] >= 0])
        return self._exact.rank(query, weights, found, k, exclude=exclude)


def build_lists(exact: SimilarityIndex, path: Path) -> Lists:
    """Write the lists of an index's candidates to `path`, and measure them.

    As many are looked through as it takes to find 95 % of the best ten of 200 galaxies'
    own fractions, a random answer of each weighing five times as much, and half of
    their questions asked of nobody. The same candidates give the same lists.
    """
    size = len(exact)
    number = max(1, min(round(4 * size**0.5), size // _PER_LIST))
    random = np.random.default_rng(0)
    sample = np.sort(random.choice(size, min(size, _PER_LIST * number), replace=False))
    trained = _vectors(exact.at(sample)[1])
    width = trained.shape[1]
    centres = faiss.IndexFlatIP(width)
    lists = faiss.IndexIVFFlat(centres, width, number, faiss.METRIC_INNER_PRODUCT)
    lists.cp.niter, lists.cp.seed = _ROUNDS, 0
    lists.train(trained)
    for block in exact.blocks:
        lists.add(_vectors(block.fractions))
    faiss.write_index(lists, str(path))
    return _measured(lists, exact, number, random)


def read_lists(path: Path) -> Any:
    """FAISS's lists, mapped into memory. It trusts what it reads: check the file first."""
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)


def _measured(
    lists: Any, exact: SimilarityIndex, number: int, random: np.random.Generator
) -> Lists:
    rows = random.choice(len(exact), min(_QUERIES, len(exact)), replace=False)
    queries = exact.at(np.sort(rows))[1].copy()
    answers = queries.shape[1]
    weights = np.ones_like(queries)
    weights[np.arange(len(rows)), random.integers(0, answers, len(rows))] = PAPER_FACTOR
    queries[random.random(queries.shape) < 0.5] = np.nan
    best = [ids for ids, _ in exact.search_many(queries, weights, _BEST)]
    probes = 1
    while True:
        index = ApproximateIndex(lists, exact, probes)
        found = [index.search(*pair, _BEST)[0] for pair in zip(queries, weights, strict=True)]
        hits = sum(len(np.intersect1d(*pair)) for pair in zip(best, found, strict=True))
        recall = hits / sum(map(len, best))
        if recall >= RECALL or probes >= number:
            return Lists(number, probes, recall)
        probes = min(2 * probes, number)


def _vectors(fractions: Floats) -> npt.NDArray[np.float32]:
    """Right-hand sides of the inner product, (N, 2 A), of fractions (N, A)."""
    others = np.log1p(-fractions)
    return np.hstack([np.log(fractions) - others, others]).astype(np.float32)
