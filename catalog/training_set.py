"""What a model is trained on: galaxies with an image and votes, read from the store."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from catalog.arrays import Floats
from catalog.errors import CatalogError
from catalog.fractions import read_posteriors, read_votes, voted_galaxies
from catalog.imaged_galaxies import Galaxy
from catalog.noisy_votes import credence
from catalog.splits import split_galaxies
from catalog.store import Store

_IMAGED = """SELECT galaxy_id, iauname, image, image_member, image_sha256,
    least(image_height, image_width) AS side FROM galaxies WHERE image IS NOT NULL
ORDER BY galaxy_id"""


@dataclass(frozen=True)
class TrainingSet:
    """N galaxies in order of their numbers.

    counts (N, A): votes, 0 for a question that nobody was asked or that had answers
    outside the tree. worth (N, A): what a vote counts in training, 0..1. split (N,):
    train, validation or test. largest: smaller side of the largest image, pixel.
    """

    galaxies: list[Galaxy]
    counts: Floats
    worth: Floats
    split: npt.NDArray[np.str_]
    largest: int

    @property
    def galaxy_id(self) -> npt.NDArray[np.int64]:
        return np.array([galaxy.galaxy_id for galaxy in self.galaxies], dtype=np.int64)

    @property
    def images_sha256(self) -> str:
        """Of the galaxies' numbers and the checksums of their images."""
        lines = [f"{galaxy.galaxy_id} {galaxy.sha256}\n" for galaxy in self.galaxies]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def weighted(self) -> npt.NDArray[np.float32]:
        """Votes as training counts them, (N, A)."""
        return (self.counts * self.worth).astype(np.float32)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "TrainingSet":
        """The galaxies that a mask (N,) chooses."""
        return replace(
            self,
            galaxies=[self.galaxies[i] for i in np.flatnonzero(chosen).tolist()],
            counts=self.counts[chosen],
            worth=self.worth[chosen],
            split=self.split[chosen],
        )

    def part(self, split: str) -> "TrainingSet":
        """The galaxies of one split."""
        return self.where(self.split == split)


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
    not predict keep all their votes. shuffled: votes are dealt out anew among all galaxies,
    by the seed. Raises `CatalogError` where there are none.
    """
    tree = store.tree
    imaged = store.arrow(_IMAGED)
    rows = {row["galaxy_id"]: row for row in imaged.to_pylist()}
    ids = np.intersect1d(voted_galaxies(store), imaged["galaxy_id"].to_numpy())
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
    chosen = [rows[galaxy_id] for galaxy_id in ids.tolist()]
    sides = [row.pop("side") for row in chosen]
    galaxies = [Galaxy(*row.values()) for row in chosen]
    split = split_galaxies([galaxy.iauname for galaxy in galaxies], seed, held_out)
    return TrainingSet(galaxies, counts, worth, split, max(sides))
