"""Rows of `vote` from matrices of counts, and which of them differ from the current votes."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.store.matrices import Votes, asked_otherwise
from zoolens.catalog.store.tables import arrow_schema


def changed_questions(current: Votes, counts: Floats, totals: Floats, asked: Flags) -> Flags:
    """Which questions of known galaxies have other votes in a new table, (N, Q).

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
    galaxy, question = order[i], tree.question_of[answer]
    otherwise = asked_otherwise(tree, counts, totals)
    return pa.table(
        {
            "galaxy_id": galaxy_id[galaxy],
            "answer_id": answer.astype(np.int32),
            "count": counts[galaxy, answer],
            "total": totals[galaxy, question],
            "other_answers": otherwise[galaxy, question],
        },
        schema=arrow_schema("vote"),
    )
