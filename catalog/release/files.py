"""The names of a release's files."""

from pathlib import Path

FORMATS = {
    "parquet": "galaxies.parquet",
    "fits": "galaxies.fits",
    "votable": "galaxies.vot",
    "csv": "galaxies.csv",
    "hats": "hats",
}
TABLES = "tables"
CUBES = "cubes"
GALLERY = "gallery"
README = "README.md"
DICTIONARY = "DICTIONARY.md"
CITATION = "CITATION.cff"
CROISSANT = "croissant.json"
MANIFEST = "release.json"
CHECKSUMS = "SHA256SUMS"
# what is removed before a release is whole
SCRATCH = ".scratch"


def galaxies(folder: Path, form: str = "parquet") -> Path:
    """The table of galaxies in a format: a file, or a folder for HATS."""
    return folder / FORMATS[form]


def long_table(folder: Path, name: str) -> Path:
    """A long table: `tables/losses.parquet`."""
    return folder / TABLES / f"{name}.parquet"
