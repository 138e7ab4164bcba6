"""`release verify`: whether the files of a release are unchanged and consistent."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.hats_check import check_hats
from zoolens.catalog.paths import galaxies_path, table_path
from zoolens.catalog.release.provenance import read_checksums, read_manifest, release_files
from zoolens.catalog.runtime.files import checksum
from zoolens.catalog.runtime.progress import progress


@dataclass(frozen=True)
class VerifiedReport:
    """What was found.

    faults: one row per faulty file, with `file` and `fault`; files: how many were checked.
    """

    job: ClassVar[str] = "verify"
    run_id: ClassVar[int | None] = None
    changed: ClassVar[bool] = True
    notes: ClassVar[tuple[str, ...]] = ()
    faults: pa.Table
    files: int

    @property
    def summary(self) -> str:
        return f"{self.files:,} files, {len(self.faults):,} faults"


def verify(folder: Path) -> VerifiedReport:
    """Check every file of a release against `SHA256SUMS`, and the tables against the manifest.

    Also checks what checksums cannot show if they were written again: the number of rows of
    each table, and in a HATS catalogue the partition of every row. Raises
    `CatalogError` if the folder is not a release.
    """
    if not folder.is_dir():
        raise CatalogError(f"no folder {folder}; give one that zoolens release wrote")
    sums, facts = read_checksums(folder), read_manifest(folder)
    faults: list[tuple[str, str]] = []
    with progress("verify", len(sums)) as bar:
        for name, expected in sums.items():
            faults += [(name, fault) for fault in _compare(folder, name, expected)]
            bar.advance()
    listed = set(sums)
    faults += [(name, "not in SHA256SUMS") for name in release_files(folder) if name not in listed]
    damaged = {name for name, _ in faults}
    for name, rows in facts.get("rows", {}).items():
        file = table_path(folder, name)
        place = file.relative_to(folder).as_posix()
        if place not in damaged:
            faults += [(place, fault) for fault in _count(file, rows)]
    hats = galaxies_path(folder, "hats")
    if hats.is_dir() and not any(name.startswith("hats/") for name in damaged):
        faults += [("hats", fault) for fault in check_hats(hats)]
    table = pa.table(
        {
            "file": pa.array([name for name, _ in faults], pa.string()),
            "fault": pa.array([fault for _, fault in faults], pa.string()),
        }
    )
    return VerifiedReport(table, len(sums))


def _compare(folder: Path, name: str, expected: str) -> list[str]:
    file = folder / name
    if not file.resolve().is_relative_to(folder.resolve()):
        return ["outside the release; whoever wrote this is not to be trusted"]
    found = checksum(file)
    if found is None:
        return ["missing"]
    return [] if found == expected else ["changed: another SHA-256 than in SHA256SUMS"]


def _count(file: Path, expected: int) -> list[str]:
    if not file.is_file():
        return ["missing"]
    try:
        rows = pq.read_metadata(file).num_rows
    except (OSError, pa.ArrowException) as error:
        return [f"no Parquet file: {error}"]
    return [] if rows == expected else [f"{rows:,} rows, and {expected:,} in the manifest"]
