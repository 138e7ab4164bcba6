"""The similarity indexes beside the catalogue: written whole, checked before read.

There are two: `observed`, of the vote fractions, and `predicted`. The ledger's index
run holds the checksum of each and what they were built from, so that a damaged, foreign
or outdated file is never searched, nor even parsed.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalog.errors import CatalogError
from catalog.fractions import predictions_state, votes_state
from catalog.paths import index_path
from catalog.similarity import SimilarityIndex
from catalog.store import Store
from catalog.whole_files import replacing

KINDS = ("observed", "predicted")


def built_from(store: Store) -> dict[str, Any]:
    """The votes and predictions that an index of today would hold.

    Raises `CatalogError` where no prediction run is complete.
    """
    predictions = predictions_state(store, store.newest_run("predict"))
    return {"votes": votes_state(store), "predictions": predictions}


def is_current(store: Store) -> bool:
    """Whether both files are there, undamaged, and built from what the store holds."""
    recorded = [_recorded(store, kind) for kind in KINDS]
    return all(
        sums and _read(store.path, kind, sums) is not None
        for kind, sums in zip(KINDS, recorded, strict=True)
    )


def load_index(store: Store, kind: str) -> SimilarityIndex:
    """The index of a kind; kept in memory for the next call.

    Raises `CatalogError` where it is absent, outdated or damaged.
    """
    sums = _recorded(store, kind)
    if not sums:
        raise CatalogError(
            f"{store.path} has no similarity index of its present votes and predictions; "
            "build it with: zoolens index"
        )
    return _load(store.path, kind, sums)


def write_index(catalog: Path, kind: str, data: bytes) -> None:
    """Put an index beside its catalogue, whole or not at all.

    Raises `CatalogError` where the disk does not take it.
    """
    with replacing(index_path(catalog, kind)) as part:
        part.write_bytes(data)


def checksum(data: bytes) -> str:
    """SHA-256 of an index's bytes."""
    return hashlib.sha256(data).hexdigest()


def _recorded(store: Store, kind: str) -> tuple[str, ...]:
    """Checksums that complete index runs recorded for the present state."""
    state = built_from(store)
    runs = store.arrow("SELECT run_id FROM run WHERE job = 'index' AND status = 'complete'")
    configs = [store.run(run_id).config for run_id in runs["run_id"].to_pylist()]
    return tuple(config["sha256"][kind] for config in configs if config["built_from"] == state)


def _read(catalog: Path, kind: str, sums: tuple[str, ...]) -> bytes | None:
    """The bytes of an index that has one of the checksums."""
    try:
        data = index_path(catalog, kind).read_bytes()
    except OSError:
        return None
    return data if checksum(data) in sums else None


@lru_cache(maxsize=len(KINDS))
def _load(catalog: Path, kind: str, sums: tuple[str, ...]) -> SimilarityIndex:
    data = _read(catalog, kind, sums)
    if data is None:
        raise CatalogError(
            f"{index_path(catalog, kind)} is missing or damaged; build it with: zoolens index"
        )
    return SimilarityIndex.from_bytes(data)
