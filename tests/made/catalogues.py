"""Small catalogues made from arrays, without files, images or a model."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema
from zoolens.catalog.votes.standing import vote_table

TOY = DecisionTree(
    "toy",
    (
        Question("shape", ("smooth", "disk", "star")),
        Question("round", ("yes", "no"), ("shape_smooth",)),
        Question("bar", ("strong", "weak", "no"), ("shape_disk",)),
        Question("merging", ("merger", "none"), ("shape_smooth", "shape_disk")),
    ),
)


def random_counts(
    galaxies: int, tree: DecisionTree = TOY, *, seed: int = 0, most: int = 40
) -> npt.NDArray[np.float64]:
    """Whole votes (N, A); about a quarter of the questions are asked of nobody."""
    random = np.random.default_rng(seed)
    counts = np.zeros((galaxies, len(tree.labels)))
    for where in tree.slices:
        width = where.stop - where.start
        asked = random.integers(1, most + 1, galaxies) * (random.random(galaxies) < 0.75)
        shares = random.dirichlet(np.full(width, 0.7), galaxies)
        counts[:, where] = random.multinomial(asked, shares)
    return counts


def random_concentrations(
    galaxies: int, samples: int = 3, tree: DecisionTree = TOY, *, seed: int = 1
) -> npt.NDArray[np.float32]:
    """Concentrations (N, T, A) in Zoobot's range, 1..101."""
    random = np.random.default_rng(seed)
    shape = (galaxies, samples, len(tree.labels))
    return (1 + 100 * random.beta(0.5, 2, shape)).astype(np.float32)


def question_totals(counts: npt.ArrayLike, tree: DecisionTree = TOY) -> npt.NDArray[np.float64]:
    """Sum of the counts of each question, (N, A) -> (N, Q)."""
    return np.add.reduceat(np.asarray(counts, float), [s.start for s in tree.slices], axis=1)


def expected_fractions(
    concentrations: npt.ArrayLike, tree: DecisionTree = TOY
) -> npt.NDArray[np.float64]:
    """Expected vote fractions, mean over samples: (N, T, A) -> (N, A)."""
    alpha = np.asarray(concentrations, np.float64)
    return np.concatenate(
        [alpha[..., s] / alpha[..., s].sum(-1, keepdims=True) for s in tree.slices], axis=-1
    ).mean(axis=1)


@cache
def _blank() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "gz.duckdb"
        with Store.open(path, create=True):
            pass
        return path.read_bytes()


def blank(path: Path) -> Path:
    """A catalogue file of nothing, a copy of one: the migrations that make it take long."""
    path.write_bytes(_blank())
    return path


def catalogue(
    path: Path,
    counts: npt.ArrayLike,
    *,
    totals: npt.ArrayLike | None = None,
    concentrations: npt.ArrayLike | None = None,
    tree: DecisionTree = TOY,
    names: Sequence[str] | None = None,
) -> Path:
    """A catalogue file with votes and, where concentrations are given, a prediction run.

    counts (N, A); totals (N, Q), the sums of the counts unless given;
    concentrations (N, T, A). Galaxies are called G0000, G0001, … and numbered from 0.
    """
    with Store.open(blank(path)) as store:
        store.set_tree(tree)
        add_votes(store, counts, totals=totals, names=names)
        if concentrations is not None:
            add_predictions(store, concentrations)
    return path


def add_votes(
    store: Store,
    counts: npt.ArrayLike,
    *,
    totals: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> list[int]:
    """Ingest new galaxies in a run of their own; returns their numbers."""
    tree = store.tree
    counts = np.asarray(counts, np.float64)
    asked = question_totals(counts, tree) if totals is None else np.asarray(totals, np.float64)
    first = int(store.value("SELECT coalesce(max(galaxy_id) + 1, 0) FROM galaxy"))
    ids = np.arange(first, first + len(counts))
    names = [f"G{i:04d}" for i in ids] if names is None else names
    run = store.begin("ingest", {"votes_sha256": f"from {first}"})
    galaxies = pa.table(
        {
            "galaxy_id": pa.array(ids, pa.int64()),
            "iauname": pa.array(list(names), pa.string()),
            "ra": pa.array(10.0 + 0.1 * ids, pa.float64()),
            "dec": pa.array(np.full(len(ids), 5.0), pa.float64()),
        }
    )
    votes = vote_table(tree, ids, counts, asked, np.ones(asked.shape, bool))
    store.commit(run, "votes", {"galaxy": galaxies, "vote": votes})
    store.finish(run)
    return ids.tolist()


def add_galaxies(store: Store, galaxies: int) -> list[int]:
    """Ingest new galaxies without votes, in a run of their own; returns their numbers."""
    first = int(store.value("SELECT coalesce(max(galaxy_id) + 1, 0) FROM galaxy"))
    ids = list(range(first, first + galaxies))
    run = begin_ingest(store, {"galaxies_sha256": f"from {first}", "tree": None}, {}, None)
    rows = [{"galaxy_id": i, "iauname": f"G{i:04d}", "ra": None, "dec": None} for i in ids]
    store.commit(run, "all", {"galaxy": pa.Table.from_pylist(rows, schema=arrow_schema("galaxy"))})
    with store.transaction():
        finish_ingest(store, run)
    return ids


def add_images(store: Store, images: Iterable[Mapping[str, object]]) -> None:
    """Ingest images, given by the columns of their table, in a run of their own."""
    rows = [dict(image) for image in images]
    run = store.begin("ingest", {"images": [row["source"] for row in rows]})
    table = pa.Table.from_pylist(rows, schema=arrow_schema("image"))
    store.commit(run, "images", {"image": table})
    finish_ingest(store, run)


def add_predictions(
    store: Store,
    concentrations: npt.ArrayLike,
    *,
    galaxy_ids: Sequence[int] | None = None,
    seed: int = 0,
    shard: str = "all",
    **settings: object,
) -> int:
    """A complete prediction run of galaxies, all unless named; returns its number.

    Called again with the same seed and another shard name it extends that run.
    settings: of its configuration too.
    """
    alpha = np.asarray(concentrations, np.float32)
    galaxies, samples, answers = alpha.shape
    tree = store.tree
    ids = np.arange(galaxies) if galaxy_ids is None else np.asarray(galaxy_ids)
    config = {"samples": samples, "seed": seed, "tree": tree.name, **settings}
    run = store.begin("predict", config, model_sha256="00" * 32)
    rows = [a.tobytes() for a in alpha.astype("<f4")]
    tables = {
        "prediction": _predictions(
            ids, expected_fractions(alpha, tree), tree, _reach(alpha, tree)
        ).set_column(2, "concentration", pa.array(alpha.mean(axis=1).ravel(), pa.float32())),
        "posterior": pa.table(
            {
                "galaxy_id": pa.array(ids, pa.int64()),
                "samples": pa.array([samples] * galaxies, pa.int32()),
                "answers": pa.array([answers] * galaxies, pa.int32()),
                "concentrations": pa.array(rows, pa.binary()),
            }
        ),
        "question_prediction": pa.table(
            {
                "galaxy_id": pa.array(np.repeat(ids, len(tree.questions)), pa.int64()),
                "question_id": pa.array(
                    np.tile(np.arange(len(tree.questions)), galaxies), pa.int32()
                ),
                "mutual_information": np.full(galaxies * len(tree.questions), 0.01),
            }
        ),
    }
    store.commit(run, shard, tables)
    store.finish(run)
    return run.run_id


def add_fractions(
    store: Store, fractions: npt.ArrayLike, *, galaxy_ids: Sequence[int] | None = None
) -> int:
    """A complete prediction run of plain fractions (N, A), as adopted from a file."""
    fractions = np.asarray(fractions, np.float64)
    ids = np.arange(len(fractions)) if galaxy_ids is None else np.asarray(galaxy_ids)
    tree = store.tree
    run = store.begin("predict", {"predictions_sha256": "11" * 32, "tree": tree.name})
    store.commit(run, "all", {"prediction": _predictions(ids, fractions, tree)})
    store.finish(run)
    return run.run_id


def _reach(alpha: npt.NDArray[np.float32], tree: DecisionTree) -> npt.NDArray[np.float64]:
    """Mean over samples of each one's reach: (N, T, A) -> (N, Q)."""
    samples = [expected_fractions(alpha[:, [t]], tree) for t in range(alpha.shape[1])]
    return np.mean([tree.reach(fractions) for fractions in samples], axis=0)


def _predictions(
    ids: npt.NDArray[Any],
    fractions: npt.NDArray[np.float64],
    tree: DecisionTree,
    reach: npt.NDArray[np.float64] | None = None,
) -> pa.Table:
    galaxies, answers = fractions.shape
    missing = pa.nulls(galaxies * answers, pa.float32())
    reach = (tree.reach(fractions) if reach is None else reach)[:, tree.question_of]
    return pa.table(
        {
            **_keys(ids, answers),
            "concentration": missing,
            "fraction": pa.array(fractions.ravel(), pa.float64(), from_pandas=True),
            "fraction_sd": missing,
            "fraction_lo": missing,
            "fraction_hi": missing,
            "reach": pa.array(reach.ravel().astype(np.float32), pa.float32(), from_pandas=True),
        }
    )


def _keys(ids: npt.NDArray[Any], answers: int) -> dict[str, pa.Array]:
    return {
        "galaxy_id": pa.array(np.repeat(ids, answers), pa.int64()),
        "answer_id": pa.array(np.tile(np.arange(answers), len(ids)), pa.int32()),
    }
