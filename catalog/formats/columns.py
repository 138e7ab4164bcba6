"""Columns that say what they hold: an Arrow field with description, unit and UCD.

The three travel in the field's metadata, so that a schema alone is enough to write any
format of a release, and Parquet keeps them.
"""

from dataclasses import dataclass

import pyarrow as pa

LONGEST_NAME = 68  # characters, as many as a card of FITS holds
_DESCRIPTION, _UNIT, _UCD = b"description", b"unit", b"ucd"


@dataclass(frozen=True)
class Meaning:
    """What a column holds.

    description: words; unit: as in VOUnit, empty if it has none; ucd: IVOA's Unified
    Content Descriptor 1+, empty if none fits.
    """

    description: str
    unit: str = ""
    ucd: str = ""


def column(
    name: str, kind: pa.DataType, description: str, *, unit: str = "", ucd: str = ""
) -> pa.Field:
    """A nullable Arrow field that says what it holds."""
    said = {_DESCRIPTION: description, _UNIT: unit, _UCD: ucd}
    return pa.field(name, kind, metadata={key: text for key, text in said.items() if text})


def meaning(field: pa.Field) -> Meaning:
    """The meaning that a field states; empty words if it states none."""
    said = field.metadata or {}
    return Meaning(*(said.get(key, b"").decode() for key in (_DESCRIPTION, _UNIT, _UCD)))
