"""What is true of the galaxies of a simulated sky, and who was wrong: reading `truth.parquet`."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.parquet_blocks import parquet_whole
from zoolens.catalog.runtime.files import check_file
from zoolens.catalog.sky.truth import decode_mask
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store

_LARGEST = 4096  # pixel: largest side of a mask that is accepted


@dataclass(frozen=True)
class Truth:
    """What is true of N galaxies.

    probabilities (N, A): of each answer, for a volunteer who is asked its question.
    errors (N, A): how many of its votes were given in error.
    """

    path: Path
    names: Sequence[str]
    probabilities: Floats
    errors: npt.NDArray[np.int64]
    _size: int
    _masks: dict[str, list[bytes | None]]

    def mask(self, number: int, features: Sequence[str]) -> npt.NDArray[np.bool_] | None:
        """Pixels that any of the features makes in galaxy `number`, (H, W); None for none.

        Raises `TableRefused` if a mask is damaged.
        """
        found = []
        for feature in features:
            data = self._masks[feature][number]
            if data is not None:
                try:
                    found.append(decode_mask(data, self._size))
                except (ValueError, zlib.error):
                    raise TableRefused(
                        f"{self.path}: mask_{feature} of {self.names[number]} is damaged; "
                        "simulate the sky again"
                    ) from None
        mask = np.any(found, axis=0) if found else None
        return None if mask is None or not mask.any() else mask


def read_truth(
    path: Path, names: Sequence[str], tree: DecisionTree, features: Sequence[str] = ()
) -> Truth:
    """The truth of the galaxies called `names`, in that order.

    features: whose masks to read. Raises `TableRefused` if the file is not the truth
    of a sky, or of another sky, so that it lacks one of the galaxies or answers.
    """
    wanted = {
        "iauname": pa.string(),
        **{f"{label}_probability": pa.float64() for label in tree.labels},
        **{f"{label}_errors": pa.int64() for label in tree.labels},
        **({"size": pa.int64()} if features else {}),
        **{f"mask_{feature}": pa.binary() for feature in features},
    }
    try:
        check_file(path, "truth of a sky", TableRefused)
        held = parquet.read_schema(path).names
        absent = [name for name in wanted if name not in held]
        if absent:
            raise TableRefused(f"{path} is of another sky: it lacks {absent[0]}")
        masks = [f"mask_{feature}" for feature in features]
        rows = parquet_whole(path, [*wanted], raw=masks).cast(pa.schema(wanted))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise TableRefused(f"{path} is no truth of a sky: {str(error).splitlines()[0]}") from None
    place = {name: row for row, name in enumerate(rows["iauname"].to_pylist())}
    missing = [name for name in names if name not in place]
    if missing:
        raise TableRefused(f"{path} is of another sky: it lacks {missing[0]}")
    rows = rows.take(pa.array([place[name] for name in names], pa.int64()))

    def matrix(kind: str) -> list[npt.NDArray[np.generic]]:
        return [rows[f"{label}_{kind}"].to_numpy() for label in tree.labels]

    probabilities = np.stack(matrix("probability"), axis=1).astype(np.float64)
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise TableRefused(f"{path} is no truth of a sky: a probability is not within 0..1")
    return Truth(
        path,
        names,
        probabilities,
        np.stack(matrix("errors"), axis=1).astype(np.int64),
        _size(rows, path) if features else 0,
        {feature: rows[f"mask_{feature}"].to_pylist() for feature in features},
    )


def judge(store: Store, truth: Path, *, limit: int = 10, min_votes: float = 0) -> pa.Table:
    """The worst galaxies of a simulated sky, and who was wrong.

    truth: the `truth.parquet` of the sky. Columns rank, iauname, label, votes, observed,
    predicted; truth, the probability of the answer that the votes were drawn from;
    errors, how many of the question's votes were given in error; and `nearer`, whichever of
    volunteers and model is nearer to the truth. Raises `TableRefused` if the truth is
    not that of these galaxies.
    """
    ranking = rank_galaxies(store, limit, min_votes=min_votes)
    tree = store.tree
    known = read_truth(truth, ranking["iauname"].to_pylist(), tree)
    answers = [tree.answer_id(label) for label in ranking["label"].to_pylist()]
    probability = known.probabilities[np.arange(len(answers)), answers]
    errors = [
        int(row[tree.slices[tree.question_of[answer]]].sum())
        for row, answer in zip(known.errors, answers, strict=True)
    ]
    voted, said = (ranking[column].to_numpy() for column in ("observed", "predicted"))
    nearer = np.where(np.abs(voted - probability) < np.abs(said - probability), "votes", "model")
    return (
        ranking.select(["rank", "iauname", "label", "votes", "observed", "predicted"])
        .append_column("truth", pa.array(probability))
        .append_column("errors", pa.array(errors, pa.int64()))
        .append_column("nearer", pa.array(nearer.tolist()))
    )


def _size(rows: pa.Table, path: Path) -> int:
    """Side of the masks, the same for a whole sky."""
    sizes = set(rows["size"].to_pylist())
    size = sizes.pop() if len(sizes) == 1 else None
    if size is None or not 0 < size <= _LARGEST:
        raise TableRefused(f"{path} is no truth of a sky: its masks have no common size")
    return int(size)
