"""What a vote table's columns hold besides the votes that are read, so that it can be said."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from zoolens.catalog.errors import few
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.votes.checks import Unread
from zoolens.catalog.votes.layouts import Layout


def left_out(layout: Layout) -> dict[str, tuple[str, ...]]:
    """Columns that look like answers and are not read, by what they are of."""
    found = dict(layout.unread)
    for question in layout.incomplete:
        found[f"incomplete {question.question.name}"] = question.found
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
        yield remark(name, f"missing column: {missing}; the question is not used: {held}")
    for of, names in layout.unread.items():
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
            yield remark(
                name,
                f"answers outside the tree: {', '.join(columns.foreign)} have votes of "
                f"{outside[name]:,} galaxies, whose fractions and losses for this question are "
                "NULL",
            )
