"""A galaxy to look at."""

from typing import NamedTuple


class Galaxy(NamedTuple):
    """A galaxy to look at: its number and name, where its image is, the image's SHA-256."""

    galaxy_id: int
    iauname: str
    source: str
    member: str | None
    sha256: str
