"""`predict`: images through a model into posteriors."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.engines import check_precision, choose_engine
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import (
    ZoobotModel,
    check_size,
    dropout_masks,
    load_model,
    path_of,
)
from zoolens.catalog.predictions.from_images import Predictor
from zoolens.catalog.predictions.posterior import REACH
from zoolens.catalog.store.galaxies import galaxies_of_run, galaxies_with_image, in_batches
from zoolens.catalog.store.ingests import settle_tree, settled_tree
from zoolens.catalog.store.outdated import clear_outdated
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.trees.telling import tree_of
from zoolens.jobs.reports import PredictReport
from zoolens.jobs.settings import Inference

SHARD = 256  # galaxies committed at a time, about
_MOST_SAMPLES = 1000


def predict(
    catalog: Path,
    model: str,
    inference: Inference = Inference(),
    *,
    tree: str | None = None,
    batch_size: int = 32,
) -> PredictReport:
    """Concentrations, and what follows from them, of every galaxy with an image.

    model: checkpoint or hub name (`catalog.network.model.load_model`). inference: how it
    predicts. tree: of a catalogue that has none yet, by name or file; told from the model's labels
    unless given. A model of one channel makes the view greyscale. The engine is recorded but
    does not make another run, since all give the same up to rounding; another precision does.
    Galaxies that the run has predicted before are left alone, so the same call resumes what was
    interrupted, adds what is new since, and tries again what it had refused.

    Raises `ModelRefused` for the model, and `CatalogError` if no galaxy has a
    usable image or the settings do not suit the model.
    """
    samples, seed, precision = inference.samples, inference.seed, inference.precision
    _check_settings(inference)
    with Store.open(catalog) as store, ImageReader() as reader:
        imaged = galaxies_with_image(store)
        if not len(imaged):
            raise CatalogError(
                f"no galaxy of {catalog} has an image; add them with: "
                "zoolens ingest --images FOLDER"
            )
        engine = choose_engine(inference.engine, len(imaged))
        named = None if tree is None else get_tree(tree)
        loaded, view, own = _load(model, named or settled_tree(store), inference.view)
        settle_tree(store, own)
        seed = seed if samples else 0  # nothing is drawn: any seed is the same run
        config = {
            "samples": samples,
            "seed": seed,
            "view": view.config(),
            "tree": own.name,
            "reach": REACH,
        }
        if precision != "float32":
            config["precision"] = precision
        run = store.begin(
            "predict",
            config,
            model_sha256=loaded.sha256,
            origin={"model": path_of(model), "architecture": loaded.architecture, "engine": engine},
        )
        renewed = clear_outdated(store, run)
        masks = dropout_masks(samples, loaded.weight.shape[1], loaded.dropout_rate, seed)
        ready = partial(
            Predictor.prepared, engine, loaded, masks, view, own, reader, precision=precision
        )
        galaxies, rejects = _predict_all(store, run, imaged, ready, batch_size)
        total = len(galaxies_of_run(store, run, "prediction"))
        if not total:
            raise CatalogError("no image could be used; the reasons: zoolens sql 'FROM rejects'")
        changed = store.conclude(run, added=galaxies + rejects + renewed > 0)
        return PredictReport(
            run.run_id,
            galaxies,
            total,
            rejects,
            samples,
            loaded.missing_questions(own),
            changed,
        )


def check(model: str, tree: DecisionTree | None, inference: Inference) -> DecisionTree:
    """Raises as `predict` does for its settings, and a model that does not suit them.

    tree: that of the catalogue, None if it has none yet. Returns the one that it then has.
    """
    _check_settings(inference)
    choose_engine(inference.engine, 1)
    return _load(model, tree, inference.view)[2]


def _check_settings(inference: Inference) -> None:
    samples, seed = inference.samples, inference.seed
    if not 0 <= samples <= _MOST_SAMPLES:
        raise CatalogError(f"{samples} dropout samples asked; choose 0 to {_MOST_SAMPLES}")
    if not 0 <= seed < 2**63:
        raise CatalogError(f"a seed of {seed} asked; choose 0 to 2**63 - 1")
    check_precision(inference.precision)


def _load(
    model: str, tree: DecisionTree | None, view: View | None
) -> tuple[ZoobotModel, View, DecisionTree]:
    """The model with the answers of the tree, or of its own, and the view: `view`, or its own."""
    loaded = load_model(model)
    tree = tree or tree_of(loaded.labels, source=model)
    loaded = loaded.for_tree(tree)
    view = view or loaded.view or View()
    if view.greyscale and loaded.channels != 1:
        raise CatalogError(f"{model} takes colour images; leave out the greyscale view")
    check_size(loaded, view.size)
    return loaded, replace(view, greyscale=loaded.channels == 1), tree


def _predict_all(
    store: Store, run: Run, imaged: Ids, ready: Callable[[], Predictor], batch_size: int
) -> tuple[int, int]:
    """Commit what the run lacks, in shards; how many galaxies, how many new rejects."""
    waiting = np.setdiff1d(imaged, galaxies_of_run(store, run, "prediction"))
    if len(waiting) == 0:
        return 0, 0
    filled = fill(
        store,
        run,
        (Part(batch, len(batch)) for batch in in_batches(store, waiting, batch_size)),
        ready().tables,
        read=as_they_are,
        describe="predicting",
        total=len(waiting),
        executor=torch_in_order,
        together=max(1, SHARD // batch_size),
    )
    return filled["posterior"], filled["reject"]
