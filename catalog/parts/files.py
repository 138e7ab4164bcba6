"""Part files: rows of some galaxies of a run, one checksummed Arrow file, whole or absent.

An Arrow stream (IPC) of one row a table: its name, how many rows it has, and these as an Arrow
stream; the schema's metadata say what they are of. Behind the stream's end, where readers of Arrow
do not look, stands the SHA-256 of all before it: Arrow trusts what it reads, so nothing is read
before that is compared. Beside the tables of results stands `galaxies`: those the part is of, each
with the SHA-256 of the image that was seen.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.runtime.files import check_file
from zoolens.catalog.store.shards import Tables

SUFFIX = ".arrow"
_UNFINISHED = ".part"
_FORMAT = 1
_CHECKSUM = 64  # hexadecimal digits
_KEY = b"zoolens part"
_SCHEMA = pa.schema([("table", pa.string()), ("rows", pa.int64()), ("content", pa.large_binary())])
_GALAXIES = pa.schema(
    [("galaxy_id", pa.int64()), ("iauname", pa.string()), ("sha256", pa.string())]
)


class PartRefused(CatalogError):
    """A part file that cannot be used."""


@dataclass(frozen=True)
class Facts:
    """What a part file is of.

    recipe: digest of how its rows were made; code: the version of Zoolens that made them; job:
    whose rows they are.
    """

    recipe: str
    code: str
    job: str


@dataclass(frozen=True)
class Content:
    """What is in a part file; galaxies: those that it is of, as `galaxies` has them."""

    facts: Facts
    galaxies: pa.Table
    tables: Tables


def part_path(folder: Path, recipe: str, galaxies: Sequence[Galaxy]) -> Path:
    """The file of the part of these galaxies, in order: the same part has the same name.

    It begins with the number of the first, so that names are in the order of galaxies.
    """
    seen = "".join(f"{one.galaxy_id} {one.sha256}\n" for one in galaxies)
    told = hashlib.sha256(f"{recipe}\n{seen}".encode()).hexdigest()
    return folder / f"{galaxies[0].galaxy_id:019d}-{told[:16]}{SUFFIX}"


def part_files(folder: Path) -> list[Path]:
    """The part files of a folder, in the order of their first galaxies."""
    return sorted(file for file in folder.glob(f"*{SUFFIX}") if not file.name.startswith("."))


def write_part(path: Path, facts: Facts, galaxies: Sequence[Galaxy], tables: Tables) -> None:
    """Write a part file beside its place and rename it. Raises `OSError` if the disk fails."""
    whole = {"galaxies": _galaxy_table(galaxies), **tables}
    contents = [to_stream(table) for table in whole.values()]
    rows = [len(table) for table in whole.values()]
    said = {"format": _FORMAT, "recipe": facts.recipe, "code": facts.code, "job": facts.job}
    schema = _SCHEMA.with_metadata({_KEY: json.dumps(said).encode()})
    arrays = [pa.array([*whole]), pa.array(rows), pa.array(contents, pa.large_binary())]
    told = to_stream(pa.Table.from_arrays(arrays, schema=schema))
    unfinished = path.with_name(f".{path.name}.{token_hex(8)}{_UNFINISHED}")
    try:
        with unfinished.open("wb") as file:
            file.write(told + hashlib.sha256(told).hexdigest().encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def read_part(path: Path) -> Content:
    """What is in a part file. Raises `PartRefused` if it is damaged, or something else."""
    check_file(path, "part file", PartRefused)
    try:
        told = path.read_bytes()
        told, checksum = told[:-_CHECKSUM], told[-_CHECKSUM:]
        if hashlib.sha256(told).hexdigest().encode() != checksum:
            raise ValueError
        table = from_stream(told)
        said = json.loads((table.schema.metadata or {})[_KEY])
        if said.get("format") != _FORMAT or not table.schema.equals(_SCHEMA):
            raise ValueError
        contents = [value.as_buffer() for value in table["content"]]
        tables = dict(zip(table["table"].to_pylist(), map(from_stream, contents), strict=True))
        galaxies = tables.pop("galaxies")
        if not galaxies.schema.equals(_GALAXIES) or any(c.null_count for c in galaxies.columns):
            raise ValueError
        facts = Facts(str(said["recipe"]), str(said["code"]), str(said["job"]))
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError, AttributeError):
        raise PartRefused(
            f"{path} is damaged, or no part file of this version; delete it, and compute it again"
        ) from None
    return Content(facts, galaxies, tables)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes had begun to write; none may be writing there now."""
    for file in folder.glob(f".*{SUFFIX}.*{_UNFINISHED}"):
        file.unlink(missing_ok=True)


def _galaxy_table(galaxies: Sequence[Galaxy]) -> pa.Table:
    rows = [
        {"galaxy_id": one.galaxy_id, "iauname": one.iauname, "sha256": one.sha256}
        for one in galaxies
    ]
    return pa.Table.from_pylist(rows, schema=_GALAXIES)


def to_stream(table: pa.Table) -> bytes:
    """A table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def from_stream(stream: Any) -> pa.Table:
    """The table of an Arrow stream whose checksum is right. Raises what Arrow raises."""
    table = pa.ipc.open_stream(stream).read_all()
    table.validate(full=True)
    return table
