"""The model that is explained: the one that made the predictions, or another."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.segments import SEGMENTATION
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import (
    ZoobotModel,
    check_size,
    dropout_masks,
    load_model,
    path_of,
)
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.store.store import Run, Store

_SAMPLES, _SEED = 30, 0  # as in `predict`, for a model that has made no predictions here
_METHODS = {"hirescam": "HiResCAM", "gradcam": "GradCAM"}
_REFERENCES = {
    "hirescam": "HiResCAM (Draelos & Carin 2021)",
    "gradcam": "GradCAM (Selvaraju et al. 2017), signed",
}


@dataclass(frozen=True)
class ExplainedModel:
    """A model with everything that its maps depend on.

    predicted: whether it also made the newest predictions; it then explains them with the same
    masks and view. comparison: whether its maps are for comparison with those of another
    model, method or layer, which the views show.
    """

    model: ZoobotModel
    explainer: Explainer
    view: View
    source: str
    samples: int
    seed: int
    predict_run: Run

    @property
    def comparison(self) -> bool:
        another = self.predict_run.model_sha256 is not None and not self.predicted
        return another or self.explainer.method != "hirescam" or not self.explainer.is_last_block

    @property
    def predicted(self) -> bool:
        return self.model.sha256 == self.predict_run.model_sha256

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of an explain run, which with the model's checksum identifies it."""
        return {
            "predict_run": self.predict_run.run_id if self.predicted else None,
            "method": self.explainer.method,
            "layer": self.explainer.layer,
            "samples": self.samples,
            "seed": self.seed,
            "view": self.view.config(),
            "segmentation": SEGMENTATION,
        }

    def provenance(self, run: Run) -> str:
        """One line for the foot of a figure."""
        samples = f"{self.samples} dropout samples" if self.samples else "dropout off"
        return (
            f"{_METHODS[self.explainer.method]} at {self.explainer.layer}, {samples}, bilinear; "
            f"{self.model.architecture}, SHA-256 {self.model.sha256[:12]}…; explain run "
            f"{run.run_id}, predictions of run {self.predict_run.run_id}."
        )

    @property
    def reference(self) -> str:
        """The method and who published it."""
        return _REFERENCES[self.explainer.method]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of every figure."""
        if self.predicted:
            return ()
        return (
            f"The predictions are those of run {self.predict_run.run_id}, not of the model that "
            "is explained.",
        )


def explained_model(
    store: Store,
    source: str | None,
    method: str,
    layer: str | None,
    engine: str = "torch",
    grey_as_colour: bool = False,
) -> ExplainedModel:
    """The model of the newest predictions, or the one in `source`.

    Samples, seed and view are those of the predictions if a model made them; but another model
    that names its own view gets that, and `grey_as_colour` adds to either. Raises
    `CatalogError` if predictions came from a file and no model is named, `ModelRefused` for a
    model that cannot be used or has changed since it predicted.
    """
    run = store.run(store.newest_run("predict"))
    return _explained(store, run, source, method, layer, engine, grey_as_colour)


def explained_again(store: Store, run: Run) -> ExplainedModel:
    """The model of an explain run, with all that its maps depend on, for more maps of it.

    The run explains the model that predicted. Raises `ModelRefused` if the model is no longer
    there or has changed, naming the ways out.
    """
    predictions = store.run(int(run.config["predict_run"]))
    source = _origin(run).get("model")
    method, layer = run.config["method"], run.config["layer"]
    as_colour = run.config.get("view", {}).get("grey_as_colour", False)
    again = _explained(store, predictions, source, method, layer, grey_as_colour=as_colour)
    if again.model.sha256 != run.model_sha256:
        raise ModelRefused(
            f"{source} is no longer the model of run {run.run_id}; ask for maps of the "
            "concentration, which are stored"
        )
    return again


def _explained(
    store: Store,
    run: Run,
    source: str | None,
    method: str,
    layer: str | None,
    engine: str = "torch",
    grey_as_colour: bool = False,
) -> ExplainedModel:
    loaded = _load(run, source).for_tree(store.tree)
    view = View(**run.config["view"]) if "view" in run.config else View()
    if loaded.view is not None and loaded.sha256 != run.model_sha256:
        view = loaded.view
    grey = loaded.channels == 1
    as_colour = (grey_as_colour or view.grey_as_colour) and not grey
    view = replace(view, greyscale=grey, grey_as_colour=as_colour)
    check_size(loaded, view.size)
    samples, seed = run.config.get("samples", _SAMPLES), run.config.get("seed", _SEED)
    masks = dropout_masks(samples, loaded.weight.shape[1], loaded.dropout_rate, seed)
    explainer = Explainer(loaded, masks, size=view.size, layer=layer, method=method, engine=engine)
    path = path_of(source or _origin(run)["model"])
    return ExplainedModel(loaded, explainer, view, path, samples, seed, run)


def _load(run: Run, source: str | None) -> ZoobotModel:
    if source is not None:
        return load_model(source)
    recorded = _origin(run).get("model")
    if recorded is None:
        raise CatalogError(
            f"the predictions of run {run.run_id} came from a file; name the model to explain "
            "with --model CHECKPOINT"
        )
    try:
        loaded = load_model(recorded)
    except ModelRefused as error:
        raise ModelRefused(
            f"{error}; it made the predictions of run {run.run_id}: say where it is with "
            "--model CHECKPOINT"
        ) from None
    if loaded.sha256 != run.model_sha256:
        raise ModelRefused(
            f"{recorded} is no longer the model that made the predictions of run {run.run_id}; "
            "predict again, or name the model with --model CHECKPOINT"
        )
    return loaded


def _origin(run: Run) -> Mapping[str, str]:
    origin: Mapping[str, str] = run.config.get("origin", {})
    return origin
