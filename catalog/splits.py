"""Which galaxies a model is trained on, and which are held out.

Decided by a hash of the galaxy's name and the seed alone, so that a galaxy stays
where it is whatever else the catalogue comes to hold.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SPLITS = ("train", "validation", "test")


def split_galaxies(names: Sequence[str], seed: int, held_out: float) -> npt.NDArray[np.str_]:
    """The split of each galaxy, (N,) of `SPLITS`.

    held_out: expected share that is not trained on, 0..1; one half of it validates
    (when to stop, which epoch is best), the other half tests. A galaxy's place is the
    first 8 bytes of SHA-256 of "seed:name" as a fraction u of 2**64: test below half
    of `held_out`, validation below `held_out`, train from there on.
    """
    places = np.array([_place(f"{seed}:{name}") for name in names], dtype=np.float64)
    return np.select([places < held_out / 2, places < held_out], ["test", "validation"], "train")


def split_table(galaxy_id: npt.NDArray[np.int64], split: npt.NDArray[np.str_]) -> pa.Table:
    """The rows of `split`, without their run."""
    return pa.table(
        {
            "galaxy_id": pa.array(galaxy_id, pa.int64()),
            "split": pa.array(split.tolist(), pa.string()),
        }
    )


def _place(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
