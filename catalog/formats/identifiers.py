"""Identifiers of galaxies: which column holds them, and whether floating point ruined them.

A float64 holds 15 to 17 digits, an identifier of the Sloan Digital Sky Survey has 18 or 19:
what comes back is the name of another galaxy.
"""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.errors import TableRefused, nearest
from zoolens.catalog.formats.missing import is_missing

IDENTIFIER = "iauname"
# What tables of the field call theirs: GZ DESI's, SDSS's, Euclid's, Zoobot's, Zooniverse's.
_OTHERS = (
    *("dr8_id", "dr7objid", "dr8objid", "objid", "object_id", "id_str"),
    *("zooniverse_id", "subject_id", "id", "name", "source_id"),
)
# 5.877229817413633e+17, 1.23765E+18, 587722981741363323.0; not 12e34567, which may be a hash,
# nor 20926878.0, which has lost nothing
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*[eE][+-]?\d+|[eE][+-]\d+)|\d{16,}\.0*)")
_LONG = re.compile(r"\d{18,19}")
_MADE_ZEROS = 1024  # what identifiers of SDSS spectra are multiples of
_LOOKED_AT = 10_000  # long identifiers
_CHANCE = 20  # bits: identifiers are refused if fewer than one in a million would be so by chance


def identifier_columns(source: Path, columns: Sequence[str], asked: str | None) -> str:
    """The column that names the galaxies: `asked`, else `iauname`, else the one that is known.

    asked: a column, or several, joined by commas, whose texts are joined by `_` (Euclid's
    `tile_index,object_id`). Known are the names of the field, in any case. Raises `TableRefused`
    if a column is not there, if none is known, or if several are, naming them.
    """
    if asked is None:
        if IDENTIFIER in columns:
            return IDENTIFIER
        known = known_identifiers(columns)
        if len(known) == 1:
            return known[0]
        if known:
            raise TableRefused(
                f"{source} has several columns that may name the galaxy: {', '.join(known)}; "
                "choose one with --id"
            )
    parts = (asked or IDENTIFIER).split(",")
    if twice := [part for part in parts if parts.count(part) > 1]:
        raise TableRefused(f"--id names {twice[0]!r} twice")
    for part in parts:
        if part not in columns:
            near = nearest(part, list(columns))
            raise TableRefused(
                f"{source} has no identifier column {part!r}; name one with --id; nearest: {near}"
            )
    return str(asked)


def known_identifiers(columns: Sequence[str]) -> list[str]:
    """The columns that have a name of the field for identifiers, in any case."""
    return [name for name in columns if name.lower() in (IDENTIFIER, *_OTHERS)]


def identifier_texts(table: pa.Table, identifier: str) -> list[str | None]:
    """The identifiers of a table's rows, (N,), of the columns of `identifier_columns`.

    None where the column, or one of them, is empty.
    """
    parts = [texts(table[part]) for part in identifier.split(",")]
    if len(parts) == 1:
        return parts[0]
    return [None if None in row else "_".join(map(str, row)) for row in zip(*parts, strict=True)]


def texts(column: pa.ChunkedArray) -> list[str | None]:
    """A column of identifiers or paths as text, stripped; what is missing gives None."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        column = column.cast(pa.large_string())
    stripped = (None if value is None else str(value).strip() for value in column.to_pylist())
    return [None if not text or is_missing(text) else text for text in stripped]


def through_floats(path: Path, column: str) -> TableRefused:
    """The error for a column of identifiers that are, or were, floating point."""
    return TableRefused(
        f"{path} stores {column} as floating point, which loses digits of long identifiers; "
        "store it as text or integers"
    )


def is_float(name: str) -> bool:
    """Whether a name is a number as floating point is written."""
    return _FLOAT.fullmatch(name) is not None


def check_notation(path: Path, column: str, names: Iterable[str | None]) -> None:
    """Raises `TableRefused` if all names are numbers as floating point is written."""
    given = [name for name in names if name]
    if given and all(map(is_float, given)):
        raise through_floats(path, column)


def check_digits(path: Path, column: str, names: Iterable[str | None]) -> None:
    """Raises `TableRefused` if identifiers have the digits that floating point leaves.

    That is if every identifier of 18 or 19 digits is a whole number that a float64 holds, or is
    rounded to what programs print of one. Such identifiers exist: those of SDSS spectra end in
    ten binary zeros. They are told by having more zeros than a float asks for.
    """
    long = [*islice((int(n) for n in names if n and _LONG.fullmatch(n)), _LOOKED_AT)]
    if long and all(map(_as_a_float, long)) and _surprising(long):
        raise through_floats(path, column)


def _as_a_float(number: int) -> bool:
    value = float(number)
    return number == int(value) or number in (_printed(value, 15), _printed(value, 17))


def _printed(value: float, digits: int) -> int:
    """A number to so many digits, or fewer if they say as much, filled up with zeros."""
    text = repr(value) if digits == 17 else f"{value:.{digits - 1}e}"
    mantissa, _, exponent = text.partition("e")
    whole, _, rest = mantissa.partition(".")
    return int((whole + rest).ljust(int(exponent) + 1, "0"))


def _surprising(numbers: Sequence[int]) -> bool:
    """Whether identifiers that end in anything would hardly all be as floats are."""
    gaps = [int(math.ulp(float(number))) for number in numbers]
    chance = sum(math.log2(gap) - 1 for gap in gaps)  # bits
    # those made to end in zeros, binary or decimal, have more of them than a float asks for
    to_the_last = any(
        len(str(number).rstrip("0")) >= 15 and (number % gap or number % _MADE_ZEROS)
        for number, gap in zip(numbers, gaps, strict=True)
    )
    return chance >= _CHANCE and to_the_last
