"""The types of columns that others made, as they were stored, or told from all of their text.

Only CSV has to be told. A column is whole numbers or floating point if every value is written as
one: a leading zero, a number too long for its type, or a single word make it text, which loses
nothing. What programs write for a missing value is missing, whatever the type.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.errors import TableRefused

# Types of SQL, and the Arrow type of each.
TYPES = {
    "BOOLEAN": pa.bool_(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
}
# What pandas, NumPy, astropy, R, STILTS and databases write for a missing value.
MISSING = ("", "nan", "null", "none", "n/a", "na", "<na>", "--", "nat", "masked")
_WHOLE = r"^[+-]?(0|[1-9][0-9]*)$"
_EXACT = 2**53  # floating point of 64 bits has every whole number up to it
_INFINITE = r"^[+-]?(?i:inf|infinity)$"
_FLOAT = r"^[+-]?(0|[1-9][0-9]*|[0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|" + _INFINITE
_TRUTH = r"^(?i:true|false)$"


def stored_type(path: Path, field: pa.Field) -> str:
    """The type of a column of a file that states types.

    Raises `TableRefused` for one that is neither numbers nor text nor booleans, or that none of
    `TYPES` holds exactly.
    """
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    if pa.types.is_integer(kind):
        small = kind in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16())
        return "INTEGER" if small else "BIGINT"
    if kind in (pa.float16(), pa.float32()):
        return "FLOAT"
    if kind == pa.float64() or (pa.types.is_decimal(kind) and kind.precision <= 15):
        return "DOUBLE"
    texts = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    if any(getattr(pa.types, f"is_{test}")(kind) for test in texts):
        return "VARCHAR"
    raise TableRefused(
        f"{path} stores {field.name} as {kind!s:.60}; a column of your own is whole numbers, "
        "floating point, text or booleans: leave it out, or store it so"
    )


class Told:
    """The type of a column of text, told from all of its values, a block at a time."""

    def __init__(self) -> None:
        self._some = False
        self._truth = self._whole = self._float = True
        self._long = False  # whole numbers of so many digits that floating point may lose some

    def see(self, column: pa.ChunkedArray) -> None:
        """Look at the next values."""
        text = _given(column).drop_null()
        if not len(text):
            return
        self._some = True
        self._truth &= _all(text, _TRUTH)
        self._whole &= _all(text, _WHOLE) and _can_be(text, pa.int64())
        self._float &= _all(text, _FLOAT) and _are_within(text)
        if self._float and not self._long:
            whole = text.filter(pc.match_substring_regex(text, _WHOLE))
            long = whole.filter(pc.greater(pc.utf8_length(whole), 15))
            self._long = any(abs(int(n)) > _EXACT for n in long.to_pylist())

    def type(self, held: str | None = None) -> str | None:
        """The type; None if there was no value. held: of the column as it is known already."""
        if not self._some or held == "VARCHAR":
            return held
        if self._truth:
            return "BOOLEAN"
        as_float = self._float and not self._long
        if self._whole and not (as_float and held in ("FLOAT", "DOUBLE")):
            return "BIGINT"
        return "DOUBLE" if as_float else "VARCHAR"


def widened(held: str, new: str) -> str | None:
    """The type that holds the values of two exactly; None if there is none."""
    if held == new:
        return held
    for wide, narrow in (("DOUBLE", "FLOAT"), ("BIGINT", "INTEGER")):
        if {held, new} == {wide, narrow}:
            return wide
    return None


def typed(where: str, column: pa.ChunkedArray, kind: str, *, told: bool) -> pa.Array:
    """Values (N,) of a column as one of `TYPES`; missing ones, NaN and empty text are NULL.

    FITS has no other NULL for text, nor has CSV: so a column is the same whichever it comes by.

    told: the column is text of a type that `Told` found. where: its file and name, for messages.
    Raises `TableRefused` if a value is not of the type.
    """
    values = column
    if told:
        values = _given(column)
        if kind == "BOOLEAN":
            values = pc.equal(pc.utf8_lower(values), "true")
        elif kind != "VARCHAR":
            values = _unsigned(values)
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    try:
        found = pa.chunked_array(values.cast(TYPES[kind])).combine_chunks()
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise TableRefused(f"{where} has a value that is no {kind}: {reason}") from None
    if pa.types.is_floating(found.type):
        return pc.if_else(pc.is_nan(found), None, found)
    return pc.if_else(pc.equal(found, ""), None, found) if kind == "VARCHAR" else found


def _given(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text without the spaces around it, and NULL where it says that there is none."""
    text = pc.utf8_trim_whitespace(column)
    gone = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING))
    return pc.if_else(gone, None, text)


def _unsigned(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers without a plus sign, which Arrow does not read."""
    return pc.replace_substring_regex(text, r"^\+", "")


def _all(text: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(text, pattern)).as_py())


def _can_be(text: pa.ChunkedArray, kind: pa.DataType) -> bool:
    try:
        _unsigned(text).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _are_within(text: pa.ChunkedArray) -> bool:
    """Whether numbers are infinite only where they say so."""
    finite = text.filter(pc.invert(pc.match_substring_regex(text, _INFINITE)))
    return not len(finite) or bool(
        pc.all(pc.is_finite(_unsigned(finite).cast(pa.float64()))).as_py()
    )
