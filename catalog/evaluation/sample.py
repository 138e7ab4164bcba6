"""What is evaluated: galaxies with votes and posteriors, read from the store."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.store.galaxies import SPLITS, galaxies_in_split, read_galaxies
from zoolens.catalog.store.matrices import compared_galaxies, read_posteriors, read_votes
from zoolens.catalog.store.row_filter import galaxies_that
from zoolens.catalog.store.store import Store

_SEED = 0  # of the random choice of galaxies if there are too many


@dataclass(frozen=True)
class Evaluated:
    """N galaxies, in order of their numbers.

    names; counts (N, A): votes, NaN where the question had answers outside the tree;
    concentrations (N, T, A): of a run's posteriors, NaN where the model lacks an answer.
    images: of those that have one, by position.
    """

    galaxy_id: Ids
    names: list[str]
    counts: Floats
    concentrations: npt.NDArray[np.float32]
    images: dict[int, Galaxy]

    @property
    def sha256(self) -> str:
        """Of the galaxies' numbers."""
        return hashlib.sha256(self.galaxy_id.astype("<i8").tobytes()).hexdigest()


def read_evaluated(
    store: Store, predict_run: int, split: str | None, most: int, where: str | None = None
) -> Evaluated:
    """Galaxies with votes and posteriors of a run, at most `most` of them, chosen at random.

    split: only those of a split of the newest training; where: only those of which a condition is
    true (`catalog.store.row_filter.galaxies_where`). Raises `CatalogError` if there are none,
    saying what is missing, or the condition is none.
    """
    ids = drawn(comparable(store, predict_run, split, where), most)
    parts = list(read_posteriors(store, predict_run, ids))
    if not parts:
        raise CatalogError(
            f"no galaxy of {store.path}"
            + (f" in the split {split}" if split else "")
            + (f" with {where}" if where else "")
            + " has votes and a posterior; predict with a model: zoolens predict --model MODEL"
        )
    has = np.sort(np.concatenate([places for places, _ in parts]))
    alpha = np.empty((len(has), *parts[0][1].shape[1:]), np.float32)
    for places, values in parts:
        alpha[np.searchsorted(has, places)] = values
    ids = ids[has]
    counts = read_votes(store, store.tree, ids).tree_counts
    found = read_galaxies(store, ids)
    images = {i: galaxy for i, galaxy in enumerate(found) if galaxy.source is not None}
    return Evaluated(ids, [galaxy.iauname for galaxy in found], counts, alpha, images)


def comparable(store: Store, predict_run: int, split: str | None, where: str | None) -> Ids:
    """The galaxies that could be evaluated, ascending; arguments as of `read_evaluated`."""
    ids = compared_galaxies(store, predict_run)
    if split is not None:
        if split not in SPLITS:
            raise CatalogError(f"no split {split!r}; choose one of {', '.join(SPLITS)}")
        ids = np.intersect1d(ids, galaxies_in_split(store, split))
    if where is not None:
        ids = np.intersect1d(ids, galaxies_that(store, where))
    return ids


def drawn(ids: Ids, most: int) -> Ids:
    """At most so many of galaxies (N,), chosen at random, ascending."""
    if len(ids) <= most:
        return ids
    return np.sort(np.random.default_rng(_SEED).choice(ids, most, replace=False))
