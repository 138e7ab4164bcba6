"""Galaxies and where their images are, a few at a time, however many there are."""

from collections.abc import Iterator
from typing import NamedTuple

from catalog.arrays import Ids
from catalog.fractions import read_rows
from catalog.store import Store


class Galaxy(NamedTuple):
    """A galaxy to look at: its number and name, where its image is, the image's SHA-256."""

    galaxy_id: int
    iauname: str
    source: str
    member: str | None
    sha256: str


_GALAXIES = "SELECT galaxy_id, iauname, image, image_member, image_sha256 FROM galaxies"
_READ = 4096  # galaxies, about, looked up together


def in_batches(store: Store, galaxy_id: Ids, size: int) -> Iterator[list[Galaxy]]:
    """Galaxies numbered `galaxy_id` (N,), ascending, `size` at a time.

    They are read as they are asked for: a survey of them does not fit in memory.
    """
    at_once = size * max(1, _READ // size)
    for start in range(0, len(galaxy_id), at_once):
        rows = read_rows(store, _GALAXIES, galaxy_id[start : start + at_once])
        found = [Galaxy(*row.values()) for row in rows.sort_by("galaxy_id").to_pylist()]
        yield from (found[i : i + size] for i in range(0, len(found), size))
