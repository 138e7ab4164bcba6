"""What a model is trained on: galaxies with an image and votes, read from the store."""

import numpy as np

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.scoring.credence import credence
from zoolens.catalog.store.galaxies import (
    galaxies_with_image,
    image_sides,
    read_galaxies,
    split_galaxies,
)
from zoolens.catalog.store.matrices import read_posteriors, read_votes, voted_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.training.pixels import TrainingSet


def read_training_set(
    store: Store,
    seed: int,
    held_out: float,
    noise: tuple[int, float] | None,
    *,
    shuffled: bool = False,
) -> TrainingSet:
    """All galaxies that have an image and at least one vote for an answer of the tree.

    seed, held_out: as `split_galaxies` takes them. noise: a run of predictions and the
    error rate by which votes are weighted down (`credence`); galaxies that the run did
    not predict keep all their votes. shuffled: the votes are permuted among all galaxies, by
    the seed. Raises `CatalogError` if there are no such galaxies.
    """
    tree = store.tree
    ids = np.intersect1d(voted_galaxies(store), galaxies_with_image(store))
    counts = np.nan_to_num(read_votes(store, tree, ids).tree_counts, nan=0.0)
    asked = counts.sum(axis=1) > 0
    ids, counts = ids[asked], counts[asked]
    if len(ids) == 0:
        raise CatalogError(
            f"no galaxy of {store.path} has both an image and votes; add them with: "
            "zoolens ingest VOTES --images FOLDER"
        )
    worth = np.ones_like(counts)
    if noise is not None:
        predict_run, error_rate = noise
        for where, alpha in read_posteriors(store, predict_run, ids):
            worth[where] = credence(counts[where], alpha, tree, error_rate)
    if shuffled:
        order = np.random.default_rng(seed).permutation(len(ids))
        counts, worth = counts[order], worth[order]
    galaxies = read_galaxies(store, ids)
    split = split_galaxies([galaxy.iauname for galaxy in galaxies], seed, held_out)
    return TrainingSet(galaxies, counts, worth, split, image_sides(store, ids))
