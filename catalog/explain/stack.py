"""Saliency maps of many explained galaxies and answers, as one array."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.derived import Found, derived_maps
from zoolens.catalog.explain.maps import check_derivable, check_size
from zoolens.catalog.saliency.arithmetic import (
    Map,
    Of,
    decode,
    upsample,
)
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.maps import explanations, question_blobs
from zoolens.catalog.store.store import Run, Store

# what a map follows from
_NEEDED: dict[Of, str] = {
    "concentration": "make maps with: zoolens explain GALAXY",
    "fraction": "it needs maps (zoolens explain) of the model that predicted",
    "cross_entropy": "it needs votes on the question, and maps (zoolens explain) of the model "
    "that predicted",
}


def saliency_stack(
    store: Store,
    names: Sequence[str],
    labels: Sequence[str],
    *,
    of: Of = "concentration",
    sd: bool = False,
    size: int | None = None,
) -> npt.NDArray[np.floating]:
    """The maps of N explained galaxies for K answers, (N, K, h, w), as `saliency_of` gives each.

    All are read in a few queries; those of fractions and losses are made from the images, unless
    dropout was off. NaN where there is no map: the galaxy is not explained, the
    model lacks the answer, or a cross-entropy lacks votes. float32 as stored, float64 if
    derived or upsampled.

    Raises `UnknownName` for a galaxy or label that is not there, `CatalogError` if no map
    is found, if the model or an image to make them from is missing, or if maps of several
    resolutions are to be stacked without a size.
    """
    check_derivable(of, sd)
    check_size(size)
    tree = store.tree
    answers = [tree.answer_id(label) for label in labels]
    ids = galaxy_ids(store, names)
    found: Found = {}
    for run, some in explanations(store, np.unique(np.array(ids, np.int64))):
        found |= _found(store, run, tree, some, answers, of, sd)
    if size is not None:
        found = {key: upsample(one, size) for key, one in found.items()}
    shapes = sorted({one.shape for one in found.values()})
    if not shapes:
        store.newest_run("explain")
        raise CatalogError(
            f"none of these galaxies has a map of the {of} of {', '.join(labels) or 'no answer'}; "
            + _NEEDED[of]
        )
    if len(shapes) > 1:
        sizes = " and ".join(" x ".join(map(str, shape)) for shape in shapes)
        raise CatalogError(f"the maps are of {sizes} cells; to stack them give a size")
    exact = of == "concentration" and size is None
    shape = (len(ids), len(answers), *shapes[0])
    stack = np.full(shape, np.nan, np.float32 if exact else np.float64)
    for row, galaxy_id in enumerate(ids):
        for column, answer_id in enumerate(answers):
            if (galaxy_id, answer_id) in found:
                stack[row, column] = found[galaxy_id, answer_id]
    return stack


def _found(
    store: Store, run: Run, tree: DecisionTree, ids: Ids, answers: list[int], of: Of, sd: bool
) -> Found:
    """The maps that a run has of galaxies (N,), ascending."""
    stored: Found = {}
    for galaxy_id, question, maps in _stored(store, run, tree, ids, answers, sd):
        where = tree.slices[question]
        for answer_id in range(where.start, where.stop):
            if answer_id in answers:
                stored[galaxy_id, answer_id] = maps[answer_id - where.start]
    if of == "concentration":
        return stored
    if run.config.get("predict_run") is None:
        return {}
    wanted: dict[int, list[int]] = {}
    for galaxy_id, answer_id in stored:
        wanted.setdefault(galaxy_id, []).append(answer_id)
    return derived_maps(store, run, wanted, of)


def _stored(
    store: Store, run: Run, tree: DecisionTree, ids: Ids, answers: list[int], sd: bool
) -> Iterator[tuple[int, int, Map]]:
    """Galaxy, question and its maps (answers, h, w), of the questions of some answers."""
    questions = sorted({int(tree.question_of[answer_id]) for answer_id in answers})
    for galaxy_id, question, stored in question_blobs(store, run, ids, questions, sd=sd):
        yield galaxy_id, question, decode(**stored)
