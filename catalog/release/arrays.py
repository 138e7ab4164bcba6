"""Tables of a release whose cells are arrays: dropout samples and saliency maps."""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.formats.columns import column
from zoolens.catalog.release.galaxies import Block
from zoolens.catalog.store.maps import read_maps
from zoolens.catalog.store.matrices import floats

Reader = Callable[[Block], pa.Table]

_GRID = pa.list_(pa.list_(pa.float32()))


def posteriors(name: pa.Field, tree: DecisionTree) -> tuple[pa.Schema, Reader]:
    """Columns and rows of the dropout samples, in the layout of GZ DECaLS's `auto_posteriors`.

    A list of T concentrations per answer; name: the column that names the galaxy.
    """
    samples = pa.list_(pa.float32())
    columns = pa.schema(
        [
            name,
            *(
                column(
                    f"{label}_concentration",
                    samples,
                    f"Dirichlet concentrations of {label}, one a dropout sample",
                    ucd="stat.param",
                )
                for label in tree.labels
            ),
        ]
    )

    def read(block: Block) -> pa.Table:
        parts = []
        for where, alpha in block.posteriors:
            lists = [_lists(alpha[:, :, k]) for k in range(alpha.shape[2])]
            names = pa.array(block.names[where], pa.string())
            part = pa.Table.from_arrays([names, *lists], schema=columns)
            parts.append(part.append_column("place", pa.array(where)))
        if not parts:
            return columns.empty_table()
        return pa.concat_tables(parts).sort_by("place").drop_columns("place")

    return columns, read


def _lists(values: npt.NDArray[np.float32]) -> pa.Array:
    """Lists of the rows of (N, T); NULL where a row is missing (NaN)."""
    rows, samples = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * samples)
    missing = pa.array(np.isnan(values).all(axis=1))
    return pa.ListArray.from_arrays(offsets, pa.array(values.ravel()), mask=missing)


def saliency(names: list[pa.Field]) -> tuple[pa.Schema, Reader]:
    """Columns and rows of the maps, (h, w) lists of lists, one row per galaxy and answer.

    names: the columns of galaxy, question, answer and label.
    """
    said = "(rows, columns) of the explained layer's own grid, in units of concentration"
    columns = pa.schema(
        [
            *names,
            column(
                "mean",
                _GRID,
                f"saliency map, mean over dropout samples, {said}; positive cells raise the "
                "answer's concentration",
            ),
            column("sd", _GRID, f"its standard deviation over dropout samples, {said}"),
        ]
    )
    return columns, partial(_read_maps, columns)


def _read_maps(columns: pa.Schema, block: Block) -> pa.Table:
    if block.runs.explain is None:
        return columns.empty_table()
    rows = read_maps(block.store, block.runs.explain, block.ids)
    if not len(rows):
        return columns.empty_table()
    ((height, width),) = {  # a run has one layer and one view
        *zip(*(rows[name].to_pylist() for name in ("height", "width")), strict=True)
    }
    tree = block.tree
    given = [range(len(tree.labels))[tree.slices[q]] for q in rows["question_id"].to_pylist()]
    answer = np.concatenate([np.array(some) for some in given])
    galaxy = np.searchsorted(block.ids, rows["galaxy_id"].to_numpy())
    galaxy = np.repeat(galaxy, [len(some) for some in given])
    grids = [_grids(floats(rows[name]), height, width) for name in ("mean", "sd")]
    named = [pa.array(x, pa.string()) for x in (block.names[galaxy], *answer_names(tree, answer))]
    return pa.Table.from_arrays([*named, *grids], schema=columns)


def answer_names(
    tree: DecisionTree, answer: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.object_]]:
    """Question, answer and label of answers by number."""
    labels = np.array(tree.labels, object)[answer]
    questions = np.array([q.name for q in tree.questions], object)[tree.question_of[answer]]
    plain = np.array([a for q in tree.questions for a in q.answers], object)[answer]
    return [questions, plain, labels]


def _grids(values: npt.NDArray[np.float32], height: int, width: int) -> pa.Array:
    """Lists of rows of the maps that follow one another in `values`."""
    rows = pa.ListArray.from_arrays(
        pa.array(np.arange(len(values) // width + 1, dtype=np.int32) * width), pa.array(values)
    )
    ends = pa.array(np.arange(len(rows) // height + 1, dtype=np.int32) * height)
    return pa.ListArray.from_arrays(ends, rows)
