"""Which galaxies are worked on together: the same whatever is done already.

So a part is found again, and its numbers are the same to the bit: networks round otherwise when
they are given other images at the same time.
"""

from collections.abc import Iterator

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.store.galaxies import read_galaxies
from zoolens.catalog.store.store import Store

CELL = 256  # galaxies of a part, at most: seconds to minutes of a core
_READ = 16 * CELL  # looked up together


def cells(every: Ids, waiting: Ids, size: int = CELL) -> list[Ids]:
    """Waiting galaxies, cut: those of the first `size` of all galaxies, of the next, ….

    every, waiting: numbers, ascending, the second among the first. Parts without any are left out.
    """
    if not len(waiting):
        return []
    place = np.searchsorted(every, waiting) // size
    return np.split(waiting, np.flatnonzero(np.diff(place)) + 1)


def read_cells(store: Store, parts: list[Ids]) -> Iterator[list[Galaxy]]:
    """The galaxies of each part, read from the store only when they are asked for."""
    start = 0
    while start < len(parts):
        end, held = start, 0
        while end < len(parts) and (end == start or held + len(parts[end]) <= _READ):
            held += len(parts[end])
            end += 1
        found = iter(read_galaxies(store, np.concatenate(parts[start:end])))
        for part in parts[start:end]:
            yield [next(found) for _ in part]
        start = end
