"""Vote tables in, validated counts out.

Counts are what is read: totals and fractions are derived from them, and those that a table
states are only compared. A row that cannot be trusted is refused as a whole, with the reason;
nothing is repaired.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_FAULTS
from zoolens.catalog.formats.identifiers import check_digits, texts
from zoolens.catalog.formats.kept import KeptTables
from zoolens.catalog.formats.reading import TableFile, check_identifiers_type
from zoolens.catalog.store.matrices import asked_otherwise
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.votes.checks import (
    Rows,
    check_identifiers,
    check_positions,
    compare_stated,
    read_question,
    repeated,
    repeated_reason,
)
from zoolens.catalog.votes.layouts import Layout, recognise, trees_to_try
from zoolens.catalog.votes.remarks import Unread, column_remarks, count_unread, left_out
from zoolens.catalog.votes.spelling import respelt


@dataclass(frozen=True)
class VoteBlock:
    """The votes on N galaxies of a table, in its order.

    names and rows (N,): identifiers, and rows in the file from 1. ra, dec (N,): deg, NaN
    where the table has none. counts (N, A) and totals (N, Q): 0 where nobody was asked;
    totals include answers outside the tree. voted (N,): whether the table has any count of it.
    """

    names: list[str]
    rows: npt.NDArray[np.int64]
    ra: Floats
    dec: Floats
    counts: Floats
    totals: Floats
    voted: Flags


@dataclass(frozen=True)
class VoteTable:
    """The votes of a table, whatever its size.

    layout: which columns were read. rejects: what was refused or contradictory, in row
    order.
    """

    layout: Layout
    rejects: list[Reject] = field(default_factory=list)
    _filled: Counter[tuple[str, float]] = field(default_factory=Counter)
    _unread: dict[str, Unread] = field(default_factory=dict)
    _kept: KeptTables = field(default_factory=KeptTables)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def tree(self) -> DecisionTree:
        return self.layout.tree

    @property
    def asked(self) -> Flags:
        """Which of the Q questions the table has columns for, (Q,)."""
        used = {columns.question.name for columns in self.layout.questions}
        return np.array([question.name in used for question in self.tree.questions])

    @property
    def names(self) -> list[str]:
        """Identifiers of all galaxies, as in the blocks."""
        return self._kept.column("name").to_pylist() if len(self) else []

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Rows in the file of all galaxies, as in the blocks."""
        return self._kept.column("row").to_numpy() if len(self) else np.empty(0, np.int64)

    @property
    def files(self) -> list[str | None] | None:
        """Image paths of all galaxies as the table gives them; None where it has none."""
        if self.layout.image is None:
            return None
        return self._kept.column("file").to_pylist() if len(self) else []

    def blocks(self) -> Iterator[VoteBlock]:
        """The votes, tens of thousands of galaxies at a time."""
        for kept in self._kept:
            ra, dec = kept["ra"].to_numpy(), kept["dec"].to_numpy()
            counts, totals = (
                kept[name].combine_chunks().flatten().to_numpy().reshape(len(kept), -1)
                for name in ("counts", "totals")
            )
            names = kept["name"].to_pylist()
            voted = kept["voted"].to_numpy()
            yield VoteBlock(names, kept["row"].to_numpy(), ra, dec, counts, totals, voted)


def read_vote_table(
    path: Path,
    *,
    tree: str | None = None,
    prefer: DecisionTree | None = None,
    identifier: str | None = None,
    weighted: bool = False,
) -> VoteTable:
    """Read and validate a published vote table.

    A row is refused if its identifier is empty, not a printable name, or that of an
    earlier accepted row; if ra is outside 0..360 or dec outside -90..90; and if a count
    is not a number, missing, negative, above 1e6, above its stated total, or fractional
    (unless `weighted`). Counts of a question that are all missing mean
    that it was not asked, unless a total above 0 is stated; the tree's answers and
    those outside it are treated separately, since merged tables leave the cells empty that
    only another campaign asked for.

    Reported, but the counts are kept: a stated total that differs by more than 0.01 from
    the sum of the counts, a stated fraction that differs by more than 0.001 from
    count / total. A question with only some of its answers among the columns, and columns that
    look like answers and are none of the tree's, are
    reported with the votes that they hold, and not used; a question with votes for answers outside
    the tree is reported and used.

    For `tree`, `prefer` and `identifier` see `recognise`. Raises `TableRefused` if
    the table cannot be understood at all, or no row of it can be used.
    """
    file, layout, names = open_vote_table(
        path, tree=tree, prefer=prefer, identifier=identifier, weighted=weighted
    )
    path = file.path
    table = VoteTable(layout)
    read = [(old, new) for old, new in names.items() if new in layout.columns]
    if read:
        (old, new), more = read[0], len(read) - 1
        reason = f"respelt column: read as {new}" + (f", {more} more likewise" if more else "")
        table.rejects.append(Reject(str(path), None, old, reason))
    misshapen: dict[int, str] = {}
    found = 0
    for numbers, content in file.blocks(layout.columns, misshapen):
        _validate(Rows(path, content, layout.identifier, numbers), table)
        found += len(content)
        _check_faults(path, table, len(table.rejects))
    if not found:
        raise TableRefused(f"{path} has a header but no row of that length; is it complete?")
    _check_faults(path, table, len(table.rejects) + len(misshapen))
    ragged = [Reject(str(path), r, None, f"ragged row: {what}") for r, what in misshapen.items()]
    table.rejects.extend(ragged)
    if not len(table) and not file.is_extract:
        first = min(table.rejects, key=lambda reject: reject.row or 0)
        raise TableRefused(
            f"{path}: every one of its {found + len(misshapen):,} rows is refused; row "
            f"{first.row}, the first: {first.reason}"
        )
    check_digits(path, layout.identifier, table.names)
    _refuse_repeated(path, table)
    _report_columns(path, table)
    table.rejects.sort(key=lambda reject: reject.row or 0)
    return table


def open_vote_table(
    path: Path,
    *,
    tree: str | None = None,
    prefer: DecisionTree | None = None,
    identifier: str | None = None,
    weighted: bool = False,
) -> tuple[TableFile, Layout, Mapping[str, str]]:
    """A vote table and its layout, before a row is read; with the arguments of `read_vote_table`.

    Also which columns are read by another spelling than theirs (`respelt`).

    Raises `TableRefused` if the table cannot be understood at all.
    """
    file = TableFile(path)
    path = file.path
    names = respelt(path, file.schema.names, trees_to_try(tree, prefer))
    file.rename(names)
    layout = recognise(
        path,
        file.schema.names,
        tree=tree,
        prefer=prefer,
        identifier=identifier,
        weighted=weighted,
    )
    check_identifiers_type(path, file.schema, layout.identifier)
    return file, layout, names


def _check_faults(path: Path, table: VoteTable, count: int) -> None:
    """Refuse a table with so much wrong that the list of it would fill the memory."""
    if count > MOST_FAULTS:
        told = f"row {table.rejects[0].row}: {table.rejects[0].reason}" if table.rejects else ""
        what = told or f"most identifiers in {table.layout.identifier} are repeated"
        raise TableRefused(
            f"{path} has more than {MOST_FAULTS:,} faults; are its columns what their names say? "
            f"The first, {what}"
        )


def _validate(rows: Rows, table: VoteTable) -> None:
    """Check a block of rows; keep the good ones, and the reasons against the others."""
    layout, tree = table.layout, table.tree
    size = len(rows.names)
    check_identifiers(rows)
    ra, dec = np.full((2, size), np.nan)
    if layout.position is not None:
        ra, dec = check_positions(rows, layout.position)
    counts = np.zeros((size, len(tree.labels)))
    totals = np.full((size, len(tree.questions)), np.nan)
    read = [(columns, tree.questions.index(columns.question)) for columns in layout.questions]
    for columns, q in read:
        counts[:, tree.slices[q]], totals[:, q] = read_question(rows, columns, layout.weighted)
    for columns, q in read:
        compare_stated(rows, columns, totals[:, q], counts[:, tree.slices[q]])
    for of, names in left_out(layout).items():
        table._unread[of] = table._unread.get(of, Unread()) + count_unread(rows, names)
    table.rejects.extend(rows.rejects)
    table._filled.update(rows.filled)
    good = np.flatnonzero(rows.good)
    kept = {
        "name": pa.array([rows.names[i] for i in good.tolist()], pa.string()),
        "row": rows.numbers[good],
        "ra": ra[good],
        "dec": dec[good],
        "counts": _lists(counts[good]),
        "totals": _lists(np.nan_to_num(totals[good])),
        "voted": ~np.isnan(totals[good]).all(axis=1),
    }
    if layout.image is not None:
        files = texts(rows.table[layout.image])
        kept["file"] = pa.array([files[i] for i in good.tolist()], pa.string())
    if len(good):
        table._kept.add(pa.table(kept))


def _lists(values: Floats) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def _refuse_repeated(path: Path, table: VoteTable) -> None:
    """Refuse rows that repeat the identifier of an earlier good row.

    What else was reported of them, such as a contradictory total, no longer matters.
    """
    if not len(table):
        return
    names, rows = table._kept.column("name"), table.rows
    which, first = repeated(names)
    _check_faults(path, table, len(table.rejects) + len(which))
    gone = set(rows[which].tolist())
    table.rejects[:] = [reject for reject in table.rejects if reject.row not in gone]
    for i, earlier in zip(which.tolist(), first.tolist(), strict=True):
        reason = repeated_reason(int(rows[earlier]))
        table.rejects.append(Reject(str(path), int(rows[i]), names[i].as_py(), reason))
    table._kept.drop("row", rows[which])


def _report_columns(path: Path, table: VoteTable) -> None:
    """Report what the table's columns hold besides the votes that are read."""
    more = np.zeros(len(table.tree.questions), dtype=np.int64)  # galaxies, by question
    for block in table.blocks():
        otherwise = asked_otherwise(table.tree, block.counts, block.totals)
        more += np.count_nonzero(otherwise, axis=0)
    of = {question.name: int(n) for question, n in zip(table.tree.questions, more, strict=True)}
    table.rejects.extend(column_remarks(path, table.layout, table._filled, table._unread, of))
