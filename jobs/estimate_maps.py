"""`explain` of a classifier or regressor: which pixels drove it, as maps and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from zoolens.catalog.explain.estimates import (
    draw_estimates,
    estimate_map_tables,
    estimating_model,
)
from zoolens.catalog.images.loading import image_batch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.engines import choose_engine
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.parts.cells import cells, read_cells
from zoolens.catalog.paths import explanations_dir
from zoolens.catalog.store.galaxies import (
    galaxies_of_run,
    galaxies_with_image,
    galaxy_ids,
    names_of,
)
from zoolens.catalog.store.outdated import clear_outdated, warn_of
from zoolens.catalog.store.rejects import Reject, add_rejects
from zoolens.catalog.store.shards import Part, as_they_are, fill, here
from zoolens.catalog.store.store import Store

BATCH = 16  # galaxies that pass the encoder together
SHARD = 8  # batches committed at a time


@dataclass(frozen=True)
class EstimateMapsReport:
    """What `explain` did with a classifier or regressor.

    explained: galaxies that got maps now; total: by the run, earlier ones included; rejects:
    images refused now; figures: the files drawn; undrawn: why others were not; changed: whether
    the catalogue was added to or a figure drawn.
    """

    job: ClassVar[str] = "explain"
    page: ClassVar[None] = None
    run_id: int
    explained: int
    total: int
    rejects: int
    figures: tuple[Path, ...]
    undrawn: tuple[str, ...]
    changed: bool

    @property
    def summary(self) -> str:
        done = f"{self.explained:,} galaxies, {self.total:,} in all; {self.rejects:,} refused"
        if not self.figures:
            return done
        drawn = len({figure.stem for figure in self.figures})
        return f"{done}; {drawn:,} figure{'s' * (drawn != 1)} in {self.figures[0].parent}"

    @property
    def notes(self) -> tuple[str, ...]:
        return ("the maps are in the view estimate_maps", *self.undrawn)


def only_estimates(catalog: Path) -> bool:
    """Whether a catalogue has estimates, and no predictions of votes."""
    with Store.open(catalog, read_only=True) as store:
        return store.shown_run("predict") is None and store.shown_run("estimate") is not None


def explain_estimates(
    catalog: Path,
    names: Sequence[str] = (),
    *,
    everything: bool = False,
    model: str | None = None,
    engine: str = "auto",
    out: Path | None = None,
) -> EstimateMapsReport:
    """Store HiResCAM maps, at the last block, of what a classifier or regressor estimates.

    names: of the galaxies, which are drawn too, or with `everything` each that has an image, of
    which none is. out: folder of the figures, beside the catalogue unless given. model: where
    the model of the estimates that show is, unless it is where it was. Maps are of each class's
    probability, or of the value, over the dropout samples of the estimates, as `Explainer` makes
    them. Galaxies that the run has maps of are left alone, and images that are missing or refused
    become rejects. Raises `CatalogError` and its kinds for what the user can put right.
    """
    with Store.open(catalog) as store, ImageReader() as reader:
        warn_of(store, "estimate")
        imaged = galaxies_with_image(store)
        chosen = [] if everything else galaxy_ids(store, names)
        wanted = imaged if everything else np.unique(np.array(chosen, np.int64))
        explained = estimating_model(store, model, choose_engine(engine, len(wanted)))
        run = store.begin(
            "estimate_maps",
            explained.config,
            model_sha256=explained.model.sha256,
            origin={"model": explained.source, "engine": explained.explainer.engine},
        )
        renewed = clear_outdated(store, run)
        before = galaxies_of_run(store, run, "estimate_map")
        waiting = np.setdiff1d(wanted, before)
        imageless = np.setdiff1d(waiting, imaged)
        called = names_of(store, imageless)
        reason = "missing image: none was ingested"
        refused = [Reject(str(store.path), None, called[i], reason) for i in imageless.tolist()]
        rejects = add_rejects(store, run, refused)
        waiting = np.intersect1d(waiting, imaged)

        batches = read_cells(store, cells(imaged, waiting, BATCH))
        read = partial(image_batch, reader, explained.view)
        filled = fill(
            store,
            run,
            (Part(batch, len(batch)) for batch in batches),
            lambda batch: estimate_map_tables(read(batch), explained),
            read=as_they_are,
            describe="explaining",
            total=len(waiting),
            executor=torch_in_order if explained.explainer.shareable else here,
            together=SHARD,
        )
        rejects += filled["reject"]
        total = len(galaxies_of_run(store, run, "estimate_map"))
        changed = store.conclude(run, added=total > len(before) or rejects + renewed > 0)
        files: list[Path] = []
        undrawn: list[str] = []
        if chosen:
            folder = out or explanations_dir(catalog)
            files, undrawn = draw_estimates(store, run, explained, reader, chosen, folder)
        return EstimateMapsReport(
            run.run_id,
            total - len(before),
            total,
            rejects,
            tuple(files),
            tuple(undrawn),
            changed or bool(files),
        )
