"""Rows of `reject`: what was refused, where it stood, and why.

A reason reads `kind: details`, so that reports can count by kind.
"""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

_TYPES = pa.schema(
    [
        ("source", pa.string()),
        ("row", pa.int64()),
        ("key", pa.string()),
        ("reason", pa.string()),
    ]
)

# The kind of a reason, in SQL over the table `reject`.
KIND_SQL = "split_part(reason, ':', 1)"


class Reject(NamedTuple):
    """One refused row, value or image.

    source: the file; row: its row, the first data row being 1, or None; key: the
    identifier, column, question or image it is about; reason: `kind: details`.
    """

    source: str
    row: int | None
    key: str | None
    reason: str


def reject_table(rejects: Iterable[Reject]) -> pa.Table:
    """The rows of `reject`, without their run."""
    rows = [tuple(map(_plain, reject)) for reject in rejects]
    columns = zip(*rows, strict=True) if rows else [[] for _ in _TYPES]
    arrays = [pa.array(values, kind.type) for values, kind in zip(columns, _TYPES, strict=True)]
    return pa.Table.from_arrays(arrays, schema=_TYPES)


def _plain(value: str | int | None) -> str | int | None:
    """A file name that is not UTF-8 cannot be stored: its odd bytes become "?"."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
