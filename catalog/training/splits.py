"""Splits: galaxies that belong into one part of it, and whether enough is left in each."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from zoolens.catalog.arrays import Floats, Ints, Places
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.store.galaxies import SAME_PLACE_ARCSEC
from zoolens.catalog.training.pixels import TrainingSet

_ANOTHER = "another --seed or --held-out"
_NAMED = 5  # questions in a message


def same_galaxies(galaxies: Sequence[Galaxy], catalogue: Ints, ra: Floats, dec: Floats) -> Places:
    """For each of N galaxies of several catalogues the first that is the same one, (N,).

    They are the same if they have one name, one image (by checksum), or in two catalogues one
    place (closer than `SAME_PLACE_ARCSEC`), and so are those that are the same as one between
    them. A place that several galaxies of one catalogue have tells nothing. catalogue (N,): the
    number of each one's; ra, dec (N,): deg, ICRS, NaN where unknown.
    """
    pairs = [
        _first_alike([galaxy.iauname for galaxy in galaxies]),
        _first_alike([galaxy.sha256 for galaxy in galaxies]),
        _near(catalogue, ra, dec),
    ]
    one, other = np.concatenate(pairs).T
    shape = (len(galaxies), len(galaxies))
    alike = coo_array((np.ones(len(one)), (one, other)), shape=shape)
    _, group = connected_components(alike, directed=False)
    _, first, member = np.unique(group, return_index=True, return_inverse=True)
    found: Places = first[member]
    return found


def _near(catalogue: Ints, ra: Floats, dec: Floats) -> Places:
    """Pairs of galaxies of two catalogues at one place, (M, 2)."""
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    rows = np.stack([catalogue[known], ra[known], dec[known]], axis=1)
    _, first, times = np.unique(rows, axis=0, return_index=True, return_counts=True)
    placed = np.sort(known[first[times == 1]])
    lon, lat = np.radians(ra[placed]), np.radians(dec[placed])
    on_sphere = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    chord = np.radians(SAME_PLACE_ARCSEC / 3600)
    pairs = placed[KDTree(on_sphere).query_pairs(chord, output_type="ndarray")]
    apart: Places = pairs[catalogue[pairs[:, 0]] != catalogue[pairs[:, 1]]]
    return apart


def _first_alike(values: Sequence[str]) -> Places:
    """Pairs of positions (N, 2): each value's own, and that of the first like it."""
    _, first, member = np.unique(values, return_index=True, return_inverse=True)
    return np.stack([np.arange(len(values)), first[member]], axis=1)


def check_split(data: TrainingSet, tree: DecisionTree, batch_size: int) -> None:
    """Raises `CatalogError` if there is too little to train on or to validate with.

    That is no galaxy, fewer to train on than a batch, or a question of the tree that volunteers
    answered, but of no galaxy that is trained on: the model would answer it by chance.
    """
    for name in ("train", "validation"):
        if not np.any(data.split == name):
            raise CatalogError(
                f"no {name} galaxy among {len(data.split)} with votes and an image; "
                "ingest more, or give another --held-out or --seed"
            )
    train = int(np.sum(data.split == "train"))
    if train < batch_size:
        raise CatalogError(
            f"{train} galaxies to train on, fewer than a batch of {batch_size}; ingest more, or "
            "give a smaller --batch-size or --held-out"
        )
    emptied = set(unasked(data.part("train"), tree)) - set(unasked(data, tree))
    if emptied:
        names = [question.name for question in tree.questions if question.name in emptied]
        raise CatalogError(
            f"the split leaves no votes to train on for {few(names, _NAMED)}, which volunteers "
            f"answered for galaxies held out; give {_ANOTHER}"
        )


def unasked(data: TrainingSet, tree: DecisionTree) -> list[str]:
    """Questions of the tree that nobody was asked about these galaxies."""
    votes = data.counts.sum(axis=0)
    pairs = zip(tree.questions, tree.slices, strict=True)
    return [question.name for question, where in pairs if not votes[where].any()]


def remarks(data: TrainingSet, tree: DecisionTree) -> list[str]:
    """What to know of the questions that nobody was asked, or nobody in validation, in words."""
    never = unasked(data, tree)
    unseen = [name for name in unasked(data.part("validation"), tree) if name not in never]
    said = []
    if never:
        said.append(f"not learnt, since nobody was asked: {few(never, _NAMED)}")
    if unseen:
        said.append(
            f"not validated, since the split leaves no votes for it: {few(unseen, _NAMED)}; give "
            f"{_ANOTHER} if the best epoch is to be told by these too"
        )
    return said
