"""The table of galaxies in the formats of a release, made from its Parquet file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from catalog.csv_tables import write_csv
from catalog.fits_tables import write_fits
from catalog.release_documents import Described
from catalog.release_paths import galaxies, long_table
from catalog.release_provenance import Title
from catalog.store import code_version
from catalog.votables import write_votable


def write_formats(folder: Path, title: Title, formats: Sequence[str], day: str) -> None:
    """Write the table of galaxies in other formats, from its Parquet file.

    formats: names of `catalog.release_paths.FORMATS`; day: ISO date that HATS states.
    Raises `CatalogError` for what a format cannot hold.
    """
    table, words = galaxies(folder), f"{title}: one row per galaxy."
    said = {"ORIGIN": "Zoolens", "RELEASE": title.name, "VERSION": title.version}
    for form in formats:
        out = galaxies(folder, form)
        if form == "fits":
            write_fits(table, out, name="galaxies", comments=said)
        elif form == "votable":
            write_votable(table, out, name="galaxies", description=words)
        elif form == "csv":
            write_csv(table, out)
        elif form == "hats":
            from catalog.hats_catalogues import write_hats

            name = re.sub(r"[^a-z0-9]+", "_", f"{title.name} {title.version}".lower()).strip("_")
            builder = f"zoolens v{code_version()}"
            write_hats(table, out, name=name, created=f"{day}T00:00UTC", builder=builder)


def described(folder: Path, rows: Mapping[str, str]) -> dict[str, Described]:
    """Tables by name, as their files have them; rows: by name, what one row is."""
    found = {}
    for name, row in rows.items():
        file = galaxies(folder) if name == "galaxies" else long_table(folder, name)
        with pq.ParquetFile(file) as table:
            found[name] = Described(row, table.metadata.num_rows, table.schema_arrow)
    return found
