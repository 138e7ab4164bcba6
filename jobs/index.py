"""`index`: vote fractions into the two similarity indexes beside the catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import CatalogError
from catalog.fractions import Floats, Ids, compared_galaxies, read_predictions, read_votes
from catalog.index_files import KINDS, built_from, checksum, is_current, write_index
from catalog.progress import Bar, progress
from catalog.similarity import SimilarityIndex, observed_candidates, predicted_candidates
from catalog.store import Store

SHARD = 20_000  # galaxies in memory at a time


@dataclass(frozen=True)
class IndexReport:
    """What `index` did; `changed` is False where the files were current already."""

    run_id: int
    changed: bool
    galaxies: int

    @property
    def summary(self) -> str:
        return f"{self.galaxies:,} galaxies with votes and predictions"


def index(catalog: Path) -> IndexReport:
    """Build the indexes, unless those that are there are undamaged and up to date.

    They hold the galaxies with votes and predictions. The same votes and predictions
    give the same bytes. Raises `CatalogError` where there is no such galaxy.
    """
    with Store.open(catalog, read_only=True) as store:
        if is_current(store):
            galaxies = compared_galaxies(store, store.newest_run("predict"))
            return IndexReport(store.newest_run("index"), False, len(galaxies))
    with Store.open(catalog) as store:
        predict_run = store.newest_run("predict")
        galaxies = compared_galaxies(store, predict_run)
        if len(galaxies) == 0:
            raise CatalogError(
                f"no galaxy of {catalog} has both votes and predictions; add some with: "
                "zoolens predict"
            )
        sums = {}
        with progress("index", len(KINDS) * len(galaxies)) as bar:
            for kind in KINDS:
                parts = _parts(store, kind, predict_run, galaxies, bar)
                data = SimilarityIndex.build(len(store.tree.labels), parts).to_bytes()
                write_index(catalog, kind, data)
                sums[kind] = checksum(data)
        run = store.begin("index", {"built_from": built_from(store), "sha256": sums})
        store.finish(run)
        return IndexReport(run.run_id, True, len(galaxies))


def _parts(
    store: Store, kind: str, predict_run: int, galaxies: Ids, bar: Bar
) -> Iterator[tuple[Ids, Floats]]:
    tree = store.tree
    for ids in np.split(galaxies, range(SHARD, len(galaxies), SHARD)):
        if kind == "observed":
            yield ids, observed_candidates(read_votes(store, tree, ids).tree_counts, tree)
        else:
            yield ids, predicted_candidates(read_predictions(store, tree, predict_run, ids)[0])
        bar.advance(len(ids))
