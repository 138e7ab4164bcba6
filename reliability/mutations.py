"""How inputs go wrong: cells, rows and columns of tables, and bytes of files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from reliability.damage import DAMAGES

# Cells that people, programs and enemies write.
CELLS: Sequence[object] = (
    *("", " ", "NaN", "nan", "inf", "-inf", "NULL", "None", "--", "N/A", "-1", "1e3", "1e308"),
    *("1e999", "999999", "1000001", "0x10", "1_000", "١٢", "3,5", "3.5", "-0", "+7", "00012"),
    *("9" * 400, "x" * 100_000, "=1+1", "@SUM(A1)", "'; DROP TABLE vote; --", "../../etc/passwd"),
    *("a/b", "a\\b", "\x00", "\x1b[31mred\x1b[0m", "\u202eevil", "e\u0301", "😀", "\ufeff", "\n"),
    *('"', '""', "'", "a,b", "\t", "\r", "[1, 2", "{}", "587722981742084097.0", "True"),
    *(None, float("nan"), float("inf"), -float("inf"), 1e308, -1.0, 0.5, 2**62, True),
)


@dataclass(frozen=True)
class Spoilt:
    """A table (names of columns, and rows of cells) after a mutation.

    touched: numbers of rows, from 0, that are not as they were; None if all may be concerned.
    way: what was done.
    """

    names: list[str]
    rows: list[list[object]]
    touched: set[int] | None
    way: str


def _cells(names: list[str], rows: list[list[object]], chance: Random) -> Spoilt:
    touched = set()
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        row, column = chance.randrange(len(rows)), chance.randrange(len(names))
        # the identifier more often than it is one of many columns
        column = chance.choice((column, column, 0))
        rows[row][column] = chance.choice(CELLS)
        touched.add(row)
    # a row may now have the name of another
    return Spoilt(names, rows, None if _twice(rows) else touched, "cells")


def _column_of_cells(names: list[str], rows: list[list[object]], chance: Random) -> Spoilt:
    column, cell = chance.randrange(len(names)), chance.choice(CELLS)
    for row in rows:
        row[column] = cell
    return Spoilt(names, rows, None, "a column of one cell")


def _swapped(names: list[str], rows: list[list[object]], chance: Random) -> Spoilt:
    a, b = chance.randrange(len(rows)), chance.randrange(len(rows))
    left, right = chance.randrange(len(names)), chance.randrange(len(names))
    rows[a][left], rows[b][right] = rows[b][right], rows[a][left]
    return Spoilt(names, rows, None if _twice(rows) else {a, b}, "swapped cells")


def _doubled(names: list[str], rows: list[list[object]], chance: Random) -> Spoilt:
    row = chance.choice(rows)
    rows.insert(chance.randrange(len(rows) + 1), [*row])
    return Spoilt(names, rows, None, "a row twice")


def _columns(names: list[str], rows: list[list[object]], chance: Random) -> Spoilt:
    way = chance.choice(("gone", "twice", "renamed", "shuffled", "exchanged"))
    place, other = chance.randrange(len(names)), chance.randrange(len(names))
    if way == "gone":
        names.pop(place)
        for row in rows:
            row.pop(place)
    elif way == "twice":
        names.append(names[place])
        for row in rows:
            row.append(row[place])
    elif way == "renamed":
        names[place] = str(chance.choice(CELLS))
    elif way == "exchanged":
        names[place], names[other] = names[other], names[place]
    else:
        order = chance.sample(range(len(names)), len(names))
        names = [names[i] for i in order]
        rows = [[row[i] for i in order] for row in rows]
    return Spoilt(names, rows, None, f"columns {way}")


def _cut(names: list[str], rows: list[list[object]], chance: Random) -> Spoilt:
    return Spoilt(names, rows[: chance.randrange(len(rows))], None, "rows cut off")


_TABLES: Sequence[Callable[[list[str], list[list[object]], Random], Spoilt]] = (
    *(_cells, _cells, _cells, _column_of_cells, _swapped, _doubled, _columns, _cut),
)


def spoil_table(names: Sequence[str], rows: Sequence[Sequence[object]], chance: Random) -> Spoilt:
    """A table with something wrong, drawn at random."""
    return chance.choice(_TABLES)([*names], [[*row] for row in rows], chance)


def spoil_bytes(data: bytes, chance: Random, *, first: int | None = None) -> bytes:
    """The bytes of a file with something wrong; `first`: only among the first so many."""
    if not data:
        return data
    head, tail = bytearray(data[:first]), data[len(data[:first]) :]
    for _ in range(chance.choice((1, 1, 1, 3, 10))):
        if head:
            DAMAGES[chance.choice((*DAMAGES, "bit", "byte"))](head, chance)
    return bytes(head) + tail


def _twice(rows: list[list[object]]) -> bool:
    names = [str(row[0]).strip() for row in rows]
    return len({*names}) < len(names)
