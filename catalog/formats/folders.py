"""A table in many Parquet files: a HATS catalogue, or a folder of files of the same columns.

Of a HATS catalogue (`catalog.formats.hats`), or of the one that a HATS collection names first,
those files are read that lie below `Norder=K` and `Npix=P`, along the sky; what else is there,
such as a sample of the rows, is not. The files of another folder are read in the order of their
names. Hidden ones, and those that begin with `_`, are left out.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.hats_pixels import INDEX_ORDER
from zoolens.catalog.formats.parquet_blocks import open_parquet, parquet_blocks
from zoolens.catalog.runtime.files import text_of

_PROPERTIES = ("hats.properties", "properties")
_COLLECTION = "collection.properties"
_PARTITIONS = "partition_info.csv"
_OF_GALAXIES = ("object", "source")  # kinds of HATS catalogues: others hold no rows of their own
_DAMAGED = (pa.ArrowException, OSError, ValueError)


@dataclass(frozen=True)
class TableFolder:
    """The files of a table in a folder, in order.

    schema: of each of them; rows: of all; position: the columns of ra and dec that a HATS
    catalogue states, None in another folder.
    """

    path: Path
    files: tuple[Path, ...]
    schema: pa.Schema
    rows: int
    position: tuple[str, str] | None = None

    def blocks(self, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
        """Some columns of all rows, at most `rows` at a time; raises as `parquet_blocks`."""
        for path in self.files:
            try:
                with open_parquet(path) as file:
                    yield from parquet_blocks(path, file, columns, rows)
            except _DAMAGED as error:
                raise _unreadable(path, error) from None


def open_folder(path: Path) -> TableFolder:
    """The table in a folder, whose rows are not read.

    Raises `TableRefused` if it has no Parquet file, one cannot be opened or has other columns
    than the first, and for a HATS catalogue if a partition or a stated row is missing, or it
    holds no galaxies.
    """
    said = _properties(path / _COLLECTION)
    if said and (primary := said.get("hats_primary_table_url")):
        return open_folder(_within(path, primary))
    said = next(filter(None, (_properties(path / name) for name in _PROPERTIES)), None)
    files = _plain_files(path) if said is None else _partitions(path)
    if not files:
        raise TableRefused(
            f"{path} is neither a HATS catalogue nor a folder of Parquet files: "
            + ("it has no Npix=….parquet" if said else "it has no ….parquet")
        )
    schema, rows = _opened(files)
    if said is None:
        return TableFolder(path, files, schema, rows)
    return TableFolder(path, files, schema, rows, _stated(path, said, schema, rows))


def _stated(
    path: Path, said: Mapping[str, str], schema: pa.Schema, rows: int
) -> tuple[str, str] | None:
    """The columns of the position; raises `TableRefused` if the properties are not kept."""
    kind = said.get("dataproduct_type", _OF_GALAXIES[0])
    if kind not in _OF_GALAXIES:
        raise TableRefused(f"{path} is a HATS catalogue of kind {kind}, which holds no galaxies")
    count = said.get("hats_nrows", "")
    if count.isdecimal() and int(count) != rows:
        raise TableRefused(
            f"{path} is damaged: its partitions have {rows:,} rows, its properties say "
            f"{int(count):,}; fetch it again"
        )
    ra, dec = said.get("hats_col_ra"), said.get("hats_col_dec")
    if not ra or not dec:
        return None
    for name in (ra, dec):
        if name not in schema.names:
            raise TableRefused(
                f"{path} is damaged: its properties place galaxies by {name!r:.60}, a column that "
                "its partitions do not have; fetch it again"
            )
    return ra, dec


def _properties(path: Path) -> dict[str, str] | None:
    """Lines `name = value`, as HATS has them; None if there is no such file."""
    if not path.is_file():
        return None
    try:
        lines = text_of(path, 1 << 20).splitlines()
    except (OSError, ValueError) as error:
        raise TableRefused(f"{path} cannot be read: {error}; fetch it again") from None
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, sign, value in pairs if sign}


def _within(path: Path, name: str) -> Path:
    """The folder of a collection's catalogue, which must lie in it."""
    found = path / name
    if path.resolve() not in found.resolve().parents or not found.is_dir():
        raise TableRefused(f"{path} is damaged: its catalogue {name!r:.60} is not in it")
    return found


def _partitions(path: Path) -> tuple[Path, ...]:
    """The files of a HATS catalogue, along the sky; none that it lists may be missing."""
    found: dict[tuple[int, int], list[Path]] = {}
    for file in _every_file(path):
        names = "/".join(file.relative_to(path).parts)
        place = re.search(r"Norder=(\d{1,2})/(?:.+/)?Npix=(\d{1,19})(?:[./]|$)", names)
        if place and int(place[1]) <= INDEX_ORDER:
            found.setdefault((int(place[1]), int(place[2])), []).append(file)
    listed = path / _PARTITIONS
    if listed.is_file():
        try:
            rows = csv.DictReader(text_of(listed).splitlines())
            pixels = [(int(row["Norder"]), int(row["Npix"])) for row in rows]
        except (OSError, ValueError, KeyError, TypeError, csv.Error):
            raise TableRefused(f"{listed} is damaged; fetch it again") from None
        for order, pixel in pixels:
            if (order, pixel) not in found:
                raise TableRefused(
                    f"{path} is damaged: the partition Npix={pixel} of Norder={order} is missing; "
                    "fetch it again"
                )
    along = sorted(found, key=lambda place: (place[1] << 2 * (INDEX_ORDER - place[0]), place[0]))
    return tuple(file for place in along for file in sorted(found[place]))


def _plain_files(path: Path) -> tuple[Path, ...]:
    files = _every_file(path)
    return tuple(sorted(file for file in files if file.name.lower().endswith(".parquet")))


def _every_file(path: Path) -> Iterator[Path]:
    for file in path.rglob("*"):
        hidden = any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
        if not hidden and file.is_file():
            yield file


def _opened(files: Sequence[Path]) -> tuple[pa.Schema, int]:
    """The columns of all files, and how many rows they have together."""
    rows, first = 0, None
    for path in files:
        try:
            with open_parquet(path) as file:  # which looks at what it declares
                rows += file.metadata.num_rows
            schema = parquet.read_schema(path)
        except _DAMAGED as error:
            raise _unreadable(path, error) from None
        first = schema if first is None else first
        _check_same(files[0], first, path, schema)
    return first, rows


def _check_same(first: Path, columns: pa.Schema, path: Path, other: pa.Schema) -> None:
    """Raises `TableRefused` if a file has other columns than the first, in whatever order."""
    ours, theirs = ({field.name: field.type for field in schema} for schema in (columns, other))
    if ours == theirs:
        return
    for name in [*ours, *theirs]:
        here, there = ours.get(name), theirs.get(name)
        if here != there:
            raise TableRefused(
                f"the columns of {path} are not those of {first}: {name!r} is "
                f"{there or 'missing'}, there {here or 'missing'}; a table has the same in all "
                "of its files"
            )


def _unreadable(path: Path, error: BaseException) -> TableRefused:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return TableRefused(f"{path} cannot be read as a table: {reason}; fetch it again")
