"""Stored saliency maps of many galaxies and answers, as one array."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.maps import check_derivable, check_size
from zoolens.catalog.saliency.arithmetic import (
    Map,
    Of,
    cross_entropy_map,
    decode,
    fraction_map,
    upsample,
)
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.maps import explanations, question_blobs
from zoolens.catalog.store.matrices import mean_concentrations, read_votes
from zoolens.catalog.store.store import Run, Store

# what a map follows from
_NEEDED: dict[Of, str] = {
    "concentration": "make maps with: zoolens explain GALAXY",
    "fraction": "it needs maps (zoolens explain) of the model that predicted",
    "cross_entropy": "it needs votes on the question, and maps (zoolens explain) of the model "
    "that predicted",
}

Found = dict[tuple[int, int], npt.NDArray[np.floating]]  # galaxy and answer: (h, w)


def saliency_stack(
    store: Store,
    names: Sequence[str],
    labels: Sequence[str],
    *,
    of: Of = "concentration",
    sd: bool = False,
    size: int | None = None,
) -> npt.NDArray[np.floating]:
    """The stored maps of N galaxies for K answers, (N, K, h, w), each as `saliency_of` gives it.

    All are read in a few queries. NaN where there is no map: the galaxy is not explained, the
    model lacks the answer, or a cross-entropy lacks votes. float32 as stored, float64 if
    derived or upsampled.

    Raises `UnknownName` for a galaxy or label that is not there, `CatalogError` if no map
    is found, or if maps of several resolutions are to be stacked without a size.
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
    concentrations = observed = np.full((len(ids), len(tree.labels)), np.nan)
    if of != "concentration":
        concentrations = mean_concentrations(store, tree, run.config.get("predict_run"), ids)
    if of == "cross_entropy":
        observed = read_votes(store, tree, ids).observed
    found: Found = {}
    for galaxy_id, question, maps in _stored(store, run, tree, ids, answers, sd):
        row, where = int(np.searchsorted(ids, galaxy_id)), tree.slices[question]
        for answer_id in range(where.start, where.stop):
            if answer_id in answers:
                y = float(observed[row, answer_id])
                one = _map(maps, answer_id - where.start, of, concentrations[row, where], y)
                if one is not None:
                    found[galaxy_id, answer_id] = one
    return found


def _map(
    maps: Map, answer: int, of: Of, concentrations: Floats, observed: float
) -> npt.NDArray[np.floating] | None:
    """The map of one of a question's answers; None if what it is derived from is missing."""
    if of == "concentration":
        return maps[answer]
    if len(concentrations) != len(maps) or np.isnan(concentrations).any():
        return None
    if of == "fraction":
        return fraction_map(maps, concentrations, answer)
    if np.isnan(observed):
        return None
    return cross_entropy_map(maps, concentrations, answer, observed)


def _stored(
    store: Store, run: Run, tree: DecisionTree, ids: Ids, answers: list[int], sd: bool
) -> Iterator[tuple[int, int, Map]]:
    """Galaxy, question and its maps (answers, h, w), of the questions of some answers."""
    questions = sorted({int(tree.question_of[answer_id]) for answer_id in answers})
    for galaxy_id, question, stored in question_blobs(store, run, ids, questions, sd=sd):
        yield galaxy_id, question, decode(**stored)
