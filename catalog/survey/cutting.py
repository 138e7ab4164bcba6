"""Where a survey is cut: pieces of the sky with no more galaxies than a catalogue is to hold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats, Ints
from zoolens.catalog.errors import CatalogError, needs
from zoolens.catalog.survey.folder import FINEST, Piece

COUNTED = 10  # order of the pixels that galaxies are counted in, and of the smallest new pieces
MOST = 2_000_000  # galaxies of a piece


def pixels(ra: Floats, dec: Floats) -> Ints:
    """The HEALPix pixel, nested, of order `FINEST`, of positions in deg, ICRS, (N,).

    Raises `NotInstalled` if `hats` is not.
    """
    needs("a survey", "hats", "hats")
    from hats.pixel_math.spatial_index import compute_spatial_index

    found: Ints = compute_spatial_index(ra, dec, FINEST).astype(np.int64)
    return found


def no_counts() -> Ints:
    """Counts of galaxies, 0, of the pixels of order `COUNTED`."""
    return np.zeros(12 * 4**COUNTED, np.int64)


def count(counts: Ints, pixel: Ints) -> None:
    """Count galaxies by their pixels (N,) of order `FINEST`."""
    found, often = np.unique(pixel >> 2 * (FINEST - COUNTED), return_counts=True)
    counts[found] += often


def new_pieces(counts: Ints, most: int, taken: Sequence[Piece] = ()) -> list[Piece]:
    """The largest pixels with galaxies, and no more than `most`, along the sky.

    counts: of pixels of order `COUNTED`, of galaxies in none of `taken`, the pieces that there
    are. As in HATS's alignment, each is the largest that the bound, and what is taken, allow.
    Raises `CatalogError` if more lie in one pixel of the finest order.
    """
    levels = [counts]
    for _ in range(COUNTED):
        levels.append(levels[-1].reshape(-1, 4).sum(axis=1))
    levels.reverse()
    found: list[Piece] = []
    free = np.arange(12)
    for order, here in enumerate(levels):
        free = free[here[free] > 0]
        fits = (here[free] <= most) & ~_held(free, order, taken)
        found += [Piece(order, pixel) for pixel in free[fits].tolist()]
        free = (4 * free[~fits][:, None] + np.arange(4)).ravel()
    if len(free):
        crowded = int(counts[free[0] // 4])
        raise CatalogError(
            f"{crowded:,} galaxies lie in one pixel of order {COUNTED}, 3.4 arcmin wide, more "
            f"than the {most:,} of a piece, or beside smaller pieces; allow more by --most-rows"
        )
    return sorted(found, key=_along)


def _held(pixel: Ints, order: int, taken: Sequence[Piece]) -> npt.NDArray[np.bool_]:
    """Which pixels of an order are, or hold, a piece that there is."""
    within = [one.pixel >> 2 * (one.order - order) for one in taken if one.order >= order]
    return np.isin(pixel, np.array(within, np.int64))


def _along(piece: Piece) -> int:
    return piece.pixel << 2 * (FINEST - piece.order)


class Sky:
    """Which of some pieces positions lie in."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        along = sorted(range(len(pieces)), key=lambda i: _along(pieces[i]))
        self._numbers = np.array([*along, -1], np.int64)
        self._starts = np.array([_along(pieces[i]) for i in along], np.int64)
        self._ends = np.array(
            [_along(pieces[i]) + 4 ** (FINEST - pieces[i].order) for i in along], np.int64
        )

    def find(self, pixel: Ints) -> Ints:
        """The places of the pieces (N,) of pixels of order `FINEST`; -1 where there is none."""
        at = np.searchsorted(self._starts, pixel, side="right") - 1
        inside = at >= 0
        inside[inside] = pixel[inside] < self._ends[at[inside]]
        return self._numbers[np.where(inside, at, -1)]
