"""`explain`: which pixels drove the predictions, as stored maps, figures and a page."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.choice import Choice, Subject, choose, find_subjects
from zoolens.catalog.explain.drawing import draw
from zoolens.catalog.explain.maps import check_derivable
from zoolens.catalog.explain.model import ExplainedModel, explained_model
from zoolens.catalog.explain.recipe import MapRecipe
from zoolens.catalog.explain.rows import saliency_tables
from zoolens.catalog.images.loading import image_batch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.bundled import settled
from zoolens.catalog.network.engines import choose_engine
from zoolens.catalog.network.ensemble import origin_of
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import load_model
from zoolens.catalog.parts.cells import cells, read_cells
from zoolens.catalog.parts.computing import Agreed, ThroughFolder, unseen
from zoolens.catalog.parts.filling import check_elsewhere, fill_from_parts, plan_run
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.paths import explanations_dir
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.store.galaxies import (
    galaxies_of_run,
    galaxies_with_image,
    names_of,
)
from zoolens.catalog.store.outdated import clear_outdated, warn_of
from zoolens.catalog.store.rejects import Reject, add_rejects
from zoolens.catalog.store.shards import Executor, Keys, Part, Tables, as_they_are, fill, here
from zoolens.catalog.store.store import Run, Store
from zoolens.jobs.reports import InNotebook
from zoolens.jobs.settings import Maps, Which

BATCH = 16  # galaxies that pass the encoder together
SHARD = 8  # batches committed at a time


@dataclass(frozen=True)
class ExplainReport(InNotebook):
    """What `explain` did.

    run_id: of the run that has the maps; explained: galaxies that got maps now; total: by the run,
    earlier ones included; rejects: images refused now; figures, page: the files drawn; changed:
    whether the catalogue was added to or a figure drawn; caveats: what to know of all figures,
    also written on them; notes: what else to know, one sentence each.
    """

    job: ClassVar[str] = "explain"
    run_id: int
    explained: int
    total: int
    rejects: int
    figures: tuple[Path, ...]
    page: Path | None
    changed: bool
    caveats: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        done = f"{self.explained:,} galaxies, {self.total:,} in all; {self.rejects:,} refused"
        if not self.figures:
            return done
        drawn = len({figure.stem for figure in self.figures})
        return f"{done}; {drawn:,} figure{'s' * (drawn != 1)} in {self.figures[0].parent}"


def explain(
    catalog: Path,
    which: Which,
    maps: Maps = Maps(),
    *,
    of: Of = "fraction",
    out: Path | None = None,
    figures: bool = True,
    through: ThroughFolder | None = None,
    subjects: list[Subject] | None = None,
) -> ExplainReport:
    """Store the maps of galaxies for all answers; draw them for one answer each.

    which: the galaxies, and the answer to draw; with figures also the observed and the
    predicted counterpart of each, which need the files of `jobs.index`. maps: how they are
    made; the model that made the newest predictions comes with its dropout masks and view.
    Another method, layer or model than those of the predictions is a run for comparison,
    which the views show with `history.` before their names. Its engine is recorded as
    `predict` does (`catalog.saliency.closed_forms` says where OpenVINO serves). of: what
    the drawn maps are of, "fraction", "concentration" or "cross_entropy"; the stored
    ones are of concentrations, and the others are made as they are drawn. out: folder of
    figures and page, beside the catalogue unless given; the page shows the galaxies of this call.
    through: where parts are computed, if not here. subjects: to draw, with counterparts that were
    found elsewhere.

    Galaxies that the run has maps of are not explained again. Images that are missing
    or refused become rejects, and are tried again by the next call. Raises
    `CatalogError` and its kinds for what the user can put right.
    """
    with Store.open(catalog) as store, ImageReader() as reader:
        check_derivable(of, sd=False)
        if of == "cross_entropy":
            store.needs_votes("a map of the loss")
        warn_of(store, "predict", *(["score"] if which.worst is not None else []))
        tree = store.tree
        answer_id = None if which.answer is None else tree.answer_id(which.answer)
        if which.everything and not figures:
            wanted, drawn = galaxies_with_image(store), []
        else:
            choices = choose(store, which) if subjects is None else []
            drawn = subjects or []
            if figures and subjects is None:
                drawn = find_subjects(
                    store, choices, min_votes=which.min_votes, exchange=which.exchange
                )
            wanted = _wanted(choices, drawn)
        agreed = through.agreed if through else None
        explained, recipe, said = _recipe(store, maps, len(wanted), agreed)
        _check_answer(explained, tree, answer_id)
        if of == "cross_entropy":
            _check_loss(explained)
        if through:
            check_elsewhere(store, recipe, galaxies_with_image(store), through)
        run = store.begin(**_as_run(explained, recipe))
        renewed = clear_outdated(store, run)
        before = len(galaxies_of_run(store, run, "saliency_map"))
        rejects = _explain_missing(store, run, explained, reader, wanted, recipe, through)
        total = len(galaxies_of_run(store, run, "saliency_map"))
        changed = store.conclude(run, added=total > before or rejects + renewed > 0)
        apart = run.run_id if explained.comparison else None
        folder = out or explanations_dir(catalog, apart)
        files, page = draw(store, run, explained, reader, drawn, of, folder)
        return ExplainReport(
            run.run_id,
            total - before,
            total,
            rejects,
            files,
            page,
            changed or bool(files),
            explained.notes,
            said,
        )


def plan(catalog: Path, folder: Path, maps: Maps = Maps()) -> Plan | None:
    """Write the plan of maps of every galaxy with an image into a folder; None if nothing waits.

    The catalogue is only read, and an engine cuda needs no GPU here. Raises as `explain` does.
    """
    with Store.open(catalog, read_only=True) as store:
        warn_of(store, "predict")
        wanted = galaxies_with_image(store)
        explained, recipe, _ = _recipe(store, maps, len(wanted), unseen(maps.engine))
        return plan_run(store, folder, recipe, wanted, **_as_run(explained, recipe))


def _as_run(explained: ExplainedModel, recipe: MapRecipe) -> dict[str, Any]:
    """What `Store.begin` takes."""
    return {
        "job": "comparison" if explained.comparison else "explain",
        "config": explained.config,
        "model_sha256": explained.sha256,
        "origin": {**origin_of(explained.members), "engine": recipe.engine},
    }


def _recipe(
    store: Store, maps: Maps, images: int, agreed: Agreed | None
) -> tuple[ExplainedModel, MapRecipe, tuple[str, ...]]:
    """What is explained, how, and what to say of its models.

    agreed: the engine of those who compute it elsewhere, if what is best here could be another.
    """
    best = partial(choose_engine, maps.engine, images)
    engine = agreed(best) if agreed else best()
    there = agreed is not None and engine == "cuda"  # no GPU may be here
    models, said = settled(maps.models, store.tree)
    run_by = "torch" if there else engine
    explained = explained_model(store, models, maps.method, maps.layer, run_by, maps.grey_as_colour)
    if not there:
        _check_engine(explained, maps.engine)
    used = engine if there else explained.explainer.engine
    return explained, replace(MapRecipe.of(explained, store.tree, BATCH), engine=used), said


def check(catalog: Path, which: Which, maps: Maps) -> None:
    """Raises as `explain` does for galaxies, answers and models that cannot be explained."""
    with Store.open(catalog, read_only=True) as store:
        if which.answer is not None:
            store.tree.answer_id(which.answer)
        if not which.everything:
            choose(store, which)
        for source in settled(maps.models, store.tree)[0]:
            load_model(source).for_tree(store.tree)


def _check_engine(explained: ExplainedModel, engine: str) -> None:
    if engine not in ("auto", explained.explainer.engine):
        raise CatalogError(
            f"engine {engine} explains networks at their last block alone, and not "
            f"{explained.architecture} at {explained.explainer.layer}; choose the engine torch"
        )


def _check_loss(explained: ExplainedModel) -> None:
    """The losses of the catalogue are those of the model that predicted."""
    if not explained.predicted:
        models = " ".join(f"--model {member.source}" for member in explained.members)
        raise CatalogError(
            "a map of the loss needs the predictions of the model that is explained; do first: "
            f"zoolens predict {models}"
        )


def _check_answer(explained: ExplainedModel, tree: DecisionTree, answer_id: int | None) -> None:
    missing = explained.model.missing_questions(tree)
    if answer_id is not None and tree.questions[tree.question_of[answer_id]].name in missing:
        raise CatalogError(
            f"the model has no answer {tree.labels[answer_id]}; it lacks {', '.join(missing)}"
        )


def _wanted(choices: Sequence[Choice], subjects: Sequence[Subject]) -> Ids:
    """Galaxies to explain, in order: those chosen and those they are drawn with."""
    chosen = {choice.galaxy_id for choice in choices}
    return np.array(sorted(chosen.union(*(subject.galaxies for subject in subjects))), np.int64)


def _explain_missing(
    store: Store,
    run: Run,
    explained: ExplainedModel,
    reader: ImageReader,
    wanted: Ids,
    recipe: MapRecipe,
    through: ThroughFolder | None,
) -> int:
    """Commit the maps that the run lacks, in shards; how many images were refused."""
    waiting = np.setdiff1d(wanted, galaxies_of_run(store, run, "saliency_map"))
    imaged = galaxies_with_image(store)
    imageless = np.setdiff1d(waiting, imaged)
    names = names_of(store, imageless)
    refused = add_rejects(
        store,
        run,
        [
            Reject(str(store.path), None, names[galaxy_id], "missing image: none was ingested")
            for galaxy_id in imageless.tolist()
        ],
    )
    waiting = np.setdiff1d(waiting, imageless)
    if through is not None:
        added = fill_from_parts(store, run, recipe, imaged, waiting, through, "explaining")
        return refused + added["reject"]
    batches = read_cells(store, cells(imaged, waiting, BATCH))
    read = partial(image_batch, reader, explained.view)
    make = partial(
        saliency_tables, explainer=explained.explainer, model=explained.model, tree=store.tree
    )

    def filled(
        parts: Iterable[Part[Keys]], work: Callable[[Keys], Tables], executor: Executor
    ) -> Counter[str]:
        return fill(
            store,
            run,
            parts,
            work,
            read=as_they_are,
            describe="explaining",
            total=len(waiting),
            executor=executor,
            together=SHARD,
        )

    if explained.explainer.shareable:
        batched = (Part(batch, len(batch)) for batch in batches)
        added = filled(batched, lambda batch: make(read(batch)), torch_in_order)
    else:  # only images on several threads
        seen = (Part(images, images.asked) for images in torch_in_order(read, batches))
        added = filled(seen, make, here)
    return refused + added["reject"]
