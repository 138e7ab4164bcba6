"""The models that are explained together: which, in which views, and what makes their maps."""

from collections.abc import Sequence
from dataclasses import replace

from zoolens.catalog.errors import CatalogError, ModelRefused, UnknownName
from zoolens.catalog.images.view import ColourAndGrey, View
from zoolens.catalog.network.ensemble import Member, check_together, shown_to
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.explainer import METHODS, Explainer
from zoolens.catalog.saliency.oriented import OrientedExplainer
from zoolens.catalog.saliency.pooled import PooledExplainer
from zoolens.catalog.store.store import Run, Store

MapMaker = Explainer | CombinedExplainer | OrientedExplainer | PooledExplainer


def members_of(
    store: Store, run: Run, sources: Sequence[str], grey_as_colour: bool = False
) -> list[Member]:
    """The models in `sources`, or those of a run of predictions, in the order of the run.

    grey_as_colour: they are shown images of one channel, also if they did not predict so.
    """
    known = _views(run)
    named = [(one, load_model(one)) for one in sources] or _recorded(run, list(known))
    other = View(**run.config["view"]) if "view" in run.config else View()
    members = []
    for source, model in named:
        view = known.get(model.sha256) or model.view or other
        members.append(shown_to(source, model.for_tree(store.tree), view, grey_as_colour))
    check_together(members, store.tree)
    order = list(known)
    if {member.model.sha256 for member in members} == set(order):
        members.sort(key=lambda member: order.index(member.model.sha256))
    return members


def explainer_of(
    members: Sequence[Member],
    slices: Sequence[slice],
    samples: int,
    seed: int,
    method: str = "deeplift",
    layer: str | Sequence[str] | None = None,
    engine: str = "torch",
    orientations: int = 1,
) -> tuple[View, MapMaker]:
    """What makes the maps of a model, or of several pooled, and the view of its images.

    slices: of each question's answers. method: of all maps, "hirescam" or "gradcam"; or "deeplift",
    of those of fractions, where HiResCAM makes those of concentrations, and also those of fractions
    if DeepLIFT has no rule for a step of the network (`MapMaker.of_fractions` is None). layer: of
    all models, or of each. orientations: that the images are predicted in. Raises `ModelRefused`
    for models whose maps have no mean, and as `Explainer` does.
    """
    if method not in ("deeplift", *METHODS):
        raise UnknownName(f"no saliency method {method!r}; choose deeplift, {' or '.join(METHODS)}")
    view, channels = _view_of_all(members)
    layers = [layer] * len(members) if layer is None or isinstance(layer, str) else layer
    explainers = [
        Explainer(
            one.model,
            one.masks(samples, seed, orientations),
            size=view.size,
            layer=own,
            method="hirescam" if method == "deeplift" else method,
            engine=engine,
        )
        for one, own in zip(members, layers, strict=True)
    ]
    upright: Sequence[Explainer | CombinedExplainer] = explainers
    if method == "deeplift":
        upright = _adding_up(members, explainers, slices, view.size, layer)
    makers: Sequence[Explainer | CombinedExplainer | OrientedExplainer] = upright
    if orientations > 1:
        makers = [OrientedExplainer(one, orientations) for one in upright]
    if len(makers) == 1:
        return view, makers[0]
    return view, PooledExplainer(makers, channels, size=view.size)


def _adding_up(
    members: Sequence[Member],
    explainers: Sequence[Explainer],
    slices: Sequence[slice],
    size: int,
    layer: str | Sequence[str] | None,
) -> Sequence[Explainer | CombinedExplainer]:
    """The explainers with maps of fractions that add up, of as many cells; or as they are."""
    given = [one.layer if layer else None for one in explainers]
    last = [one.layer for one in explainers]
    for layers in (given, last):  # models of several architectures have no finer cells in common
        try:
            contributions = [
                DeepLift(one.model, beside.masks, slices, size=size, layer=own, place=beside.place)
                for one, beside, own in zip(members, explainers, layers, strict=True)
            ]
        except ModelRefused as error:
            if layer is not None:
                raise ModelRefused(f"{error}, or --method hirescam") from None
            return explainers
        if len({one.grid for one in contributions}) == 1:
            break
    pairs = zip(explainers, contributions, strict=True)
    return [CombinedExplainer(*pair) for pair in pairs]


def sources_of(run: Run) -> list[str]:
    """Where the model or models of a run came from; none if it had no model."""
    origin = run.config.get("origin", {})
    return origin.get("models") or [origin["model"]] if origin.keys() & {"model", "models"} else []


def _views(run: Run) -> dict[str, View]:
    """The view of each model that made predictions, by its checksum, in order."""
    if "models" in run.config:
        return {one["sha256"]: View(**one["view"]) for one in run.config["models"]}
    if run.model_sha256 is None:
        return {}
    return {run.model_sha256: View(**run.config.get("view", {}))}


def _recorded(run: Run, checksums: Sequence[str]) -> list[tuple[str, ZoobotModel]]:
    """The models that made predictions, from where they were then."""
    sources = sources_of(run)
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


def _view_of_all(members: Sequence[Member]) -> tuple[View, list[slice]]:
    """A view that images can be loaded in for all members, and the channels that each takes."""
    first = members[0].view
    if all(member.view == first for member in members):
        return first, [slice(0, 1 if first.greyscale else 3)] * len(members)
    geometries = dict.fromkeys(
        replace(member.view, greyscale=False, grey_as_colour=False) for member in members
    )
    if len(geometries) > 1:
        listed = " and ".join(view.told for view in geometries)
        raise ModelRefused(
            f"the models see other parts of an image ({listed}), and so their maps have no mean; "
            "explain one of them: --model ONE"
        )
    slices = [slice(3, 4) if member.view.greyscale else slice(0, 3) for member in members]
    as_colour = any(member.view.grey_as_colour for member in members)
    return ColourAndGrey(first.name, first.size, grey_as_colour=as_colour, zoom=first.zoom), slices
