"""The tables of a release, checked, in one file to be asked."""

from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.paths import DICTIONARY, table_path
from zoolens.catalog.release.checking import faults_of
from zoolens.catalog.release.documents import read_rows, summary
from zoolens.catalog.release.provenance import read_manifest
from zoolens.catalog.runtime.files import text_of
from zoolens.catalog.store.release_file import ReleasedTable, save_release


def save_tables(folder: Path, out: Path) -> None:
    """Save the tables of a release as one DuckDB file, if all of its files are as released.

    Raises `CatalogError` if the folder is no release, or one at fault.
    """
    faults, _ = faults_of(folder)
    if faults:
        found = few([f"{file} ({fault})" for file, fault in faults], 2)
        raise CatalogError(
            f"{folder} is not as it was released: {found}; see zoolens release verify {folder}"
        )
    facts = read_manifest(folder)
    try:
        said = read_rows(text_of(folder / DICTIONARY))
        about = _about(facts)
        names = [str(name) for name in facts["rows"]]
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogError(f"{folder} does not say what its tables hold ({error})") from None
    tables = [
        ReleasedTable(name, table_path(folder, name), said.get(name, "row")) for name in names
    ]
    save_release(tables, about, out)


def _about(facts: dict[str, Any]) -> str:
    """What a release is, in a line."""
    return (
        f"{facts['name']}, version {facts['version']}: {summary(facts['rows']['galaxies'], facts)}"
    )
