"""The first table of a VOTable as an Arrow table, by astropy, with what its columns hold."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.columns import column

_TEXT = ("char", "unicodeChar")


def read_votable(path: Path) -> pa.Table:
    """The first table of a VOTable: numbers, booleans, text, and arrays as lists.

    Fields say unit, UCD and description as they do, and xtype (metadata b"xtype"). Raises
    `TableRefused` for what is no VOTable, or has no table with a column.
    """
    from astropy.io.votable import parse

    try:
        with warnings.catch_warnings(action="ignore"), path.open("rb") as file:
            table = parse(file, verify="ignore").get_first_table()
            return _arrow(table)
    except (ValueError, IndexError, KeyError, TypeError, OSError, SyntaxError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise TableRefused(f"this is no VOTable: {reason:.200}") from None


def _arrow(table: Any) -> pa.Table:
    arrays, fields = [], []
    taken: set[str] = set()
    for number, said in enumerate(table.fields, start=1):
        name = said.name or said.ID or f"col{number}"
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        array = _column(table.array[said.ID], said.datatype)
        words = " ".join((said.description or "").split())
        field = column(name, array.type, words, unit=str(said.unit or ""), ucd=said.ucd or "")
        more = {b"xtype": (said.xtype or "").encode()}
        if said.datatype == "char":
            more[b"datatype"] = b"char"
        kept = {key: value for key, value in more.items() if value}
        field = field.with_metadata({**(field.metadata or {}), **kept})
        arrays.append(array)
        fields.append(field)
    if not fields:
        raise ValueError("it has no columns")
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _column(values: Any, datatype: str) -> pa.Array:
    missing = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    if datatype in _TEXT:
        cells = [None if cell is None else str(cell) for cell in data.tolist()]
        gone = np.array([bool(np.all(flags)) for flags in missing])
        return pa.array(
            [None if out else cell for cell, out in zip(cells, gone, strict=True)], pa.string()
        )
    if data.dtype == object or data.ndim > 1:
        return pa.array([_list(cell) for cell in values], pa.list_(pa.float64()))
    kind = np.dtype(np.int16) if data.dtype == np.uint8 else data.dtype
    return pa.array(data.astype(kind.newbyteorder("=")), mask=missing)


def _list(cell: Any) -> list[float] | None:
    values = np.ma.filled(np.ma.asarray(cell, np.float64), np.nan).ravel()
    return values.tolist() or None
