"""The similarity indexes beside the catalogue: written whole, checked before read.

There are two: `observed`, of the vote fractions, and `predicted`. Each is an Arrow file
of one row a block of galaxies, mapped into memory and so not read before it is searched.
The ledger's index run holds the checksum of each and what they were built from, so that
a damaged, foreign or outdated file is never searched, nor even parsed. Where a file's
size and time of change are still those that were noted, its checksum is taken as read.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.decision_tree import DecisionTree
from catalog.errors import CatalogError
from catalog.fractions import predictions_state, votes_state
from catalog.paths import index_path
from catalog.similarity import Block, SimilarityIndex
from catalog.store import Store
from catalog.whole_files import replacing

KINDS = ("observed", "predicted")

# of a block, row after row, column after column
_SCHEMA = pa.schema(
    {
        "galaxy_id": pa.large_list(pa.int64()),
        "columns": pa.large_list(pa.float32()),
        "fractions": pa.large_list(pa.float64()),
        "largest": pa.large_list(pa.float64()),
    }
)


def built_from(store: Store) -> dict[str, Any]:
    """The votes and predictions that an index of today would hold.

    Raises `CatalogError` where no prediction run is complete.
    """
    predictions = predictions_state(store, store.newest_run("predict"))
    return {"votes": votes_state(store), "predictions": predictions}


def sound_files(store: Store) -> dict[str, bool]:
    """Of each kind, whether its file is there and undamaged.

    Both are read from end to end. Empty where the ledger has none of the present votes
    and predictions.
    """
    recorded = {kind: _recorded(store, kind) for kind in KINDS}
    return {
        kind: _checksum(index_path(store.path, kind)) in sums
        for kind, sums in recorded.items()
        if sums
    }


def load_index(store: Store, kind: str) -> SimilarityIndex:
    """The index of a kind; kept for the next call.

    Raises `CatalogError` where it is absent, outdated or damaged.
    """
    sums = _recorded(store, kind)
    if not sums:
        raise CatalogError(
            f"{store.path} has no similarity index of its present votes and predictions; "
            "build it with: zoolens index"
        )
    path = index_path(store.path, kind)
    stamp = _stamp(path)
    noted = json.loads(store.value(_NOTED, [_note(kind)]) or "{}")
    if stamp is None or not (
        (noted.get("stamp") == stamp and noted.get("sha256") in sums) or _checksum(path) in sums
    ):
        raise CatalogError(f"{path} is missing or damaged; build it with: zoolens index")
    return _load(path, tuple(stamp), store.tree)


def write_index(catalog: Path, kind: str, blocks: Iterable[Block]) -> str:
    """Put an index beside its catalogue, whole or not at all; its SHA-256.

    The same blocks give the same bytes. Raises `CatalogError` where the disk does not
    take it.
    """
    path = index_path(catalog, kind)
    with replacing(path) as part:
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            for block in blocks:
                writer.write_batch(_batch(block))
        found = _checksum(part)
    if found is None:
        raise CatalogError(f"{path} could not be read back; build it again with: zoolens index")
    return found


def note_files(store: Store, sums: dict[str, str]) -> None:
    """Remember the size and time of change of files that have these checksums."""
    with store.transaction():
        for kind, checksum in sums.items():
            note = {"sha256": checksum, "stamp": _stamp(index_path(store.path, kind))}
            store.execute("DELETE FROM setting WHERE name = ?", [_note(kind)])
            store.execute("INSERT INTO setting VALUES (?, ?)", [_note(kind), json.dumps(note)])


_NOTED = "SELECT value FROM setting WHERE name = ?"


def _note(kind: str) -> str:
    return f"index {kind}"


def _recorded(store: Store, kind: str) -> tuple[str, ...]:
    """Checksums that complete index runs recorded for the present state."""
    state = built_from(store)
    runs = store.arrow("SELECT run_id FROM run WHERE job = 'index' AND status = 'complete'")
    configs = [store.run(run_id).config for run_id in runs["run_id"].to_pylist()]
    return tuple(config["sha256"][kind] for config in configs if config["built_from"] == state)


def _checksum(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _stamp(path: Path) -> list[int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return [facts.st_size, facts.st_mtime_ns]


def _batch(block: Block) -> pa.RecordBatch:
    values: list[npt.NDArray[Any]] = [
        block.galaxy_id,
        block.columns,
        block.fractions,
        block.largest,
    ]
    lists = [
        pa.LargeListArray.from_arrays(
            np.array([0, value.size]), pa.array(value.reshape(-1), field.type.value_type)
        )
        for value, field in zip(values, _SCHEMA, strict=True)
    ]
    return pa.record_batch(lists, schema=_SCHEMA)


@lru_cache(maxsize=len(KINDS))
def _load(path: Path, stamp: tuple[int, ...], tree: DecisionTree) -> SimilarityIndex:
    """The index of a file that was checked; `stamp` tells a new file from the one before."""
    content = pa.ipc.open_file(pa.memory_map(str(path)))
    blocks = []
    for number in range(content.num_record_batches):
        batch = content.get_batch(number)
        galaxy_id, columns, fractions, largest = (
            column[0].values.to_numpy() for column in batch.columns
        )
        size = len(galaxy_id)
        blocks.append(
            Block(galaxy_id, columns.reshape(-1, size), fractions.reshape(size, -1), largest)
        )
    return SimilarityIndex(tree, blocks)
