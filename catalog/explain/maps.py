"""A galaxy's stored saliency maps and its image, as arrays."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.explain.derived import derived_maps
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.saliency.arithmetic import (
    Map,
    Of,
    decode,
    upsample,
)
from zoolens.catalog.store.galaxies import galaxy_ids, names_of, read_galaxies
from zoolens.catalog.store.maps import explanation_of, has_maps, newest_explanation, stored_map
from zoolens.catalog.store.store import Run, Store

if TYPE_CHECKING:
    from zoolens.catalog.images.view import View


# why a loss has no map
NO_VOTES = (
    "no votes give a fraction of {} for this galaxy, so its cross-entropy has no map; choose "
    "another answer"
)
_MOST_PIXELS = 8192  # a side


def saliency_of(
    catalog: Store | Path | str,
    iauname: str,
    label: str,
    *,
    run_id: int | None = None,
    sd: bool = False,
    size: int | None = None,
    of: Of = "concentration",
) -> npt.NDArray[np.floating]:
    """A galaxy's stored map of an answer: which pixels raised it, which lowered it.

    catalog: an open store or the path of its file. run_id: by default the newest
    complete explain run that has the galaxy. sd: the standard deviation over dropout
    samples instead of the mean. size: upsampled to (size, size) pixels of the view
    (`upsample`) instead of the layer's own (h, w). of: what the map is of, in its
    units: the answer's concentration, its expected fraction, or its cross-entropy with
    the votes (`catalog.explain.derived`, which looks at the image again; means only).

    Raises `UnknownName` for a galaxy, label or run that is not there, `CatalogError`
    if the galaxy is not explained, the model has no such answer, or what a derived
    map needs is missing: votes, the model, the image.
    """
    if not isinstance(catalog, Store):
        with Store.open(Path(catalog), read_only=True) as store:
            return saliency_of(store, iauname, label, run_id=run_id, sd=sd, size=size, of=of)
    check_derivable(of, sd)
    check_size(size)
    store = catalog
    tree = store.tree
    answer_id = tree.answer_id(label)
    galaxy_id = galaxy_ids(store, [iauname])[0]
    run = newest_explanation(store, galaxy_id) if run_id is None else store.run(run_id)
    if of == "concentration":
        maps = question_maps(store, run, galaxy_id, answer_id, tree, sd=sd)
        chosen: npt.NDArray[np.floating] = maps[answer_id - _first(tree, answer_id)]
    else:
        question_maps(store, run, galaxy_id, answer_id, tree)  # raises if there are none
        found = derived_maps(store, run, {galaxy_id: [answer_id]}, of)
        if (galaxy_id, answer_id) not in found:
            raise CatalogError(NO_VOTES.format(label))
        chosen = found[galaxy_id, answer_id]
    return chosen if size is None else upsample(chosen, size)


def image_of(store: Store, iauname: str, *, stored: bool = False) -> npt.NDArray[np.uint8]:
    """A galaxy's image, (H, W, 3) in 0..255: as the model saw it, in colour, under its maps.

    The view is that of the galaxy's newest explain run, else of the newest predictions,
    else Zoobot's own. stored: all pixels of the file instead. Raises `UnknownName` for a
    galaxy that is not there, `ImageRefused` if its image is not what was ingested,
    `CatalogError` if it has none.
    """
    (galaxy_id,) = galaxy_ids(store, [iauname])
    (galaxy,) = read_galaxies(store, np.array([galaxy_id]))
    if not galaxy.source:
        raise CatalogError(f"{iauname} has no image; add it with: zoolens ingest --images FOLDER")
    with ImageReader() as reader:
        image = reader.open(galaxy.source, galaxy.member, sha256=galaxy.sha256)
    return np.asarray(image.convert("RGB")) if stored else _view(store, galaxy_id).display(image)


def _view(store: Store, galaxy_id: int) -> "View":
    from zoolens.catalog.images.view import View  # loads torch, which maps do not need

    for run in (explanation_of(store, galaxy_id), store.shown_run("predict")):
        if run is not None and "view" in run.config:
            return View(**run.config["view"])
    return View()


def check_size(size: int | None) -> None:
    """Raises `CatalogError` if maps cannot be upsampled to so many pixels."""
    if size is not None and not (type(size) is int and 1 <= size <= _MOST_PIXELS):
        raise CatalogError(f"maps of size {size!r} asked; give a whole number to {_MOST_PIXELS}")


def check_derivable(of: Of, sd: bool) -> None:
    """Raises `UnknownName` for another name, `CatalogError` if such a map cannot be derived."""
    if of not in get_args(Of):
        raise UnknownName(f"no map of {of!r}; choose one of {', '.join(get_args(Of))}")
    if sd and of != "concentration":
        raise CatalogError(f"the map of the {of} has no standard deviation; ask for its mean")


def question_maps(
    store: Store, run: Run, galaxy_id: int, answer_id: int, tree: DecisionTree, *, sd: bool = False
) -> Map:
    """Stored maps (K, h, w) of all answers to the question of an answer.

    Raises `CatalogError` if the run has none.
    """
    question_id = int(tree.question_of[answer_id])
    found = stored_map(store, run, galaxy_id, question_id, sd=sd)
    if found is None:
        raise CatalogError(_why_missing(store, run, galaxy_id, tree.labels[answer_id]))
    return decode(**found)


def _why_missing(store: Store, run: Run, galaxy_id: int, label: str) -> str:
    name = names_of(store, [galaxy_id])[galaxy_id]
    if run.job not in ("explain", "comparison"):
        return f"run {run.run_id} is a {run.job} run and has no maps; give an explain run"
    if has_maps(store, run, galaxy_id):
        return f"the model of run {run.run_id} has no answer {label}; choose another"
    return f"run {run.run_id} has no maps of {name}; make them with: zoolens explain {name}"


def _first(tree: DecisionTree, answer_id: int) -> int:
    return tree.slices[tree.question_of[answer_id]].start
