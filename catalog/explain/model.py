"""The model, or models, that are explained: those that made the predictions, or others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.explain.members import MapMaker, explainer_of, members_of, sources_of
from zoolens.catalog.images.segments import SEGMENTATION
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import (
    Member,
    sha256_of_models,
)
from zoolens.catalog.network.model import ZoobotModel
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.store.store import Run, Store

_SAMPLES, _SEED = 30, 0  # as in `predict`, for a model that has made no predictions here
_METHODS = {"deeplift": "DeepLIFT", "hirescam": "HiResCAM", "gradcam": "GradCAM"}
_REFERENCES = {
    "deeplift": "DeepLIFT (Shrikumar et al. 2017), through the head by Aumann & Shapley (1974)",
    "hirescam": "HiResCAM (Draelos & Carin 2021)",
    "gradcam": "GradCAM (Selvaraju et al. 2017), signed",
}


@dataclass(frozen=True)
class ExplainedModel:
    """A model, or several pooled, with everything that its maps depend on.

    members: in the order of the predictions; view: what the images are loaded in. predicted:
    whether it also made the newest predictions; it then explains them with the same
    masks and view. comparison: whether its maps are for comparison with those of another
    model, method or layer, which the views show. method, layer: as they were asked for.
    orientations: that each image is seen in.
    """

    members: Sequence[Member]
    explainer: MapMaker
    view: View
    samples: int
    seed: int
    predict_run: Run
    method: str = "deeplift"
    layer: str | Sequence[str] | None = None
    orientations: int = 1

    @property
    def model(self) -> ZoobotModel:
        """The model, or the first of several, all of which answer the same questions."""
        return self.members[0].model

    @property
    def sha256(self) -> str:
        """Of the model's file; of several as in the ledger."""
        return sha256_of_models(self.members)

    @property
    def architecture(self) -> str:
        """Of the model; of several how many there are, and of which architectures."""
        named = ", ".join(dict.fromkeys(member.model.architecture for member in self.members))
        return f"{len(self.members)} models ({named})" if len(self.members) > 1 else named

    @property
    def chosen(self) -> bool:
        """Whether method or layer were named."""
        return self.method != "deeplift" or self.layer is not None

    @property
    def comparison(self) -> bool:
        another = self.predict_run.model_sha256 is not None and not self.predicted
        return another or self.chosen

    @property
    def predicted(self) -> bool:
        return self.sha256 == self.predict_run.model_sha256

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
            "statistics": ["concentration", "fraction"],
            "of fractions": self.explainer.of_fractions or self.explainer.method,
            **({"orientations": self.orientations} if self.orientations > 1 else {}),
        }

    def provenance(self, run: Run, of: Of) -> str:
        """One line for the foot of a figure of maps of `of`."""
        return (
            f"{how(self.explainer, of)}, {of_samples(self.samples, self.orientations)}, bilinear; "
            f"{self.architecture}, SHA-256 {self.sha256[:12]}…; explain run "
            f"{run.run_id}, predictions of run {self.predict_run.run_id}."
        )

    def reference(self, of: Of) -> str:
        """The method of maps of `of`, and who published it."""
        return _REFERENCES[_method(self.explainer, of)[0]]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of every figure."""
        return (*self._of_predictions, *self._of_maps)

    @property
    def _of_maps(self) -> tuple[str, ...]:
        if self.chosen or self.explainer.of_fractions is not None:
            return ()
        return (
            f"Maps of fractions by DeepLIFT cannot be made of {self.architecture}: these are "
            "HiResCAM's, and do not add up.",
        )

    @property
    def _of_predictions(self) -> tuple[str, ...]:
        if self.predicted:
            return ()
        among = [one["sha256"] for one in self.predict_run.config.get("models", ())]
        if all(member.model.sha256 in among for member in self.members):
            return (
                f"The predictions pool {len(among)} models, of which "
                f"{'one is' if len(self.members) == 1 else f'{len(self.members)} are'} explained.",
            )
        return (
            f"The predictions are those of run {self.predict_run.run_id}, not of the model that "
            "is explained.",
        )


def of_samples(samples: int, orientations: int) -> str:
    """How many samples an image's predictions and maps are of, in words."""
    words = f"{samples} dropout samples" if samples else "dropout off"
    return words + (f" in {orientations} orientations" if orientations > 1 else "")


def how(explainer: MapMaker, of: Of) -> str:
    """The method and the layer of maps of something, in words."""
    method, layer = _method(explainer, of)
    layers = layer if isinstance(layer, str) else ", ".join(dict.fromkeys(layer))
    return f"{_METHODS[method]} at {layers}"


def _method(explainer: MapMaker, of: Of) -> tuple[str, str | Sequence[str]]:
    """The method and the layer, or layers, of maps of something."""
    made = explainer.of_fractions
    if of == "concentration" or made is None:
        return explainer.method, explainer.layer
    return made["method"], made["layer"]


def explained_model(
    store: Store,
    source: str | Sequence[str] | None,
    method: str,
    layer: str | None,
    engine: str = "torch",
    grey_as_colour: bool = False,
    *,
    upright: bool = False,
) -> ExplainedModel:
    """The model or models of the newest predictions, or those in `source`.

    Samples, seed, orientations and view are those of the predictions if a model made them; but
    another model that names its own view gets that, and `grey_as_colour` adds to either. upright:
    in one orientation however they were made. Raises
    `CatalogError` if predictions came from a file and no model is named, `ModelRefused` for a
    model that cannot be used or has changed since it predicted, and for several whose maps have
    no mean.
    """
    sources = [source] if isinstance(source, str) else [*(source or ())]
    run = store.run(store.newest_run("predict"))
    return _explained(store, run, sources, method, layer, engine, grey_as_colour, upright=upright)


def explained_again(store: Store, run: Run) -> ExplainedModel:
    """The model or models of an explain run, with all that its maps depend on, for more maps.

    The run explains what predicted. Raises `ModelRefused` if a model is no longer
    there or has changed, naming the ways out.
    """
    predictions = store.run(int(run.config["predict_run"]))
    sources = sources_of(run)
    method, layer = run.config["method"], run.config["layer"]
    if isinstance(adding_up := run.config.get("of fractions"), dict):
        method = "deeplift"
        layer = layer if layer == adding_up["layer"] else None  # each its own
    as_colour = run.config.get("view", {}).get("grey_as_colour", False)
    again = _explained(store, predictions, sources, method, layer, grey_as_colour=as_colour)
    if again.sha256 != run.model_sha256:
        raise ModelRefused(
            f"{', '.join(sources)} is no longer the model of run {run.run_id}; ask for maps of "
            "the concentration, which are stored"
        )
    return again


def _explained(
    store: Store,
    run: Run,
    sources: Sequence[str],
    method: str,
    layer: str | Sequence[str] | None,
    engine: str = "torch",
    grey_as_colour: bool = False,
    upright: bool = False,
) -> ExplainedModel:
    members = members_of(store, run, sources, grey_as_colour)
    turns = 1 if upright else run.config.get("orientations", 1)
    samples, seed = run.config.get("samples", _SAMPLES), run.config.get("seed", _SEED)
    slices = store.tree.slices
    view, explainer = explainer_of(members, slices, samples, seed, method, layer, engine, turns)
    return ExplainedModel(members, explainer, view, samples, seed, run, method, layer, turns)
