"""Whether the files of a release are as they were released."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.hats_check import check_hats
from zoolens.catalog.paths import CHECKSUMS, RELEASE_MANIFEST, galaxies_path, table_path
from zoolens.catalog.release.provenance import read_checksums, read_manifest, release_files
from zoolens.catalog.runtime.files import checksum
from zoolens.catalog.runtime.progress import progress


class Fault(NamedTuple):
    """What is wrong with a file of a release."""

    file: str
    fault: str


def is_release(path: Path) -> bool:
    """Whether a path is the folder of a release, sound or not."""
    return any(os.path.lexists(path / name) for name in (RELEASE_MANIFEST, CHECKSUMS))


def faults_of(folder: Path) -> tuple[list[Fault], int]:
    """What is at fault in a release, and how many files were checked.

    Every file is compared with `SHA256SUMS`, and the tables with the manifest: also what checksums
    cannot show if they were written again, the number of rows of each table, and in a HATS
    catalogue the partition of every row. Raises `CatalogError` if the folder is not a release.
    """
    if not folder.is_dir():
        raise CatalogError(f"no folder {folder}; give one that zoolens release wrote")
    sums, facts = read_checksums(folder), read_manifest(folder)
    faults: list[Fault] = []
    with progress("verify", len(sums)) as bar:
        for name, expected in sums.items():
            faults += [Fault(name, fault) for fault in _compare(folder, name, expected)]
            bar.advance()
    faults += [
        Fault(name, "not in SHA256SUMS") for name in release_files(folder) if name not in sums
    ]
    damaged = {name for name, _ in faults}
    for name, rows in facts.get("rows", {}).items():
        file = table_path(folder, name)
        place = file.relative_to(folder).as_posix()
        if place not in damaged:
            faults += [Fault(place, fault) for fault in _count(file, rows)]
    hats = galaxies_path(folder, "hats")
    if hats.is_dir() and not any(name.startswith("hats/") for name in damaged):
        faults += [Fault("hats", fault) for fault in check_hats(hats)]
    return faults, len(sums)


def _compare(folder: Path, name: str, expected: str) -> Iterator[str]:
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        yield "outside the release; whoever wrote this is not to be trusted"
    elif (found := checksum(file)) is None:
        yield "missing"
    elif found != expected:
        yield "changed: another SHA-256 than in SHA256SUMS"


def _count(file: Path, expected: int) -> Iterator[str]:
    if not file.is_file():
        yield "missing"
        return
    try:
        rows = pq.read_metadata(file).num_rows
    except (OSError, pa.ArrowException) as error:
        yield f"no Parquet file: {error}"
        return
    if rows != expected:
        yield f"{rows:,} rows, and {expected:,} in the manifest"
