"""Approximate search, faster than a pass over all columns: FAISS's product quantiser.

For each candidate and answer four bits are kept: which of 16 points its fraction is nearest
to (Jégou et al. 2011, searched as by André et al. 2017: a query's scores of the 16 points fit
into registers). The scores of all candidates are estimated from these codes, in an eighth to a
twelfth of the bytes, and the most promising are ranked by the same float64 scores as in an
exact search. A candidate with too low an estimate is missed. How many are, on this catalogue,
is measured when the codes are made.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Floats, Ids
from zoolens.catalog.similarity.exact import Block, SimilarityIndex, known_part
from zoolens.catalog.similarity.exchange import default_weights, part_exchanged

RECALL = 0.95  # required: share of the true best ten that are found
_BEST = 10
_QUERIES = 200
_FEWEST = 256  # candidates ranked exactly, at least: they take a tenth of a search
_BITS = 4
_TRAINED = 256 * 2**_BITS  # candidates to fit the points to, as many as FAISS uses
_SPARED = 4  # times fewer than all are estimated, or all are searched exactly
_PART = 2**19  # candidates that one thread estimates at a time
_SCHEMA = pa.schema({"codes": pa.large_binary()})


@dataclass(frozen=True)
class Codes:
    """How many candidates are ranked exactly after the estimate, and the recall so reached."""

    ranked: int
    recall: float


class ApproximateIndex:
    """FAISS's codes of all candidates, in the order of the exact index that they belong to.

    parts: codes of the first `_PART` candidates, of the next, and so on. ranked: how many
    candidates are ranked exactly for the best ten; more if more are asked for.
    """

    def __init__(self, parts: Sequence[Any], exact: SimilarityIndex, ranked: int) -> None:
        self._parts, self._exact, self._ranked = parts, exact, ranked
        self._starts = np.cumsum([0, *(part.ntotal for part in parts)])
        self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))

    def search(
        self,
        query: npt.ArrayLike,
        weights: npt.ArrayLike,
        k: int,
        *,
        exclude: int | None = None,
        among: Flags | None = None,
    ) -> tuple[Ids, Floats]:
        """As `SimilarityIndex.search`, except that some of the best may be missed.

        As many of those that count are ranked exactly as without `among`. Codes have no masks, so
        more are estimated the fewer count; where that is most of them, the search is exact.
        """
        most = max(self._ranked, self._ranked * (k + 1) // _BEST)
        p, w = known_part(query, weights)
        left = np.stack([w * p, w], axis=1).reshape(1, -1)
        left /= np.abs(left).max() or 1.0  # float32 cannot hold a weight of 1e39
        count = len(self._exact) if among is None else int(np.count_nonzero(among))
        asked = most * len(self._exact) // max(1, count)
        least = len(self._exact) // (1 if among is None else _SPARED)
        while asked < least and most < count:
            places = self._promising(left, asked)
            if among is not None:
                places = places[among[places]]
            if len(places) >= most:
                return self._exact.rank(query, weights, np.sort(places), k, exclude=exclude)
            asked *= 2
        return self._exact.search(query, weights, k, exclude=exclude, among=among)

    def _promising(self, left: Floats, most: int) -> Ids:
        """Places of the candidates with the best estimates."""
        found = [*self._pool.map(lambda part: _best(part, left, most), self._parts)]
        scores = np.concatenate([estimates for estimates, _ in found])
        places = np.concatenate(
            [at + start for (_, at), start in zip(found, self._starts, strict=False)]
        )
        if len(places) > most:
            places = places[np.argpartition(scores, -most)[-most:]]
        return places


def build_codes(exact: SimilarityIndex, path: Path) -> Codes:
    """Write the codes of an index's candidates to `path`, and measure them.

    So many candidates are ranked exactly that 95 % of the best ten are found. That is
    measured with queries made from 200 galaxies' fractions: those of a question are another
    galaxy's and weigh five times as much, and about half of the questions count as not
    asked. The same candidates give the same codes.
    """
    random = np.random.default_rng(0)
    empty = _fitted(exact, random)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
        for part in _parts(exact.blocks, empty):
            codes = pa.array([faiss.serialize_index(part).tobytes()], pa.large_binary())
            writer.write_batch(pa.record_batch([codes], schema=_SCHEMA))
    return _measured(read_codes(path), exact, random)


def read_codes(path: Path) -> list[Any]:
    """The codes, in parts. FAISS trusts what it reads: check the file first."""
    content = pa.ipc.open_file(pa.memory_map(str(path)))
    batches = (content.get_batch(number) for number in range(content.num_record_batches))
    return [
        faiss.deserialize_index(np.frombuffer(batch["codes"][0].as_buffer(), np.uint8))
        for batch in batches
    ]


def _fitted(exact: SimilarityIndex, random: np.random.Generator) -> Any:
    """Codes without candidates, whose points are fitted to some of the candidates."""
    sample = np.sort(random.choice(len(exact), min(len(exact), _TRAINED), replace=False))
    vectors = _vectors(exact.at(sample)[1])
    answers = vectors.shape[1] // 2
    codes = faiss.IndexPQFastScan(2 * answers, answers, _BITS, faiss.METRIC_INNER_PRODUCT)
    codes.pq.cp.seed, codes.pq.cp.min_points_per_centroid = 0, 1
    if len(vectors) < 2**_BITS:  # k-means needs at least one per point
        vectors = np.resize(vectors, (2**_BITS, vectors.shape[1]))
    codes.train(vectors)
    return codes


def _parts(blocks: Sequence[Block], empty: Any) -> Iterator[Any]:
    """Codes of the candidates, `_PART` at a time, all with the same points."""
    part = faiss.clone_index(empty)
    for block in blocks:
        if part.ntotal + len(block.galaxy_id) > _PART:
            yield part
            part = faiss.clone_index(empty)
        part.add(_vectors(block.fractions))
    yield part


def _best(part: Any, left: Floats, most: int) -> tuple[npt.NDArray[np.float32], Ids]:
    """Estimated scores and places of the most promising candidates of a part."""
    scores, places = part.search(left.astype(np.float32), min(most, part.ntotal))
    there = places[0] >= 0
    return scores[0][there], places[0][there]


def _measured(parts: Sequence[Any], exact: SimilarityIndex, random: np.random.Generator) -> Codes:
    """How many candidates to rank, doubled until the required recall is reached."""
    rows = np.sort(random.choice(len(exact), min(_QUERIES, len(exact)), replace=False))
    ids, queries = exact.at(rows)
    queries, weights = _counterfactual(queries, exact, random)
    best = [found for found, _ in exact.search_many(queries, weights, _BEST, exclude=ids.tolist())]
    ranked = _FEWEST
    while True:
        index = ApproximateIndex(parts, exact, ranked)
        hits = sum(
            len(np.intersect1d(index.search(query, weight, _BEST, exclude=one)[0], those))
            for query, weight, one, those in zip(queries, weights, ids.tolist(), best, strict=True)
        )
        recall = hits / max(1, sum(map(len, best)))
        if recall >= RECALL or ranked >= len(exact):
            return Codes(ranked, recall)
        ranked *= 2


def _counterfactual(
    fractions: Floats, exact: SimilarityIndex, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Queries and weights (n, A) like those of a search for counterparts."""
    rows, answers = np.arange(len(fractions)), fractions.shape[1]
    queries = fractions.copy()
    question = exact.tree.question_of
    unasked = random.random((len(rows), question.max() + 1)) < 0.5
    queries[unasked[:, question]] = np.nan
    part = part_exchanged(exact.tree, random.integers(0, answers, len(rows)), "question")
    return np.where(part, fractions[random.permutation(rows)], queries), default_weights(part)


def _vectors(fractions: Floats) -> npt.NDArray[np.float32]:
    """Right-hand sides of the inner product, (N, 2 A): two numbers per answer, side by side."""
    others = np.log1p(-fractions)
    pairs = np.stack([np.log(fractions) - others, others], axis=2)
    return pairs.reshape(len(fractions), -1).astype(np.float32)
