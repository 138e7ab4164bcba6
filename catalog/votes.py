"""Vote tables in, validated counts out.

Counts are the truth: totals and fractions are derived from them, and what a table
states beside them is only compared. A row that cannot be trusted is refused whole
and says why; nothing is repaired.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.decision_tree import DecisionTree
from catalog.errors import TableRefused
from catalog.rejects import Reject
from catalog.table_files import read_table, texts
from catalog.vote_checks import (
    TOTAL_TOLERANCE,
    Flags,
    Floats,
    Rows,
    check_identifiers,
    check_positions,
    compare_stated,
    read_question,
    refuse_repeated,
)
from catalog.vote_layouts import Layout, recognise


@dataclass(frozen=True)
class VoteTable:
    """The votes for the N galaxies of a table, in its order.

    layout: which columns were read. names and rows (N,): identifiers, and rows in
    the file from 1. ra, dec (N,): deg, NaN where the table has none. counts (N, A)
    and totals (N, Q): 0 where nobody was asked; totals include answers outside the
    tree. files (N,): image paths as the table gives them, or None. rejects: what was
    refused or contradictory, in row order.
    """

    layout: Layout
    names: list[str]
    rows: npt.NDArray[np.int64]
    ra: Floats
    dec: Floats
    counts: Floats
    totals: Floats
    files: list[str | None] | None
    rejects: list[Reject]

    @property
    def tree(self) -> DecisionTree:
        return self.layout.tree

    @property
    def asked(self) -> Flags:
        """Which of the Q questions the table has columns for, (Q,)."""
        used = {columns.question.name for columns in self.layout.questions}
        return np.array([question.name in used for question in self.tree.questions])


def read_vote_table(
    path: Path,
    *,
    tree: str | None = None,
    prefer: DecisionTree | None = None,
    identifier: str | None = None,
    weighted: bool = False,
) -> VoteTable:
    """Read and validate a published vote table.

    A row is refused where its identifier is empty, no printable name, or that of an
    earlier accepted row; where ra is outside 0..360 or dec outside -90..90; and where
    a count is no number, missing, negative, above 1e6, above its stated total, or
    fractional (unless `weighted`). Counts of a question that are all missing mean
    that it was not asked, unless a total above 0 is stated; the tree's answers and
    those outside it are looked at apart, since merged tables leave empty what only
    another campaign asked.

    Reported, and the counts kept: a stated total that differs by more than 0.01 from
    the sum of the counts, a stated fraction that differs by more than 0.001 from
    count / total. A question with only some of its answers among the columns is
    reported and not used; one with votes for answers outside the tree is reported
    and used.

    For `tree`, `prefer` and `identifier` see `recognise`. Raises `TableRefused` where
    the table cannot be understood at all.
    """
    misshapen: dict[int, str] = {}
    table = read_table(path, misshapen=misshapen)
    layout = recognise(
        path,
        table.column_names,
        tree=tree,
        prefer=prefer,
        identifier=identifier,
        weighted=weighted,
    )
    if len(table) == 0:
        raise TableRefused(f"{path} has a header but no row of that length; is it complete?")
    if pa.types.is_floating(table[layout.identifier].type):
        raise TableRefused(
            f"{path} stores {layout.identifier} as floating point, which loses digits of long "
            "identifiers; store it as text or integers"
        )
    every = np.arange(1, len(table) + len(misshapen) + 1)
    numbers = every[~np.isin(every, list(misshapen))]
    rows = Rows(path, table, layout.identifier, numbers)
    for row, what in misshapen.items():
        rows.add(row, None, f"ragged row: {what}")
    return _validated(rows, layout)


def _validated(rows: Rows, layout: Layout) -> VoteTable:
    tree = layout.tree
    size = len(rows.names)
    check_identifiers(rows)
    ra, dec = np.full((2, size), np.nan)
    if layout.position is not None:
        ra, dec = check_positions(rows, layout.position)
    counts = np.zeros((size, len(tree.labels)))
    totals = np.zeros((size, len(tree.questions)))
    read = [(columns, tree.questions.index(columns.question)) for columns in layout.questions]
    for columns, q in read:
        counts[:, tree.slices[q]], totals[:, q] = read_question(rows, columns, layout.weighted)
    refuse_repeated(rows)
    for columns, q in read:
        compare_stated(rows, columns, totals[:, q], counts[:, tree.slices[q]])
    _report_columns(rows, layout, counts, totals)
    good = np.flatnonzero(rows.good)
    files = None if layout.image is None else texts(rows.table[layout.image])
    return VoteTable(
        layout,
        [rows.names[i] or "" for i in good],
        rows.numbers[good],
        ra[good],
        dec[good],
        counts[good],
        totals[good],
        None if files is None else [files[i] for i in good],
        sorted(rows.rejects, key=lambda reject: reject.row or 0),
    )


def _report_columns(rows: Rows, layout: Layout, counts: Floats, totals: Floats) -> None:
    """Report questions asked only in part, or with answers outside the tree."""
    for columns in layout.incomplete:
        rows.add(
            None,
            columns.question.name,
            f"missing column: {', '.join(columns.missing)}; the question is not used",
        )
    for columns in layout.questions:
        q = layout.tree.questions.index(columns.question)
        inside = counts[:, layout.tree.slices[q]].sum(axis=1)
        galaxies = np.count_nonzero(rows.good & (totals[:, q] > inside + TOTAL_TOLERANCE))
        if galaxies:
            rows.add(
                None,
                columns.question.name,
                f"answers outside the tree: {', '.join(columns.foreign)} have votes of "
                f"{galaxies:,} galaxies, whose losses for this question stay NULL",
            )
