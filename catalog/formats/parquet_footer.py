"""What a Parquet file declares of its row groups, read without pyarrow.

pyarrow ends the whole process at some damaged footers, if it is asked for the sizes of a column
(seen with 26.0: the exception of a wrong size of statistics is not passed on to Python). So the
few numbers that the bounds need are taken from the footer itself, which is a Thrift struct in the
compact protocol (Parquet format 2.11, parquet.thrift).
"""

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

_LARGEST = 2**28  # bytes of a footer; one of 10,000 row groups of 100 columns has 100 MB
_SMALL = 2**23  # bytes of a footer that is read once for all the columns that are asked for
_DEEPEST = 16  # structs within structs; Parquet needs seven
_END = b"PAR1"
# numbers of fields in parquet.thrift
_ROW_GROUPS, _COLUMNS, _ROWS, _ABOUT, _PATH, _VALUES, _BYTES = 4, 1, 3, 3, 3, 5, 6


class Chunk(NamedTuple):
    """A column of a row group: its path (`image.bytes`), and values and bytes as it says.

    values counts those in lists; size is that of the encoded values, decompressed.
    """

    path: str
    values: int
    size: int


class Group(NamedTuple):
    """A row group."""

    rows: int
    chunks: list[Chunk]


def row_groups(path: Path) -> list[Group]:
    """The row groups of a Parquet file. Raises `OSError` if it has no footer that can be read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        length, end = int.from_bytes(file.read(4), "little"), file.read(4)
        if end != _END or not 0 < length <= min(size - 12, _LARGEST):
            raise OSError("it has no footer as Parquet has")
        file.seek(size - 8 - length)
        data = file.read(length)
    return [*(_kept(data) if length <= _SMALL else _groups(data))]


def _groups(data: bytes) -> list[Group]:
    try:
        return [_group(found) for found in _Reader(data).struct()[_ROW_GROUPS]]
    except (IndexError, KeyError, TypeError, AttributeError, ValueError, struct.error) as error:
        raise OSError(f"its footer is damaged: {type(error).__name__} {error}") from None


_kept = lru_cache(maxsize=2)(_groups)  # of two files, whose columns are compared in turns


def _group(found: dict[int, Any]) -> Group:
    chunks = []
    for column in found[_COLUMNS]:
        about = column[_ABOUT]
        path = ".".join(part.decode() for part in about[_PATH])
        chunks.append(Chunk(path, int(about[_VALUES]), int(about[_BYTES])))
        if min(chunks[-1].values, chunks[-1].size) < 0:
            raise ValueError("negative sizes")
    if found[_ROWS] < 0:
        raise ValueError("negative rows")
    return Group(int(found[_ROWS]), chunks)


class _Reader:
    """Values of Thrift's compact protocol, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._depth = data, 0, 0

    def struct(self) -> dict[int, Any]:
        """The fields of a struct by number."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("nested too deep")
        fields, number = {}, 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._whole()
            kind = head & 15
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind)
        self._depth -= 1
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (1, 2, 3):  # a byte; a truth value, within a list
            return self._byte()
        if kind in (4, 5, 6):
            return self._whole()
        if kind == 7:
            return struct.unpack("<d", self._bytes(8))[0]
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            return [*self._items()]
        if kind == 12:
            return self.struct()
        raise ValueError(f"a value of kind {kind}")

    def _items(self) -> Iterator[Any]:
        head = self._byte()
        count, kind = head >> 4, head & 15
        for _ in range(self._varint() if count == 15 else count):
            yield self._value(kind)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) < count:
            raise ValueError("cut short")
        self._at += count
        return found

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise ValueError("a number without end")

    def _whole(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
