"""What a vote table's columns hold besides the votes that are read, so that it can be said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoolens.catalog.errors import few
from zoolens.catalog.formats.reading import numbers
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.votes.checks import FILL_VALUES, MOST_VOTES, Rows
from zoolens.catalog.votes.layouts import Layout


@dataclass(frozen=True)
class Unread:
    """How many votes stand in columns that are not read, and of how many galaxies.

    whole: whether they hold nothing but whole numbers, 0 or more.
    """

    votes: float = 0
    galaxies: int = 0
    whole: bool = True

    def __add__(self, other: "Unread") -> "Unread":
        whole = self.whole and other.whole
        return Unread(self.votes + other.votes, self.galaxies + other.galaxies, whole)

    def __str__(self) -> str:
        return f"{self.votes:,.10g} votes of {self.galaxies:,} galaxies left out"


def count_unread(rows: Rows, columns: Sequence[str]) -> Unread:
    """The votes of good rows in columns that look like answers and are not read."""
    votes = np.zeros(len(rows.numbers))
    whole = True
    for column in columns:
        values, unreadable = numbers(rows.table[column])
        given = ~np.isnan(values) & ~np.isin(values, FILL_VALUES)
        counts = given & (values >= 0) & (values <= MOST_VOTES)
        whole &= bool((counts | ~given).all() and not unreadable.any())
        whole &= bool((values[counts] == np.floor(values[counts])).all())
        votes += np.where(counts, values, 0.0)
    votes = votes[rows.good]
    return Unread(float(votes.sum()), int(np.count_nonzero(votes)), whole)


def left_out(layout: Layout) -> dict[str, tuple[str, ...]]:
    """Columns that look like answers and are not read, by what they are of."""
    found = dict(layout.unread)
    for question in layout.incomplete:
        found[f"incomplete {question.question.name}"] = (*question.found, *question.unknown)
    for question in layout.questions:
        if question.unknown:
            found[f"unknown {question.question.name}"] = question.unknown
    return found


def column_remarks(
    path: Path,
    layout: Layout,
    filled: Mapping[tuple[str, float], int],
    unread: Mapping[str, Unread],
    outside: Mapping[str, int],
) -> Iterator[Reject]:
    """Remarks on fill values, on columns that are not read, and on answers outside the tree.

    filled: cells by what they are about and their value; unread: votes of the columns of
    `left_out`; outside: by question, how many galaxies have votes for answers outside the tree.
    """

    def remark(about: str, reason: str) -> Reject:
        return Reject(str(path), None, about, reason)

    for (about, value), cells in filled.items():
        yield remark(
            about,
            f"fill value: {value:.10g} stands in {cells:,} cells, which are taken as missing",
        )
    for columns in layout.incomplete:
        name = columns.question.name
        held = unread[f"incomplete {name}"]
        missing = ", ".join(columns.missing)
        if columns.unknown:
            missing += f" (there is {few(columns.unknown)})"
        yield remark(name, f"missing column: {missing}; the question is not used: {held}")
    for of, names in layout.unread.items():
        if of in layout.guessed and not (unread[of].whole and unread[of].votes):
            continue
        yield remark(
            of, f"unread column: {few(names)}, not of tree {layout.tree.name}: {unread[of]}"
        )
    for columns in layout.questions:
        name = columns.question.name
        if columns.unknown:
            held = unread[f"unknown {name}"]
            yield remark(
                name,
                f"unknown column: {', '.join(columns.unknown)}: {held}; answers outside the tree "
                "count where a _fraction column stands beside them",
            )
        if outside[name]:
            others = ", ".join(columns.foreign) or f"others than {', '.join(columns.found)}"
            yield remark(
                name,
                f"answers outside the tree: {others} have votes of "
                f"{outside[name]:,} galaxies, whose fractions and losses for this question are "
                "NULL",
            )
