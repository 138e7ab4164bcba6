"""`release verify`: whether the files of a release are unchanged and consistent."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from zoolens.catalog.release.checking import faults_of
from zoolens.jobs.reports import InNotebook


@dataclass(frozen=True)
class VerifiedReport(InNotebook):
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
        faults = len(self.faults)
        return f"{self.files:,} files, {faults:,} fault{'' if faults == 1 else 's'}"


def verify(folder: Path) -> VerifiedReport:
    """Check every file of a release, as `catalog.release.checking` does.

    Raises `CatalogError` if the folder is not a release.
    """
    faults, files = faults_of(folder)
    columns = {
        name: pa.array([getattr(one, name) for one in faults], pa.string())
        for name in ("file", "fault")
    }
    return VerifiedReport(pa.table(columns), files)
