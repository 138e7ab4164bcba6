"""What a row of a vote table must satisfy, and how it is refused when it does not."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Floats, Ints
from zoolens.catalog.formats.identifiers import (
    check_notation,
    identifier_texts,
    is_float,
    texts,
)
from zoolens.catalog.formats.reading import numbers
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.votes.layouts import QuestionColumns

MOST_VOTES = 1e6
# Published fractions have three decimals or more, published weighted totals two.
FRACTION_TOLERANCE = 1e-3
TOTAL_TOLERANCE = 0.01
ROUNDED_VOTES = 0.25  # that two decimals of a fraction of 50 votes may hide
LONGEST_IDENTIFIER = 100
# What programs write for a missing number, none of which is a count, a fraction or a position:
# astropy's (999999, 1e20), catalogues' (-99, …), the ends of integer types, netCDF's.
FILL_VALUES = np.array(
    [
        *(999_999, 1e20, float(np.float32(1e20)), -99, -999, -9999, -99_999, -999_999),
        *(float(sign * 2**bits - (sign > 0)) for bits in (15, 31, 63) for sign in (-1, 1)),
        *(9.969209968386869e36, float(np.float32(9.969209968386869e36))),
    ]
)


class Rows:
    """The N rows of one table on their way through the checks.

    identifier: the column, or columns, of `catalog.formats.identifiers.identifier_columns`.
    good (N,): rows not refused so far. names (N,): identifiers, None where empty.
    numbers (N,): rows in the file from 1. filled: how many cells hold a fill value, by what
    they are about and the value.
    """

    def __init__(
        self, path: Path, table: pa.Table, identifier: str, numbers_: npt.NDArray[np.int64]
    ) -> None:
        self.path = path
        self.table = table
        self.identifier = identifier
        self.numbers = numbers_
        self.names = identifier_texts(table, identifier)
        self.good = np.ones(len(numbers_), dtype=bool)
        self.rejects: list[Reject] = []
        self.filled: Counter[tuple[str, float]] = Counter()

    def numbers_of(self, column: str, of: str) -> tuple[Floats, Flags]:
        """A column as numbers (N,), and where it holds something else.

        Fill values become NaN; how many there are is kept in `filled`, for `of`, a question or
        another word for what the column is about.
        """
        values, unreadable = numbers(self.table[column])
        fill = np.isin(values, FILL_VALUES)
        if fill.any():
            found, counts = np.unique(values[fill], return_counts=True)
            for value, count in zip(found.tolist(), counts.tolist(), strict=True):
                self.filled[of, value] += count
            values = np.where(fill, np.nan, values)
        return values, unreadable

    def refuse(self, which: Flags, reason: Callable[[int], str]) -> None:
        """Refuse those rows of `which` that are still good, each for its reason."""
        self.note(which, reason)
        self.good &= ~which

    def note(self, which: Flags, reason: Callable[[int], str]) -> None:
        """Report those rows of `which` that are still good, and keep them."""
        for i in np.flatnonzero(which & self.good).tolist():
            self.add(int(self.numbers[i]), self.names[i], reason(i))

    def add(self, row: int | None, key: str | None, reason: str) -> None:
        """Report a row; `row` is None for something that is not a row."""
        self.rejects.append(Reject(str(self.path), row, key, reason))

    def text(self, column: str, i: int) -> str:
        """What the file has in a cell, for a message."""
        value = self.table[column][i].as_py()
        return "empty" if value is None else f"{value!r:.60}"


def check_identifiers(rows: Rows) -> None:
    """Refuse empty identifiers, and those that are no proper name.

    Names become parts of file names and are printed on terminals, so they must be printable,
    1 to 100 characters long, without slashes. Raises `TableRefused` if all are numbers in
    floating point, which have lost digits; single ones are refused.
    """
    for part in rows.identifier.split(","):
        check_notation(rows.path, part, texts(rows.table[part]))
    empty = np.array([name is None for name in rows.names])
    rows.refuse(empty, lambda i: f"missing identifier: {rows.identifier} is empty")
    unusable = np.array([name is not None and not _is_name(name) for name in rows.names])
    for i in np.flatnonzero(unusable).tolist():
        rows.names[i] = f"{rows.names[i]!r:.{LONGEST_IDENTIFIER}}"
    rows.refuse(unusable, lambda i: "unusable identifier: not a name of up to 100 plain letters")
    rounded = np.array([name is not None and is_float(name) for name in rows.names])
    rows.refuse(
        rounded, lambda i: "unusable identifier: in floating point, which loses digits of long ones"
    )


def named(blocks: Iterable[Rows]) -> Iterator[tuple[Ints, list[str]]]:
    """The numbers and the names of those rows that have a proper name, block by block."""
    for rows in blocks:
        check_identifiers(rows)
        good = np.flatnonzero(rows.good)
        yield rows.numbers[good], [rows.names[i] or "" for i in good.tolist()]


def _is_name(text: str) -> bool:
    plain = text.isprintable() and "/" not in text and "\\" not in text
    return plain and len(text) <= LONGEST_IDENTIFIER and text.strip(".") != ""


def check_positions(rows: Rows, columns: tuple[str, str]) -> tuple[Floats, Floats]:
    """Read ra and dec, deg, (N,) each; NaN where a row has neither.

    Refuses ra outside 0..360, dec outside -90..90, and one without the other.
    """
    (ra, bad_ra), (dec, bad_dec) = (rows.numbers_of(c, "position") for c in columns)
    outside = (ra < 0) | (ra > 360) | (np.abs(dec) > 90)
    rows.refuse(
        bad_ra | bad_dec | outside | (np.isnan(ra) != np.isnan(dec)),
        lambda i: (
            "position out of range: "
            + ", ".join(f"{column} is {rows.text(column, i)}" for column in columns)
            + "; expected 0..360 and -90..90 deg"
        ),
    )
    return ra, dec


def read_question(rows: Rows, columns: QuestionColumns, weighted: bool) -> tuple[Floats, Floats]:
    """Counts (N, K) of a question's answers in the tree, and totals (N,), NaN without any count.

    Counts that are all missing, empty or fill values, are 0: the question was not asked, or not
    with these answers. Refuses a row if its stated total contradicts that, or if one of its
    counts is not a number, missing, negative, absurdly large, above the stated total, or
    fractional (unless `weighted`). Where the stated total is above the counts and every answer's
    fraction is left empty, as in a release, the rest are answers outside the tree: the
    total counts.
    """
    name = columns.question.name
    stated, _ = _stated(rows, columns.total)
    own, foreign = (_matrix(rows, found, name) for found in (columns.found, columns.foreign))
    own_empty, foreign_empty = (np.isnan(values).all(axis=1) for values in (own, foreign))
    rows.refuse(
        own_empty & foreign_empty & (stated > 0),
        lambda i: f"missing count: {columns.total} is {stated[i]:g} but no count is given",
    )
    if columns.of_total:
        own = _counts_of(rows, columns, own, stated)
    own[own_empty] = 0.0
    foreign[foreign_empty] = 0.0
    limit = np.where(np.isnan(stated), np.inf, stated)[:, None] + TOTAL_TOLERANCE
    for values, names in ((own, columns.found), (foreign, columns.foreign)):
        _refuse_cells(rows, np.isnan(values), "missing count", names)
        _refuse_cells(rows, values < 0, "negative count", names)
        _refuse_cells(rows, values > MOST_VOTES, "absurd count", names)
        if not weighted:
            _refuse_cells(rows, values != np.floor(values), "fractional count", names)
        _refuse_cells(rows, values > limit, "count above its total", names, columns.total)
    totals = own.sum(axis=1) + foreign.sum(axis=1)
    totals = np.where(_outside_unnamed(rows, columns, totals, stated), stated, totals)
    return own, np.where(own_empty & foreign_empty, np.nan, totals)


def _outside_unnamed(rows: Rows, columns: QuestionColumns, totals: Floats, stated: Floats) -> Flags:
    """Rows (N,) with votes for answers outside the tree that have no columns.

    totals, stated (N,): as counted, and as the table has them.
    """
    more = stated - totals > TOTAL_TOLERANCE
    names = [columns.fractions.get(column) for column in columns.found]
    for name in names if more.any() else ():
        if name is None:
            return np.zeros(len(more), dtype=bool)
        given, unreadable = _stated(rows, name)
        more &= np.isnan(given) & ~unreadable
    return more


def _counts_of(rows: Rows, columns: QuestionColumns, fractions: Floats, totals: Floats) -> Floats:
    """Counts (N, K) of fractions (N, K) of totals (N,), rounded to whole votes.

    Refuses rows whose counts are not whole within a quarter, or do not add up to the total.
    """
    votes = fractions * totals[:, None]
    counts = np.round(votes)
    off = (np.abs(votes - counts) > ROUNDED_VOTES).any(axis=1)
    off |= np.abs(counts.sum(axis=1) - totals) > TOTAL_TOLERANCE
    shown = ", ".join(columns.found)
    rows.refuse(
        off,
        lambda i: f"fractional count: {shown} of {columns.total} {totals[i]:g} are no whole votes",
    )
    return counts


def repeated(
    names: pa.ChunkedArray,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions (R,) of identifiers that occur earlier too, and the first position (R,) of each."""
    # an identifier that occurs for the first time has a code above all earlier ones
    chunks = names.dictionary_encode().chunks
    codes = np.concatenate([np.empty(0, np.int64), *(c.indices.to_numpy() for c in chunks)])
    before = np.maximum.accumulate(np.concatenate([[-1], codes]))[:-1]
    which = np.flatnonzero(codes <= before)
    return which, np.flatnonzero(codes > before)[codes[which]]


def repeated_reason(first: int) -> str:
    """The reason to refuse a row whose identifier is that of the row `first`."""
    return f"duplicated identifier: already in row {first}, which is kept"


def compare_stated(rows: Rows, columns: QuestionColumns, totals: Floats, counts: Floats) -> None:
    """Report good rows whose stated total or fractions contradict their counts.

    totals (N,) as counted; counts (N, K) of the tree's answers.
    """
    if columns.total is not None:
        stated, unreadable = _stated(rows, columns.total)
        wrong = unreadable | (np.abs(stated - totals) > TOTAL_TOLERANCE)
        rows.note(
            wrong,
            lambda i: (
                f"contradictory total: {columns.total} is {rows.text(columns.total or '', i)}"
                f" but counts give {totals[i]:g}; counts kept"
            ),
        )
    asked = rows.good & (totals > 0)
    for k, column in enumerate(columns.found):
        if (name := columns.fractions.get(column)) is None:
            continue
        stated, unreadable = _stated(rows, name)
        fraction = np.divide(counts[:, k], totals, out=np.zeros(len(totals)), where=asked)
        # 1e-9: a rounded fraction may differ by exactly the tolerance
        wrong = unreadable | (np.abs(stated - fraction) > FRACTION_TOLERANCE + 1e-9)
        rows.note(
            wrong,
            lambda i, k=k, name=name: (  # type: ignore[misc]
                f"contradictory fraction: {name} is {rows.text(name, i)} but counts give "
                f"{counts[i, k]:g}/{totals[i]:g}; counts kept"
            ),
        )


def _matrix(rows: Rows, columns: Sequence[str], question: str) -> Floats:
    values = np.zeros((len(rows.numbers), len(columns)))
    for k, column in enumerate(columns):
        values[:, k], unreadable = rows.numbers_of(column, question)
        rows.refuse(
            unreadable,
            lambda i, column=column: f"unreadable count: {column} is {rows.text(column, i)}",  # type: ignore[misc]
        )
    return values


def _stated(rows: Rows, column: str | None) -> tuple[Floats, Flags]:
    """The values (N,) that a table states beside its counts, NaN where there is none.

    A fill value says nothing, and nothing is derived from it.
    """
    if column is None:
        return np.full(len(rows.numbers), np.nan), np.zeros(len(rows.numbers), dtype=bool)
    values, unreadable = numbers(rows.table[column])
    return np.where(np.isin(values, FILL_VALUES), np.nan, values), unreadable


def _refuse_cells(
    rows: Rows, bad: Flags, kind: str, names: Sequence[str], total: str | None = None
) -> None:
    """Refuse rows with a bad cell; the reason names the column of the first."""
    if not bad.size:
        return
    where = bad.argmax(axis=1)

    def reason(i: int) -> str:
        shown = [names[where[i]], *([] if total is None else [total])]
        return f"{kind}: " + ", ".join(f"{column} is {rows.text(column, i)}" for column in shown)

    rows.refuse(np.any(bad, axis=1, keepdims=True)[:, 0], reason)
