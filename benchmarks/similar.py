"""Counterpart queries and scores: ours beside the paper's way, DuckDB, NumPy and FAISS.

    python -m benchmarks.similar [GALAXIES [REPEATS]]

Writes raw times, in seconds, to results/similar.json; ratios are for whoever reads it.
Votes and predictions are synthetic (GZD-5 tree), since only the shape matters; every
method must find the same counterparts, which is checked.
"""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import faiss
import numpy as np
import pandas as pd
import pyarrow as pa

from catalog.counterparts import find_counterparts
from catalog.decision_tree import DecisionTree, get_tree
from catalog.fractions import Floats, Ids, compared_galaxies, read_predictions, read_votes
from catalog.similarity import SimilarityIndex, observed_candidates, similarity
from catalog.store import Store
from jobs.index import index
from jobs.score import SHARD, answer_losses, score
from tests.catalogues import catalogue, random_concentrations, random_counts

K = 10
LOOP_ROWS = 20_000  # the paper's loop is slow: not all galaxies
RESULTS = Path(__file__).parent / "results" / "similar.json"

_CE_IN_SQL = """INSERT INTO loss BY NAME
SELECT -1 AS run_id, p.galaxy_id, p.answer_id, y AS observed, p.fraction AS predicted, ce,
    1.0 AS weight, ce AS weighted_ce, p.reach * ce AS reach_weighted_ce, total AS total_votes
FROM (SELECT galaxy_id, answer_id, total, CASE WHEN total > 0 THEN count / total END AS y
    FROM vote JOIN answer USING (answer_id)
    JOIN run r ON r.run_id = vote.run_id AND r.status = 'complete'
    ANTI JOIN superseded s ON s.run_id = vote.run_id AND s.galaxy_id = vote.galaxy_id
        AND s.question_id = answer.question_id) v
JOIN (SELECT *, fraction AS q FROM prediction WHERE run_id = ?) p USING (galaxy_id, answer_id),
LATERAL (SELECT CASE y WHEN 0 THEN 0 ELSE -y * ln(q) END
    + CASE y WHEN 1 THEN 0 ELSE -(1 - y) * ln(1 - q) END AS ce)
ORDER BY galaxy_id, answer_id"""


def timed(call: Callable[[], Any], repeats: int) -> tuple[list[float], Any]:
    """Seconds of each repeat, and the last result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return seconds, result


def papers_loop(query: Floats, candidates: pd.DataFrame, weights: Floats) -> pd.Series:
    """The paper's way: a pandas row at a time."""
    scores = {}
    for number, row in candidates.iterrows():
        q = row.to_numpy()
        scores[number] = np.sum(weights * (query * np.log(q) + (1 - query) * np.log(1 - q)))
    return pd.Series(scores)


def time_queries(counts: Floats, tree: DecisionTree, repeats: int) -> dict[str, Any]:
    """Top `K` of one query among all galaxies, by each method."""
    candidates = observed_candidates(counts, tree)
    ids = np.arange(len(candidates), dtype=np.int64)
    random = np.random.default_rng(0)
    query, weights = candidates[17], np.add(random.random(candidates.shape[1]), 0.1)
    left = np.concatenate([weights * query, weights]).astype(np.float32)
    others = np.log1p(-candidates)
    right = np.hstack([np.log(candidates) - others, others]).astype(np.float32)
    frame = pd.DataFrame(candidates[:LOOP_ROWS])
    flat = faiss.IndexFlatIP(right.shape[1])
    flat.add(right)
    ours = SimilarityIndex.build(candidates.shape[1], [(ids, candidates)])
    connection = duckdb.connect()
    width = right.shape[1]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(right.ravel()), width)
    arrow = pa.table({"id": ids, "v": vectors})
    connection.register("arrow", arrow)
    connection.execute(f"CREATE TABLE t AS SELECT id, CAST(v AS FLOAT[{width}]) AS v FROM arrow")
    in_sql = f"SELECT id FROM t ORDER BY array_inner_product(v, CAST(? AS FLOAT[{width}])) DESC"

    def by_numpy() -> Ids:
        scores = similarity(query, candidates, weights)
        return ids[np.lexsort((ids, -scores))[:K]]

    methods: dict[str, Callable[[], Any]] = {
        "paper_pandas_loop": lambda: papers_loop(query, frame, weights).nlargest(K).index,
        "numpy_float64_formula": by_numpy,
        "numpy_float32_product": lambda: np.argpartition(right @ left, -K)[-K:],
        "duckdb_array_inner_product": lambda: connection.execute(
            f"{in_sql} LIMIT {K}", [left.tolist()]
        ).fetchall(),
        "faiss_flat": lambda: flat.search(left[None], K)[1][0],
        "ours_exact": lambda: ours.search(query, weights, K, lambda wanted: candidates[wanted])[0],
    }
    expected = similarity(query, candidates, weights)[by_numpy()]
    result: dict[str, Any] = {}
    for name, call in methods.items():
        seconds, found = timed(call, 1 if name == "paper_pandas_loop" else repeats)
        rows = LOOP_ROWS if name == "paper_pandas_loop" else len(candidates)
        result[name] = {"galaxies": rows, "seconds": seconds}
        if rows == len(candidates):
            numbers = np.array(found, np.int64).ravel()
            scores = np.sort(similarity(query, candidates[numbers], weights))[::-1]
            np.testing.assert_allclose(scores, expected, rtol=1e-6)  # ties in any order
    return result


def time_jobs(folder: Path, counts: Floats, tree: DecisionTree, repeats: int) -> dict[str, Any]:
    """`score`, `index` and whole counterpart queries on a catalogue, and scores in SQL."""
    concentrations = random_concentrations(len(counts), 5, tree)
    path = catalogue(folder / "gz.duckdb", counts, concentrations=concentrations, tree=tree)
    result: dict[str, Any] = {"samples": 5, "index": timed(lambda: index(path), 1)[0]}
    result["score"] = timed(lambda: score(path, weights="none"), 1)[0]
    result["score_again"] = timed(lambda: score(path, weights="none"), repeats)[0]
    with Store.open(path) as store:
        run = store.newest_run("predict")
        result["score_cross_entropy_in_sql"] = timed(lambda: store.execute(_CE_IN_SQL, [run]), 1)[0]
        result["score_cross_entropy_in_numpy"] = timed(lambda: ce_in_numpy(store, tree, run), 1)[0]
        off = store.value(
            "SELECT max(abs(s.ce - l.ce)) FROM loss s JOIN loss l USING (galaxy_id, answer_id) "
            "WHERE s.run_id = -1 AND l.run_id <> -1"
        )
        if not off < 1e-9:
            raise AssertionError(f"SQL and NumPy differ by {off}")
        galaxy = int(np.flatnonzero(counts[:, 0])[17])
        result["find_counterparts"] = timed(
            lambda: find_counterparts(store, galaxy, 0, k=K), repeats + 1
        )[0]  # the first one also reads the index files
    return result


def ce_in_numpy(store: Store, tree: DecisionTree, predict_run: int) -> None:
    """What `score` does for cross-entropy, without the likelihood."""
    run = store.begin("benchmark", {})
    galaxies = compared_galaxies(store, predict_run)
    for ids in np.split(galaxies, range(SHARD, len(galaxies), SHARD)):
        predicted, reach = read_predictions(store, tree, predict_run, ids)
        votes = read_votes(store, tree, ids)
        rows = answer_losses(votes, predicted, reach, np.ones(len(tree.labels)))
        store.commit(run, f"{ids[0]}", {"loss": rows})


def main() -> None:
    """Measure, check, write."""
    galaxies = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    tree = get_tree("gzd5")
    counts = random_counts(galaxies, tree)
    with tempfile.TemporaryDirectory() as folder:
        results = {
            "galaxies": galaxies,
            "answers": len(tree.labels),
            "k": K,
            "machine": {
                "cores": os.cpu_count(),
                "architecture": platform.machine(),
                "openmp_threads": faiss.omp_get_max_threads(),
            },
            "versions": {
                "python": platform.python_version(),
                "duckdb": duckdb.__version__,
                "faiss": faiss.__version__,
                "numpy": np.__version__,
                "pandas": pd.__version__,
            },
            "queries": time_queries(counts, tree, repeats),
            "jobs": time_jobs(Path(folder), counts, tree, repeats),
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"{RESULTS}")


if __name__ == "__main__":
    main()
