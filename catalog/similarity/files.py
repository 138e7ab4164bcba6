"""The similarity indexes beside the catalogue: written atomically, checked before use.

There are two: `observed`, of the vote fractions, and `predicted`. Each is an Arrow file with
one row per block of galaxies, mapped into memory, so that it is only read when searched. The
ledger's index run holds the checksum of each and what they were built from, so a damaged,
foreign or outdated file is never searched, nor even parsed.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import codes_path, index_path
from zoolens.catalog.runtime.files import checksum, replacing, stamp
from zoolens.catalog.similarity.exact import Block, SimilarityIndex
from zoolens.catalog.store.beside import file_is_sound
from zoolens.catalog.store.matrices import predictions_state, votes_state
from zoolens.catalog.store.store import Store

if TYPE_CHECKING:
    from zoolens.catalog.similarity.approximate import ApproximateIndex


KINDS = ("observed", "predicted")
_HOLDS = "observed: voted and predicted; predicted: all predicted"

# the arrays of a `Block`, flattened row by row, or column by column
_SCHEMA = pa.schema(
    {
        "galaxy_id": pa.large_list(pa.int64()),
        "columns": pa.large_list(pa.float32()),
        "fractions": pa.large_list(pa.float64()),
        "largest": pa.large_list(pa.float64()),
    }
)


def built_from(store: Store) -> dict[str, Any]:
    """The votes and predictions that an index would hold if built now, and of which galaxies.

    Raises `CatalogError` if no prediction run is complete.
    """
    predictions = predictions_state(store, store.newest_run("predict"))
    return {"votes": votes_state(store), "predictions": predictions, "holds": _HOLDS}


def sound_files(store: Store) -> dict[str, bool]:
    """Whether the file of each kind is there and undamaged.

    Empty if the ledger has no index of the present votes and predictions, and of all galaxies.
    """
    recorded = {kind: _recorded(store, kind, whole=True) for kind in KINDS}
    return {
        kind: file_is_sound(store, index_path(store.path, kind), sums)
        for kind, sums in recorded.items()
        if sums
    }


def damaged_files(store: Store) -> list[Path]:
    """Files that are there, but not as any run wrote them, be it of other votes or predictions.

    Indexes and codes are read from end to end.
    """
    recorded: dict[Path, set[str]] = {}
    for job, place in (("index", index_path), ("approximate", codes_path)):
        for run in store.complete_runs(job):
            for kind, sha256 in run.config["sha256"].items():
                recorded.setdefault(place(store.path, kind), set()).add(sha256)
    return [path for path, sums in recorded.items() if path.exists() and checksum(path) not in sums]


def load_index(store: Store, kind: str) -> SimilarityIndex:
    """The index of a kind; kept for the next call.

    Raises `CatalogError` if it is absent, outdated or damaged.
    """
    sums = _recorded(store, kind)
    if not sums:
        raise CatalogError(
            f"{store.path} has no similarity index of its present votes and predictions; "
            "build it with: zoolens index"
        )
    path = index_path(store.path, kind)
    if not file_is_sound(store, path, sums):
        raise CatalogError(f"{path} is missing or damaged; build it with: zoolens index")
    return _load(path, stamp(path), store.tree)


def unload_indexes() -> None:
    """Drop the indexes that are kept, since what was read of their files counts as memory."""
    _load.cache_clear()


def load_codes(store: Store, kind: str) -> "ApproximateIndex":
    """The codes of a kind, with the index that they belong to.

    Raises `CatalogError` if either is absent, outdated or damaged.
    """
    from zoolens.catalog.similarity.approximate import ApproximateIndex, read_codes

    exact = load_index(store, kind)
    found = recorded_codes(store)
    path = codes_path(store.path, kind)
    if found is None:
        raise CatalogError(
            f"{path} is missing, outdated or damaged; build it with: zoolens index --approximate"
        )
    return ApproximateIndex(read_codes(path), exact, found["codes"][kind]["ranked"])


def recorded_codes(store: Store) -> Mapping[str, Any] | None:
    """What the ledger records of the codes for the present votes and predictions.

    None if there are no codes, or one of their files is missing or damaged.
    """
    for found in _configs(store, "approximate", whole=True)[::-1]:
        sums = found["sha256"]
        if all(file_is_sound(store, codes_path(store.path, kind), [sums[kind]]) for kind in sums):
            return found
    return None


def write_index(catalog: Path, kind: str, blocks: Iterable[Block]) -> str:
    """Write an index beside its catalogue, completely or not at all; returns its SHA-256.

    The same blocks give the same bytes. Raises `CatalogError` if the disk does not
    take it.
    """
    path = index_path(catalog, kind)
    with replacing(path) as part:
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            for block in blocks:
                writer.write_batch(_batch(block))
        found = checksum(part)
    if found is None:
        raise CatalogError(f"{path} could not be read back; build it again with: zoolens index")
    return found


def _recorded(store: Store, kind: str, *, whole: bool = False) -> tuple[str, ...]:
    """Checksums that complete index runs recorded for the present state."""
    return tuple(config["sha256"][kind] for config in _configs(store, "index", whole=whole))


def _configs(store: Store, job: str, *, whole: bool = False) -> list[Mapping[str, Any]]:
    """Configurations of a job's complete runs on what the store holds now, oldest first.

    whole: only those that hold galaxies without votes too; others, by earlier versions of
    Zoolens, serve galaxies with votes as well as ever.
    """
    state = built_from(store)
    kept = state if whole else {name: state[name] for name in ("votes", "predictions")}
    configs = [run.config for run in store.complete_runs(job)]
    return [config for config in configs if kept.items() <= config["built_from"].items()]


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
def _load(path: Path, found: tuple[int, int] | None, tree: DecisionTree) -> SimilarityIndex:
    """The index in a checked file, cached; by `found`, its stamp, a new file is read again."""
    try:
        return SimilarityIndex(tree, _blocks(path, tree))
    except (pa.ArrowException, OSError, ValueError, AttributeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise CatalogError(
            f"{path} is no similarity index ({reason}); build it with: zoolens index"
        ) from None


def _blocks(path: Path, tree: DecisionTree) -> list[Block]:
    answers = len(tree.labels)
    width = 2 * answers + len(tree.questions)
    content = pa.ipc.open_file(pa.memory_map(str(path)))
    if content.schema != _SCHEMA:
        raise ValueError("other columns")
    blocks = []
    for number in range(content.num_record_batches):
        batch = content.get_batch(number)
        batch.validate(full=True)
        galaxy_id, columns, fractions, largest = (
            column[0].values.to_numpy() for column in batch.columns
        )
        size = len(galaxy_id)
        shape = (width, size), (size, answers)
        blocks.append(
            Block(galaxy_id, columns.reshape(shape[0]), fractions.reshape(shape[1]), largest)
        )
        if largest.shape != (width,):
            raise ValueError("a block of another shape")
    return blocks
