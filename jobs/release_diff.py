"""`release diff`: what changed between two releases."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.release.difference import Difference


@dataclass(frozen=True)
class DiffReport:
    """What changed from one release to another; see `catalog.release.difference`."""

    table: pa.Table


def diff(before: Path, after: Path, *, galaxies: bool = False) -> DiffReport:
    """Compare the tables of galaxies of two releases, by column or, with `galaxies`, by galaxy.

    Galaxies are matched by name. Raises `CatalogError` where one is no release.
    """
    difference = Difference(before, after)
    return DiffReport(difference.by_galaxy() if galaxies else difference.by_column())
