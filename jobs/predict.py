"""`predict`: images through a model into posteriors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere, few
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.bundled import BUNDLED, name_of, settled
from zoolens.catalog.network.engines import check_precision, choose_engine
from zoolens.catalog.network.ensemble import (
    Member,
    load_ensemble,
    origin_of,
    settings_of,
    sha256_of_models,
)
from zoolens.catalog.network.model import check_draw, load_model
from zoolens.catalog.parts.computing import Agreed, ThroughFolder, as_here, unseen
from zoolens.catalog.parts.filling import check_elsewhere, fill_from_parts, plan_run
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.predictions.from_images import fill_from_images
from zoolens.catalog.predictions.posterior import REACH
from zoolens.catalog.predictions.recipe import ModelFile, PredictRecipe
from zoolens.catalog.store.galaxies import galaxies_of_run, galaxies_with_image
from zoolens.catalog.store.ingests import check_tree, settle_tree, settled_tree
from zoolens.catalog.store.outdated import clear_outdated
from zoolens.catalog.store.rejects import commonest_reason
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.trees.telling import tree_of
from zoolens.jobs.reports import PredictReport
from zoolens.jobs.settings import Inference


def predict(
    catalog: Path,
    model: str | Sequence[str] = BUNDLED,
    inference: Inference = Inference(),
    *,
    tree: str | DecisionTree | None = None,
    batch_size: int = 32,
    through: ThroughFolder | None = None,
) -> PredictReport:
    """Concentrations, and what follows from them, of every galaxy with an image.

    model: checkpoint or a model's name (`catalog.network.model.load_model`), or `bundled`, the one
    that comes with Zoolens for the tree; or several, whose samples
    are pooled in that order (`catalog.network.ensemble`); in another order they are another run.
    inference: how each predicts, as it would alone. tree: of a catalogue that has none yet, by
    name or file, or itself; told from the labels of the first model unless given. A model of one
    channel makes its view greyscale. The engine is recorded but
    does not make another run, since all give the same up to rounding; another precision does.
    through: where parts are computed, if not here.
    Galaxies that the run has predicted before are left alone, so the same call resumes what was
    interrupted, adds what is new since, and tries again what it had refused.

    Raises `ModelRefused` for the model, and `CatalogError` if no galaxy has a
    usable image or the settings do not suit the model.
    """
    with Store.open(catalog) as store, ImageReader() as reader:
        agreed = through.agreed if through else as_here
        work = _work(store, model, inference, tree, agreed, batch_size)
        imaged, recipe = work.imaged, work.recipe
        settle_tree(store, recipe.tree)
        if through:
            check_elsewhere(store, recipe, imaged, through)
        run = store.begin(**work.as_run)
        renewed = clear_outdated(store, run)
        waiting = np.setdiff1d(imaged, galaxies_of_run(store, run, "prediction"))
        filled = (
            fill_from_parts(store, run, recipe, imaged, waiting, through, "predicting")
            if through
            else fill_from_images(
                store,
                run,
                imaged,
                waiting,
                lambda: recipe.with_members(work.members, reader),
                batch_size,
                "predicting",
            )
        )
        galaxies, rejects = filled["posterior"], filled["reject"]
        total = len(galaxies_of_run(store, run, "prediction"))
        if not total:
            raise NothingHere(
                f"no image could be used: {commonest_reason(store, run)}; the reasons: "
                "zoolens sql 'FROM rejects'"
            )
        changed = store.conclude(run, added=galaxies + rejects + renewed > 0)
        return PredictReport(
            run.run_id,
            galaxies,
            total,
            rejects,
            inference.samples,
            work.members[0].model.missing_questions(recipe.tree),
            changed,
            len(work.members),
            inference.orientations,
            work.said,
        )


def plan(
    catalog: Path,
    folder: Path,
    model: str | Sequence[str],
    inference: Inference = Inference(),
    *,
    tree: str | DecisionTree | None = None,
) -> Plan | None:
    """Write the plan of what `predict` would compute into a folder; None if nothing waits.

    The catalogue is only read, and an engine cuda needs no GPU here. Raises as `predict` does.
    """
    with Store.open(catalog, read_only=True) as store:
        work = _work(store, model, inference, tree, unseen(inference.engine))
        check_tree(store, work.recipe.tree)
        return plan_run(store, folder, work.recipe, work.imaged, **work.as_run)


@dataclass(frozen=True)
class _Work:
    """What a call is to do: of the galaxies with an image, how, and as which run."""

    imaged: Ids
    members: Sequence[Member]
    recipe: PredictRecipe
    config: dict[str, Any]
    said: tuple[str, ...]

    @property
    def as_run(self) -> dict[str, Any]:
        """What `Store.begin` takes."""
        return {
            "job": "predict",
            "config": self.config,
            "model_sha256": sha256_of_models(self.members),
            "origin": {**origin_of(self.members), "engine": self.recipe.engine},
        }


def _work(
    store: Store,
    model: str | Sequence[str],
    inference: Inference,
    tree: str | DecisionTree | None,
    agreed: Agreed,
    batch_size: int = 32,
) -> _Work:
    """agreed: the engine of those who compute, if what is best here could be another."""
    models = _listed(model)
    check_draw(inference.samples, inference.seed, len(models), inference.orientations)
    check_precision(inference.precision)
    imaged = galaxies_with_image(store)
    if not len(imaged):
        raise NothingHere(
            f"no galaxy of {store.path} has an image; add them with: zoolens ingest --images FOLDER"
        )
    engine = agreed(partial(choose_engine, inference.engine, len(imaged)))
    known = (get_tree(tree) if isinstance(tree, str) else tree) or settled_tree(store)
    models, said = settled(models, known)
    own = _tree(models, known)
    members = load_ensemble(models, own, inference.view, inference.grey_as_colour)
    recipe = PredictRecipe(
        tuple(map(ModelFile.of, members)),
        own,
        inference.samples,
        inference.seed if inference.samples else 0,  # nothing is drawn: any seed is the same run
        engine,
        inference.precision,
        inference.orientations,
        batch_size,
    )
    config = {
        "samples": recipe.samples,
        "seed": recipe.seed,
        "tree": own.name,
        "reach": REACH,
        **settings_of(members),
    }
    if recipe.precision != "float32":
        config["precision"] = recipe.precision
    if recipe.orientations > 1:
        config["orientations"] = recipe.orientations
    return _Work(imaged, members, recipe, config, said)


def check(
    model: str | Sequence[str], tree: DecisionTree | None, inference: Inference
) -> DecisionTree:
    """Raises as `predict` does for its settings, and a model that does not suit them.

    tree: that of the catalogue, None if it has none yet. Returns the one that it then has.
    """
    models, _ = settled(_listed(model), tree)
    check_draw(inference.samples, inference.seed, len(models), inference.orientations)
    check_precision(inference.precision)
    choose_engine(inference.engine, 1)
    tree = _tree(models, tree)
    load_ensemble(models, tree, inference.view, inference.grey_as_colour)
    return tree


def model_unless_named(catalog: Path) -> str:
    """The bundled model, or that one of them which predicted before.

    Raises `CatalogError` if another model, or a file, did: its predictions are not to be hidden.
    """
    with Store.open(catalog, read_only=True) as store:
        run = store.shown_run("predict") or store.shown_run("estimate")
    if run is None:
        return BUNDLED
    origin = run.config.get("origin", {})
    sources = origin.get("models") or [origin.get("model") or origin.get("predictions", "a file")]
    if len(sources) == 1 and name_of(sources[0]):
        return str(sources[0])
    raise CatalogError(
        f"run {run.run_id} has predicted already, from {few(sources)}: give that again to go on, "
        "or another: --model CHECKPOINT, --model bundled or --predictions FILE"
    )


def _tree(models: Sequence[str], tree: DecisionTree | None) -> DecisionTree:
    """The tree of a catalogue; where it has none, that of the first model's labels."""
    return tree or tree_of(load_model(models[0]).labels, source=models[0], whole=True)


def _listed(model: str | Sequence[str]) -> Sequence[str]:
    return [model] if isinstance(model, str) else model
