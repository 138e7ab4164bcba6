"""`release diff`: what changed between two releases."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from zoolens.catalog.release.difference import Difference
from zoolens.jobs.reports import InNotebook


@dataclass(frozen=True)
class DiffReport(InNotebook):
    """What changed from one release to another; see `catalog.release.difference`."""

    job: ClassVar[str] = "diff"
    run_id: ClassVar[int | None] = None
    changed: ClassVar[bool] = True
    notes: ClassVar[tuple[str, ...]] = ()
    table: pa.Table

    @property
    def summary(self) -> str:
        if not len(self.table):
            return "the two tables of galaxies are the same"
        return f"{len(self.table):,} differences"


def diff(before: Path, after: Path, *, galaxies: bool = False) -> DiffReport:
    """Compare the tables of galaxies of two releases, by column or, with `galaxies`, by galaxy.

    Galaxies are matched by name. Raises `CatalogError` if one is not a release.
    """
    difference = Difference(before, after)
    return DiffReport(difference.by_galaxy() if galaxies else difference.by_column())
