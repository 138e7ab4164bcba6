"""`index`: vote fractions into the two similarity indexes beside the catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import CatalogError
from catalog.fractions import Ids, compared_galaxies, read_predictions, read_votes
from catalog.index_files import KINDS, built_from, note_files, sound_files, write_index
from catalog.progress import Bar, progress
from catalog.similarity import (
    BLOCK,
    Block,
    make_block,
    observed_candidates,
    predicted_candidates,
)
from catalog.store import Store


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
        sound = sound_files(store)
        if sound and all(sound.values()):
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
                blocks = _blocks(store, kind, predict_run, galaxies, bar)
                sums[kind] = write_index(catalog, kind, blocks)
        note_files(store, sums)
        run = store.begin("index", {"built_from": built_from(store), "sha256": sums})
        store.finish(run)
        return IndexReport(run.run_id, True, len(galaxies))


def _blocks(store: Store, kind: str, predict_run: int, galaxies: Ids, bar: Bar) -> Iterator[Block]:
    tree = store.tree
    for start in range(0, len(galaxies), BLOCK):
        ids = galaxies[start : start + BLOCK]
        if kind == "observed":
            candidates = observed_candidates(read_votes(store, tree, ids).tree_counts, tree)
        else:
            candidates = predicted_candidates(read_predictions(store, tree, predict_run, ids)[0])
        yield make_block(tree, ids, candidates)
        bar.advance(len(ids))
