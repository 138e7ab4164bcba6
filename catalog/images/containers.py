"""Files that hold many images: WebDataset tar shards, and Parquet as on the HF hub.

Nothing is ever unpacked: single members are read into memory, and links, devices and
names that lead out of a folder are refused.
"""

import os
import tarfile
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pyarrow as pa

from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.formats.identifiers import check_digits, check_notation, texts
from zoolens.catalog.formats.parquet_blocks import check_declared, open_parquet, parquet_blocks
from zoolens.catalog.formats.reading import check_identifiers_type
from zoolens.catalog.runtime.files import check_file

_IDENTIFIERS = ("iauname", "id_str", "id")
_MOST_LOADED = 2 * 2**30  # bytes of images of a Parquet file, whole row groups, kept in memory
_MOST_IMAGES = 2_000_000  # of a Parquet file; their list takes 0.5 GB
_LONGEST_EXTENSION = 2**20  # bytes of a tar file's long names
_ROWS = 32_768  # of a block


class Member(NamedTuple):
    """One image of a container: its name there, and its identifier if it has one.

    problem: why it cannot be read, None if nothing is known to be wrong.
    """

    name: str
    identifier: str | None
    problem: str | None


class _Header(tarfile.TarInfo):
    """A header of a tar file, whose extensions are not read if they are absurdly long."""

    def _proc_pax(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        self._check_size()
        return super()._proc_pax(archive)  # type: ignore[misc]

    def _proc_gnulong(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        self._check_size()
        return super()._proc_gnulong(archive)  # type: ignore[misc]

    def _check_size(self) -> None:
        if not 0 <= self.size <= _LONGEST_EXTENSION:
            raise tarfile.TarError(f"an extended header of {self.size:,} bytes")


class TarImages:
    """An uncompressed tar file, read through an index of its regular members."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._index: dict[str, tuple[int, int]] = {}  # name: offset, size
        self._refused: list[Member] = []
        check_file(path, "tar file")
        self._file = path.open("rb")
        try:
            self._read_index()
        except Exception as error:  # tarfile on hostile bytes raises whatever it trips on
            self._refused.append(Member(path.name, None, f"unreadable tar: {error}"))

    def _read_index(self) -> None:
        with tarfile.open(self.path, "r:", tarinfo=_Header) as archive:
            for info in archive:
                name = PurePosixPath(info.name)
                if info.size < 0:
                    raise tarfile.TarError(f"member {info.name} of negative size")
                if info.isdir():
                    continue
                if not info.isreg() or info.issparse():
                    self._refused.append(Member(info.name, None, "unsafe member: no plain file"))
                elif name.is_absolute() or ".." in name.parts:
                    self._refused.append(Member(info.name, None, "unsafe member: leads elsewhere"))
                elif not is_utf8(info.name):
                    self._refused.append(Member(info.name, None, "unsafe member: not UTF-8"))
                elif info.name in self._index:
                    self._refused.append(Member(info.name, None, "second image: repeated name"))
                else:
                    self._index[info.name] = info.offset_data, info.size
            # tarfile stops without an error at a header that it cannot read
            if any(os.pread(self._file.fileno(), tarfile.BLOCKSIZE, archive.offset)):
                raise tarfile.TarError(
                    f"damaged header at byte {archive.offset:,}; what follows it is not read"
                )

    def members(self) -> Iterator[Member]:
        """All members except folders, in file order, the refused ones last."""
        yield from (Member(name, None, None) for name in self._index)
        yield from self._refused

    def read(self, name: str, most_bytes: int) -> bytes:
        """The content of one member."""
        if name not in self._index:
            raise ImageRefused(f"missing image: no member {name} in {self.path}")
        offset, size = self._index[name]
        if size > most_bytes:
            raise ImageRefused(f"too large an image: {size:,} bytes")
        data = os.pread(self._file.fileno(), size, offset)
        if len(data) < size:
            raise ImageRefused(f"truncated image: {len(data):,} bytes of {size:,}")
        return data

    def close(self) -> None:
        self._file.close()


class ParquetImages:
    """A Parquet file with a column `image` of bytes, or of structs {bytes, path}.

    Raises `CatalogError` if it has no such column or is not a Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open_parquet(path)
            schema = self._file.schema_arrow
            names = schema.names
        except (pa.ArrowException, OSError, ValueError) as error:
            raise CatalogError(f"{path} cannot be read as Parquet: {error}") from None
        place = schema.get_field_index("image")  # -1 if there is none, or two
        kind = None if place < 0 else schema.field(place).type
        self._has_path, self._content = False, "image"
        if kind is not None and pa.types.is_struct(kind):
            fields = {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)}
            self._has_path, self._content = "path" in fields, "image.bytes"
            kind = fields.get("bytes")
        if kind is not None and pa.types.is_dictionary(kind):
            kind = kind.value_type
        if kind is None or not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
            raise CatalogError(
                f"{path} has no one column 'image' of image bytes; it has {', '.join(names)}"
            )
        if self._file.metadata.num_rows > _MOST_IMAGES:
            raise CatalogError(
                f"{path} says that it has {self._file.metadata.num_rows:,} images; a file may "
                f"have {_MOST_IMAGES:,}: split it"
            )
        self._identifier = next((name for name in _IDENTIFIERS if name in names), None)
        try:
            groups = check_declared(path, [self._content], _MOST_LOADED)
        except OSError as error:
            raise CatalogError(f"{path} cannot be read as Parquet: {error}") from None
        self._ends = [0, *accumulate(group.rows for group in groups)]
        self._loaded: OrderedDict[int, pa.ChunkedArray] = OrderedDict()

    def members(self) -> Iterator[Member]:
        """All rows, named by their number from 0."""
        for row, identifier in enumerate(self._identifiers()):
            problem = None if identifier else "missing identifier: the image has no name"
            yield Member(str(row), identifier, problem)

    def _identifiers(self) -> Sequence[str | None]:
        if self._identifier is not None:
            check_identifiers_type(self.path, self._file.schema_arrow, self._identifier)
        elif not self._has_path:
            raise CatalogError(
                f"{self.path} does not say which galaxy an image shows: it has no column "
                f"{', '.join(_IDENTIFIERS)} and its images have no path"
            )
        column = self._identifier or "image.path"
        blocks = parquet_blocks(self.path, self._file, [column], _ROWS)
        names = [name for table in blocks for name in texts(table[column])]
        if self._identifier is None:
            return [None if path is None else PurePosixPath(path).name for path in names]
        check_notation(self.path, column, names)
        check_digits(self.path, column, names)
        return names

    def read(self, name: str, most_bytes: int) -> bytes:
        """The image bytes of one row."""
        row = int(name)
        if row >= self._ends[-1]:
            raise ImageRefused(f"missing image: no row {row} in {self.path}")
        group = bisect_right(self._ends, row) - 1
        if group not in self._loaded:
            self._loaded[group] = self._load(group)
            while sum(images.nbytes for images in self._loaded.values()) > _MOST_LOADED:
                oldest = next(iter(self._loaded))
                if oldest == group:
                    break
                del self._loaded[oldest]
        value = self._loaded[group][row - self._ends[group]].as_py()
        if isinstance(value, dict):
            value = value["bytes"]
        if value is None:
            raise ImageRefused("unreadable image: no bytes in the table")
        if len(value) > most_bytes:
            raise ImageRefused(f"too large an image: {len(value):,} bytes")
        return bytes(value)

    def _load(self, group: int) -> pa.ChunkedArray:
        try:
            # as a dictionary: images that are alike take the memory of one
            return self._file.read_row_group(group, columns=[self._content])["image"]
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ImageRefused(f"unreadable image: row group {group}: {error}") from None

    def close(self) -> None:
        self._file.close()


def is_utf8(name: str) -> bool:
    """Whether a file name is UTF-8: Python represents other bytes as surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def open_container(path: Path) -> TarImages | ParquetImages:
    """The container at `path`, whose suffix says its kind."""
    return TarImages(path) if path.suffix.lower() == ".tar" else ParquetImages(path)
