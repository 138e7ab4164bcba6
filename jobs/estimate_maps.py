"""`explain` of a classifier or regressor: which pixels drove it, as maps and figures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.explain.estimates import (
    EstimatingModel,
    draw_estimates,
    estimate_map_tables,
    estimating_model,
)
from zoolens.catalog.explain.recipe import EstimateMapRecipe
from zoolens.catalog.images.loading import image_batch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.engines import choose_engine
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.parts.cells import cells, read_cells
from zoolens.catalog.parts.computing import Agreed, ThroughFolder, unseen
from zoolens.catalog.parts.filling import check_elsewhere, fill_from_parts, plan_run
from zoolens.catalog.parts.plan import Plan
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
from zoolens.catalog.store.store import Run, Store
from zoolens.jobs.reports import InNotebook
from zoolens.jobs.settings import Maps

BATCH = 16  # galaxies that pass the encoder together
SHARD = 8  # batches committed at a time


@dataclass(frozen=True)
class EstimateMapsReport(InNotebook):
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
    through: ThroughFolder | None = None,
) -> EstimateMapsReport:
    """Store HiResCAM maps, at the last block, of what a classifier or regressor estimates.

    names: of the galaxies, which are drawn too, or with `everything` each that has an image, of
    which none is. out: folder of the figures, beside the catalogue unless given. model: where
    the model of the estimates that show is, unless it is where it was. through: where parts are
    computed, if not here. Maps are of each class's probability, or of the value, over the dropout
    samples of the estimates, as `Explainer` makes them. Galaxies that the run has maps of are left
    alone, and images that are missing or refused become rejects. Raises `CatalogError` and its
    kinds for what the user can put right.
    """
    with Store.open(catalog) as store, ImageReader() as reader:
        warn_of(store, "estimate")
        imaged = galaxies_with_image(store)
        chosen = [] if everything else galaxy_ids(store, names)
        wanted = imaged if everything else np.unique(np.array(chosen, np.int64))
        agreed = through.agreed if through else None
        explained, recipe = _recipe(store, model, engine, len(wanted), agreed)
        if through:
            check_elsewhere(store, recipe, imaged, through)
        run = store.begin(**_as_run(explained, recipe))
        renewed = clear_outdated(store, run)
        before = galaxies_of_run(store, run, "estimate_map")
        waiting = np.setdiff1d(wanted, before)
        imageless = np.setdiff1d(waiting, imaged)
        called = names_of(store, imageless)
        reason = "missing image: none was ingested"
        refused = [Reject(str(store.path), None, called[i], reason) for i in imageless.tolist()]
        rejects = add_rejects(store, run, refused)
        waiting = np.intersect1d(waiting, imaged)

        filled = (
            fill_from_parts(store, run, recipe, imaged, waiting, through, "explaining")
            if through
            else _fill_here(store, run, explained, reader, imaged, waiting)
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


def plan(catalog: Path, folder: Path, maps: Maps = Maps()) -> Plan | None:
    """Write the plan of maps of every galaxy with an image into a folder; None if nothing waits.

    The catalogue is only read, and an engine cuda needs no GPU here. Raises as
    `explain_estimates` does.
    """
    model = maps.models[0] if maps.models else None
    with Store.open(catalog, read_only=True) as store:
        warn_of(store, "estimate")
        wanted = galaxies_with_image(store)
        explained, recipe = _recipe(store, model, maps.engine, len(wanted), unseen(maps.engine))
        return plan_run(store, folder, recipe, wanted, **_as_run(explained, recipe))


def _recipe(
    store: Store, model: str | None, engine: str, images: int, agreed: Agreed | None
) -> tuple[EstimatingModel, EstimateMapRecipe]:
    """What is explained, and how.

    agreed: the engine of those who compute it elsewhere, if what is best here could be another.
    """
    best = partial(choose_engine, engine, images)
    chosen = agreed(best) if agreed else best()
    there = agreed is not None and chosen == "cuda"  # no GPU may be here
    explained = estimating_model(store, model, "torch" if there else chosen)
    used = chosen if there else explained.explainer.engine
    return explained, EstimateMapRecipe.of(explained, used, BATCH)


def _as_run(explained: EstimatingModel, recipe: EstimateMapRecipe) -> dict[str, Any]:
    """What `Store.begin` takes."""
    return {
        "job": "estimate_maps",
        "config": explained.config,
        "model_sha256": explained.model.sha256,
        "origin": {"model": explained.source, "engine": recipe.engine},
    }


def _fill_here(
    store: Store,
    run: Run,
    explained: EstimatingModel,
    reader: ImageReader,
    imaged: Ids,
    waiting: Ids,
) -> Counter[str]:
    """Commit the maps of waiting galaxies, of those with an image; how many rows, by table."""
    explainer, names = explained.explainer, explained.model.labels
    return fill(
        store,
        run,
        (Part(batch, len(batch)) for batch in read_cells(store, cells(imaged, waiting, BATCH))),
        lambda batch: estimate_map_tables(
            image_batch(reader, explained.view, batch), explainer, names
        ),
        read=as_they_are,
        describe="explaining",
        total=len(waiting),
        executor=torch_in_order if explainer.shareable else here,
        together=SHARD,
    )
