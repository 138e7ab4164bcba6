"""Galaxies whose vote fractions are most like a galaxy's, as they are: nothing is exchanged."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoolens.catalog.arrays import Floats
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.similarity.files import KINDS, load_index
from zoolens.catalog.similarity.places import Hit
from zoolens.catalog.similarity.queries import Source
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import results_of
from zoolens.catalog.survey.counterparts import Home, LeftOut, comparable
from zoolens.catalog.survey.found import BestHits, Found


@dataclass(frozen=True)
class Alike:
    """The most similar galaxies by kind of fraction, best first; names by number; notes."""

    hits: Mapping[str, list[Hit]]
    names: Mapping[int, str]
    notes: tuple[str, ...] = ()


def most_alike(store: Store, galaxy_id: int, weights: Floats, k: int) -> Alike:
    """The k galaxies most similar to one, in its votes and in its predictions.

    weights (A,), 0 or more. Of a kind that the galaxy lacks there are none; those by votes are
    among galaxies that have both. Raises `CatalogError` if it lacks both, or the index files are
    not current.
    """
    source = Source.of(store)
    asked = _fractions(source, galaxy_id)
    hits = {kind: _found(source, kind, own, weights, k, galaxy_id) for kind, own in asked.items()}
    names = names_of(store, [hit.galaxy_id for some in hits.values() for hit in some])
    return Alike(hits, names)


def most_alike_in_survey(folder: Path, home: Home, weights: Floats, k: int) -> Alike:
    """As `most_alike`, among the galaxies of all pieces that are predicted as the galaxy's own."""
    with Store.open(home.path, read_only=True) as store:
        source = Source.of(store)
        asked = _fractions(source, home.galaxy_id)
        own = results_of(home.piece, store, ["predict"])
    best = {kind: BestHits(k) for kind in asked}
    found, left_out = Found(source.tree, {home.galaxy_id: home.path}), LeftOut()
    for piece in comparable(folder, own, left_out):
        for kind, fractions in asked.items():
            hits = _found(piece, kind, fractions, weights, k, home.galaxy_id)
            best[kind].add(hits)
            found.where.update({hit.galaxy_id: piece.store.path for hit in hits})
    ids = {hit.galaxy_id for some in best.values() for hit in some.hits}
    names = found.names(np.array(sorted(ids), np.int64))
    return Alike({kind: some.hits for kind, some in best.items()}, names, left_out.notes)


def _fractions(source: Source, galaxy_id: int) -> dict[str, Floats]:
    """A galaxy's fractions (A,) by kind, of those kinds of which it has some."""
    known = source.known(np.array([galaxy_id], np.int64))
    kinds = {kind: getattr(known, kind)[0] for kind in KINDS}
    asked = {kind: own for kind, own in kinds.items() if not np.isnan(own).all()}
    if not asked:
        name = names_of(source.store, [galaxy_id])[galaxy_id]
        raise CatalogError(f"{name} has neither votes nor predictions to be like others in")
    return asked


def _found(
    source: Source, kind: str, own: Floats, weights: Floats, k: int, itself: int
) -> list[Hit]:
    if not np.any(weights[~np.isnan(own)] > 0):
        raise CatalogError("every answer that the galaxy has a fraction of has weight 0; raise one")
    found = load_index(source.store, kind).search(own, weights, k, exclude=itself)
    return [Hit(*pair) for pair in zip(*(part.tolist() for part in found), strict=True)]
