"""Maps of what follows from concentrations: of an answer's expected fraction, and of its loss.

The expected fraction is a mean over dropout samples, and its map the mean of the samples' own
maps, which the stored maps of concentrations, means themselves, do not give. So they are made
anew, by the model of the explain run from the galaxies' images. Only HiResCAM's and GradCAM's,
where dropout was off, follow from what is stored.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.saliency.arithmetic import Of, cross_entropy_map, decode, fraction_maps
from zoolens.catalog.store.galaxies import read_galaxies
from zoolens.catalog.store.maps import question_blobs
from zoolens.catalog.store.matrices import mean_concentrations, read_votes
from zoolens.catalog.store.store import Run, Store

if TYPE_CHECKING:
    import torch

    from zoolens.catalog.explain.model import ExplainedModel

_PART = 16  # images at once

# Maps of a galaxy and an answer, (h, w).
Found = dict[tuple[int, int], npt.NDArray[np.floating]]


class FractionMap(NamedTuple):
    """An expected fraction in 0..1 and its map (h, w).

    baseline: what the map adds up from, to `expected`; None where it adds up to no difference.
    """

    expected: float
    raised: Floats
    baseline: float | None = None


Fractions = dict[tuple[int, int], FractionMap]  # by galaxy and answer


def derived_maps(store: Store, run: Run, wanted: Mapping[int, Sequence[int]], of: Of) -> Found:
    """Maps of the fraction or the loss of answers, by galaxy and answer, exact; those there are.

    wanted: answers by galaxy, each explained by the run. There is none of an answer that the
    model lacks, and none of a loss without votes. Raises `CatalogError` if the run explains
    another model than the one that predicted, `ModelRefused` or `ImageRefused` if the model or
    an image is no longer there to make them from.
    """
    fractions, gone = exact_fractions(store, run, wanted)
    for why in gone.values():
        raise ImageRefused(
            f"{why}; the map of the {of} is made from the image: put it back, or ask for maps of "
            "the concentration, which are stored"
        )
    return of_fractions(store, fractions, of)


def exact_fractions(
    store: Store, run: Run, wanted: Mapping[int, Sequence[int]]
) -> tuple[Fractions, dict[int, str]]:
    """Expected fractions and their maps, and why some galaxies have none, by galaxy.

    Arguments, and what else is raised, as of `derived_maps`.
    """
    if run.config.get("predict_run") is None:
        raise CatalogError(
            f"run {run.run_id} explains another model than predicted, and maps of fractions and "
            "losses need its predictions; do first: zoolens predict"
        )
    if run.config.get("samples") in (0, 1) and _follows(store, run):
        return stored_fractions(store, run, wanted), {}
    from zoolens.catalog.explain.model import explained_again  # loads torch, as this does
    from zoolens.catalog.images.loading import load

    explained, ids = explained_again(store, run), sorted(wanted)
    found: Fractions = {}
    gone: dict[int, str] = {}
    with ImageReader() as reader:
        for start in range(0, len(ids), _PART):
            galaxies = read_galaxies(store, np.array(ids[start : start + _PART], np.int64))
            loaded = load(reader, explained.view, [one for one in galaxies if one.source])
            seen = np.array([galaxy.galaxy_id for galaxy in loaded.galaxies], np.int64)
            if len(seen):
                found |= made_fractions(store, explained, loaded.images, seen, wanted)
            reasons = {reject.key: reject.reason for reject in loaded.rejects}
            gone |= {
                one.galaxy_id: reasons.get(one.iauname, f"missing image: none of {one.iauname}")
                for one in galaxies
                if one.galaxy_id not in seen
            }
    return found, gone


def _follows(store: Store, run: Run) -> bool:
    """Whether a run without dropout has the maps that its fractions' follow from: of one sample."""
    several = "models" in store.run(int(run.config["predict_run"])).config
    several |= "orientations" in run.config
    return not several and not isinstance(run.config.get("of fractions"), dict)


def made_fractions(
    store: Store,
    explained: "ExplainedModel",
    images: "torch.Tensor",
    ids: Ids,
    wanted: Mapping[int, Sequence[int]],
) -> Fractions:
    """Expected fractions and their maps, from images (N, C, H, W) of the galaxies (N,)."""
    made = explained.explainer.fractions(images, store.tree.slices)
    expected, maps, baseline = (part.numpy() for part in (made.expected, made.mean, made.baseline))
    return {
        (galaxy_id, answer): FractionMap(
            float(expected[row, answer]), maps[row, answer], known(baseline[row, answer])
        )
        for row, galaxy_id in enumerate(ids.tolist())
        for answer in wanted[galaxy_id]
        if not np.isnan(expected[row, answer])
    }


def known(value: float) -> float | None:
    """A number, or None for NaN."""
    return None if np.isnan(value) else float(value)


def stored_fractions(store: Store, run: Run, wanted: Mapping[int, Sequence[int]]) -> Fractions:
    """As `made_fractions`, from the stored maps of concentrations: to first order.

    Exact where dropout was off; otherwise it leaves out that derivatives and maps vary together
    from sample to sample, and can be far off.
    """
    tree, ids = store.tree, np.array(sorted(wanted), np.int64)
    concentrations = mean_concentrations(store, tree, run.config.get("predict_run"), ids)
    questions = sorted({int(tree.question_of[a]) for some in wanted.values() for a in some})
    found: Fractions = {}
    for galaxy_id, question, stored in question_blobs(store, run, ids, questions):
        where, maps = tree.slices[question], decode(**stored)
        alpha = concentrations[int(np.searchsorted(ids, galaxy_id)), where]
        if len(alpha) == len(maps) and not np.isnan(alpha).any():
            raised = fraction_maps(maps, alpha)
            for answer in wanted[galaxy_id]:
                if where.start <= answer < where.stop:
                    place = answer - where.start
                    expected = float(alpha[place] / alpha.sum())
                    found[galaxy_id, answer] = FractionMap(expected, raised[place])
    return found


def of_fractions(store: Store, fractions: Fractions, of: Of) -> Found:
    """The maps of fractions themselves, or of the losses, where there are votes."""
    if of == "fraction":
        return {key: one.raised for key, one in fractions.items()}
    ids = np.array(sorted({galaxy_id for galaxy_id, _ in fractions}), np.int64)
    observed = read_votes(store, store.tree, ids).observed
    found: Found = {}
    for (galaxy_id, answer), (predicted, raised, baseline) in fractions.items():
        voted = observed[int(np.searchsorted(ids, galaxy_id)), answer]
        if not np.isnan(voted):
            found[galaxy_id, answer] = cross_entropy_map(raised, predicted, float(voted), baseline)
    return found
