"""Tables kept in memory, compressed, in parts."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_T = TypeVar("_T", bound=np.generic)


class KeptTables:
    """Parts of one table, in order, each compressed until it is read.

    A vote table takes a sixth of its uncompressed memory, since most counts are 0.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[int, pa.Buffer]] = []

    def __len__(self) -> int:
        return sum(rows for rows, _ in self._parts)

    def __iter__(self) -> Iterator[pa.Table]:
        return (_read(part) for _, part in self._parts)

    def add(self, table: pa.Table) -> None:
        """Append a part."""
        self._parts.append(_write(table))

    def column(self, name: str) -> pa.ChunkedArray:
        """One column of all parts; only it is decompressed. There must be a part."""
        return pa.chunked_array(
            [chunk for _, part in self._parts for chunk in _read(part, name)[name].chunks]
        )

    def drop(self, name: str, values: npt.NDArray[_T]) -> None:
        """Take out the rows whose column `name` has one of `values`."""
        parts = []
        for rows, part in self._parts:
            gone = pc.is_in(_read(part, name)[name], value_set=pa.array(values))
            if pc.any(gone).as_py():
                rows, part = _write(_read(part).filter(pc.invert(gone)))
            if rows:  # empty parts are dropped
                parts.append((rows, part))
        self._parts = parts


def _write(table: pa.Table) -> tuple[int, pa.Buffer]:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return len(table), sink.getvalue()


def _read(part: pa.Buffer, *names: str) -> pa.Table:
    schema = pa.ipc.open_file(part).schema
    wanted = [schema.get_field_index(name) for name in names]
    options = pa.ipc.IpcReadOptions(included_fields=wanted or None)
    return pa.ipc.open_file(part, options=options).read_all()
