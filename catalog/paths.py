"""Every on-disk name that Zoolens gives."""

from pathlib import Path

CATALOG_DEFAULT = Path("gz.duckdb")
CATALOG_VARIABLE = "ZOOLENS_CATALOG"
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def index_path(catalog: Path, kind: str) -> Path:
    """A FAISS index beside the catalogue: `gz.duckdb`, `observed` -> `gz.observed.faiss`."""
    return catalog.with_suffix(f".{kind}.faiss")


def explanations_dir(catalog: Path) -> Path:
    """Where `explain` puts its figures and page unless told otherwise."""
    return catalog.with_name(catalog.stem + "-explained")


def histogram_path(folder: Path, which: str, form: str) -> Path:
    """A figure of vote-fraction distributions: `fractions-all.png`."""
    return folder / f"fractions-{which}.{form}"
