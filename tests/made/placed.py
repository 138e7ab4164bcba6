"""Catalogues whose galaxies lie in pieces of the sky, in order of their numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hats.pixel_math.spatial_index import compute_spatial_index

from tests.made.surveys import cut
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece
from zoolens.jobs.index import index

PIECES = (Piece(0, 8), Piece(1, 17), Piece(2, 3))


def place(path: Path, pieces: Sequence[Piece] = PIECES, *, mixed: bool = False) -> None:
    """Move the galaxies of a catalogue, the first of them into the first piece, and so on.

    mixed: any of them into any.
    """
    random = np.random.default_rng(0)
    ra = random.uniform(0, 360, 20_000)
    dec = np.degrees(np.arcsin(random.uniform(-1, 1, 20_000)))
    pixel = compute_spatial_index(ra, dec)
    with Store.open(path) as store, store.transaction():
        ids = [number for (number,) in store.rows("SELECT galaxy_id FROM galaxy ORDER BY ALL")]
        order = random.permutation(ids) if mixed else np.array(ids)
        for piece, some in zip(pieces, np.array_split(order, len(pieces)), strict=True):
            within = np.flatnonzero(pixel >> 2 * (29 - piece.order) == piece.pixel)
            for number, at in zip(some.tolist(), within, strict=False):
                store.execute(
                    "UPDATE galaxy SET ra = ?, dec = ? WHERE galaxy_id = ?",
                    [float(ra[at]), float(dec[at]), number],
                )


def survey_of(path: Path, folder: Path, pieces: Sequence[Piece] = PIECES) -> Path:
    """The survey cut from a catalogue of placed galaxies, its pieces indexed."""
    cut(path, folder, pieces)
    for piece in pieces:
        index(piece.path(folder))
    return folder
