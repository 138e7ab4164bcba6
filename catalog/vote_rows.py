"""Rows of `vote` from matrices of counts, and which of them say something new."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.arrays import Flags, Floats
from catalog.decision_tree import DecisionTree
from catalog.fractions import Votes


def changed_questions(current: Votes, counts: Floats, totals: Floats, asked: Flags) -> Flags:
    """Which questions of known galaxies a new table answers otherwise, (N, Q).

    current: their votes so far; counts (N, A), totals (N, Q): the new ones, in the
    same order; asked (Q,): the questions that the new table has.
    """
    differs = current.counts != counts
    starts = [where.start for where in current.tree.slices]
    return (np.logical_or.reduceat(differs, starts, axis=1) | (current.totals != totals)) & asked


def vote_table(
    tree: DecisionTree,
    galaxy_id: npt.NDArray[np.int64],
    counts: Floats,
    totals: Floats,
    write: Flags,
) -> pa.Table:
    """Rows of `vote`, without their run, in galaxy and answer order.

    galaxy_id (N,); counts (N, A); totals (N, Q); write (N, Q): the questions whose
    answers become rows.
    """
    order = np.argsort(galaxy_id)
    i, answer = np.nonzero(write[order][:, tree.question_of])
    galaxy = order[i]
    return pa.table(
        {
            "galaxy_id": pa.array(galaxy_id[galaxy], pa.int64()),
            "answer_id": pa.array(answer, pa.int32()),
            "count": pa.array(counts[galaxy, answer], pa.float64()),
            "total": pa.array(totals[galaxy, tree.question_of[answer]], pa.float64()),
        }
    )
