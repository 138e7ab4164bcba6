"""A small catalogue with everything that a release can hold, and one of another kind."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from tests.made.catalogues import (
    TOY,
    add_votes,
    catalogue,
    expected_fractions,
    random_concentrations,
    random_counts,
)
from tests.made.covered import covered
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.explain.rows import in_galaxy_order, map_rows, statistic_rows
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.store import Store
from zoolens.jobs.index import index
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut

N, SIDE = 30, 5
EXPLAINED = range(0, N, 3)
TITLE = Title(
    "Toy galaxies", "1.0", ("Founder, A.; 0000-0002-1825-0097", "Galaxy Zoo"), "CC-BY-4.0"
)
FORMATS = ("parquet", "fits", "votable", "csv", "hats")
EVERYTHING = Cut(formats=FORMATS, counterparts=10, cubes=True)


def full_catalogue(path: Path, *, tree: DecisionTree = TOY, seed: int = 0) -> Path:
    """Votes, predictions of all but the last two galaxies, losses, index and some maps.

    The last galaxy has no votes on anything, the last but one votes but no prediction. Those of
    one tree and seed are copies of one.
    """
    for ending, content in _full_files(tree, seed).items():
        path.with_name(path.stem + ending).write_bytes(content)
    return path


@cache
def _full_files(tree: DecisionTree, seed: int) -> dict[str, bytes]:
    """The file of a catalogue and those of its index, by what their names end in."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "gz.duckdb"
        _fill(path, tree, seed)
        files = path.parent.iterdir()
        return {file.name.removeprefix(path.stem): file.read_bytes() for file in files}


def _fill(path: Path, tree: DecisionTree, seed: int) -> None:
    counts = random_counts(N, tree, seed=seed)
    counts[N - 1] = 0
    concentrations = random_concentrations(N - 2, tree=tree, seed=seed + 1)
    names = [f"J{n:06d}.00+0000{n % 60:02d}.0" for n in range(N)]
    catalogue(path, counts[: N - 2], concentrations=concentrations, tree=tree, names=names[: N - 2])
    with Store.open(path) as store:
        add_votes(store, counts[N - 2 :], names=names[N - 2 :])
        # all over the sky
        store.execute("UPDATE galaxy SET ra = (galaxy_id * 97) % 360, dec = galaxy_id * 5 - 70")
        random = np.random.default_rng(seed)
        maps = random.normal(size=(2, len(EXPLAINED), len(tree.labels), SIDE, SIDE))
        config = {"predict_run": store.newest_run("predict"), "samples": 0}
        run = store.begin("explain", config)
        mean, sd = maps.astype(np.float32)
        masks = ([np.eye(SIDE), None] * len(EXPLAINED))[: len(EXPLAINED)]
        neighbour = np.zeros((SIDE, SIDE))
        neighbour[:2, 3:] = 1
        where = covered(masks, (SIDE, SIDE), neighbour)
        expected = expected_fractions(concentrations[EXPLAINED], tree)
        raised = fractions_of(mean, tree)
        tables = {
            "saliency_map": map_rows([*EXPLAINED], mean, abs(sd), tree),
            "saliency_stat": in_galaxy_order(
                [
                    statistic_rows([*EXPLAINED], "concentration", mean, where),
                    statistic_rows([*EXPLAINED], "fraction", raised, where, expected),
                ]
            ),
        }
        store.commit(run, "all", tables)
        store.finish(run)
    score(path)
    index(path)


def fractions_of(maps: npt.NDArray[np.float32], tree: DecisionTree) -> npt.NDArray[np.float64]:
    """Maps (N, A, h, w) as of fractions: small, and those of a question add up to 0."""
    made = 0.01 * maps.astype(np.float64)
    for where in tree.slices:
        made[:, where] -= made[:, where].mean(axis=1, keepdims=True)
    return made


def view_rows(path: Path, sql: str) -> list[dict[str, Any]]:
    """What a query of a catalogue finds."""
    with Store.open(path, read_only=True) as store:
        found: list[dict[str, Any]] = store.arrow(sql).to_pylist()
    return found


def released_galaxies(cut: Path) -> pd.DataFrame:
    """The table of galaxies of a release, by name."""
    return pq.read_table(cut / "galaxies.parquet").to_pandas().set_index("iauname")
