"""The model, or models, that are explained: those that made the predictions, or others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.segments import SEGMENTATION
from zoolens.catalog.images.view import ColourAndGrey, View
from zoolens.catalog.network.ensemble import (
    Member,
    check_together,
    sha256_of_models,
    shown_to,
)
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.saliency.pooled import PooledExplainer
from zoolens.catalog.store.store import Run, Store

_SAMPLES, _SEED = 30, 0  # as in `predict`, for a model that has made no predictions here
_METHODS = {"hirescam": "HiResCAM", "gradcam": "GradCAM"}
_REFERENCES = {
    "hirescam": "HiResCAM (Draelos & Carin 2021)",
    "gradcam": "GradCAM (Selvaraju et al. 2017), signed",
}


@dataclass(frozen=True)
class ExplainedModel:
    """A model, or several pooled, with everything that its maps depend on.

    members: in the order of the predictions; view: what the images are loaded in. predicted:
    whether it also made the newest predictions; it then explains them with the same
    masks and view. comparison: whether its maps are for comparison with those of another
    model, method or layer, which the views show.
    """

    members: Sequence[Member]
    explainer: Explainer | PooledExplainer
    view: View
    samples: int
    seed: int
    predict_run: Run

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
    def comparison(self) -> bool:
        another = self.predict_run.model_sha256 is not None and not self.predicted
        return another or self.explainer.method != "hirescam" or not self.explainer.is_last_block

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
        }

    def provenance(self, run: Run) -> str:
        """One line for the foot of a figure."""
        samples = f"{self.samples} dropout samples" if self.samples else "dropout off"
        return (
            f"{how(self.explainer)}, {samples}, bilinear; "
            f"{self.architecture}, SHA-256 {self.sha256[:12]}…; explain run "
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


def how(explainer: Explainer | PooledExplainer) -> str:
    """The method and the layer of maps, in words."""
    layer = explainer.layer
    layers = layer if isinstance(layer, str) else ", ".join(dict.fromkeys(layer))
    return f"{_METHODS[explainer.method]} at {layers}"


def explained_model(
    store: Store,
    source: str | Sequence[str] | None,
    method: str,
    layer: str | None,
    engine: str = "torch",
) -> ExplainedModel:
    """The model or models of the newest predictions, or those in `source`.

    Samples, seed and view are those of the predictions if a model made them; but another model
    that names its own view gets that. Raises `CatalogError` if predictions came from a file
    and no model is named, `ModelRefused` for a model that cannot be used or has changed since it
    predicted, and for several whose maps have no mean.
    """
    sources = [source] if isinstance(source, str) else [*(source or ())]
    run = store.run(store.newest_run("predict"))
    return _explained(store, run, sources, method, layer, engine)


def explained_again(store: Store, run: Run) -> ExplainedModel:
    """The model or models of an explain run, with all that its maps depend on, for more maps.

    The run explains what predicted. Raises `ModelRefused` if a model is no longer
    there or has changed, naming the ways out.
    """
    predictions = store.run(int(run.config["predict_run"]))
    sources = _sources(run)
    again = _explained(store, predictions, sources, run.config["method"], run.config["layer"])
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
) -> ExplainedModel:
    members = _members(store, run, sources)
    samples, seed = run.config.get("samples", _SAMPLES), run.config.get("seed", _SEED)
    view, explainer = explainer_of(members, samples, seed, method, layer, engine)
    return ExplainedModel(members, explainer, view, samples, seed, run)


def explainer_of(
    members: Sequence[Member],
    samples: int,
    seed: int,
    method: str,
    layer: str | Sequence[str] | None = None,
    engine: str = "torch",
) -> tuple[View, Explainer | PooledExplainer]:
    """What makes the maps of a model, or of several pooled, and the view of its images.

    layer: of all models, or of each. Raises `ModelRefused` for models whose maps have no mean, and
    as `Explainer` does.
    """
    view, channels = _view_of_all(members)
    layers = [layer] * len(members) if layer is None or isinstance(layer, str) else layer
    explainers = [
        Explainer(
            one.model,
            one.masks(samples, seed),
            size=view.size,
            layer=own,
            method=method,
            engine=engine,
        )
        for one, own in zip(members, layers, strict=True)
    ]
    if len(explainers) == 1:
        return view, explainers[0]
    return view, PooledExplainer(explainers, channels, size=view.size)


def _members(store: Store, run: Run, sources: Sequence[str]) -> list[Member]:
    """The models in `sources`, or those of a run of predictions, in the order of the run."""
    known = _views(run)
    named = [(one, load_model(one)) for one in sources] or _recorded(run, list(known))
    other = View(**run.config["view"]) if "view" in run.config else View()
    members = []
    for source, model in named:
        view = known.get(model.sha256) or model.view or other
        members.append(shown_to(source, model.for_tree(store.tree), view))
    check_together(members, store.tree)
    order = list(known)
    if {member.model.sha256 for member in members} == set(order):
        members.sort(key=lambda member: order.index(member.model.sha256))
    return members


def _views(run: Run) -> dict[str, View]:
    """The view of each model that made predictions, by its checksum, in order."""
    if "models" in run.config:
        return {one["sha256"]: View(**one["view"]) for one in run.config["models"]}
    if run.model_sha256 is None:
        return {}
    return {run.model_sha256: View(**run.config.get("view", {}))}


def _view_of_all(members: Sequence[Member]) -> tuple[View, list[slice]]:
    """A view that images can be loaded in for all members, and the channels that each takes."""
    first = members[0].view
    if all(member.view == first for member in members):
        return first, [slice(0, 1 if first.greyscale else 3)] * len(members)
    geometries = dict.fromkeys(replace(member.view, greyscale=False) for member in members)
    if len(geometries) > 1:
        listed = " and ".join(f"{view.name} of {view.size} pixels" for view in geometries)
        raise ModelRefused(
            f"the models see other parts of an image ({listed}), and so their maps have no mean; "
            "explain one of them: --model ONE"
        )
    slices = [slice(3, 4) if member.view.greyscale else slice(0, 3) for member in members]
    return ColourAndGrey(first.name, first.size), slices


def _recorded(run: Run, checksums: Sequence[str]) -> list[tuple[str, ZoobotModel]]:
    """The models that made predictions, from where they were then."""
    sources = _sources(run)
    if not sources:
        raise CatalogError(
            f"the predictions of run {run.run_id} came from a file; name the model to explain "
            "with --model CHECKPOINT"
        )
    each = "" if len(sources) == 1 else f", and each of the {len(sources)} models so"
    found = []
    for source, sha256 in zip(sources, checksums, strict=True):
        try:
            loaded = load_model(source)
        except ModelRefused as error:
            raise ModelRefused(
                f"{error}; it made the predictions of run {run.run_id}: say where it is with "
                f"--model CHECKPOINT{each}"
            ) from None
        if loaded.sha256 != sha256:
            raise ModelRefused(
                f"{source} is no longer the model that made the predictions of run {run.run_id}; "
                f"predict again, or name the model with --model CHECKPOINT{each}"
            )
        found.append((source, loaded))
    return found


def _sources(run: Run) -> list[str]:
    """Where the model or models of a run came from; none if it had no model."""
    origin = run.config.get("origin", {})
    return origin.get("models") or [origin["model"]] if origin.keys() & {"model", "models"} else []
