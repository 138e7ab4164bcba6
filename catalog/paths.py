"""Every on-disk name that Zoolens gives."""

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

CATALOG_DEFAULT = Path("gz.duckdb")
CATALOG_VARIABLE = "ZOOLENS_CATALOG"
_ROOT = Path(__file__).resolve().parent.parent
MIGRATIONS = _ROOT / "migrations"
BUNDLED_MODELS = _ROOT / "models"
BUNDLED_MODEL = BUNDLED_MODELS / "gzd5-simulated.safetensors"  # that of the demo

# What is in the folder of a release; the table of galaxies by format, for HATS a folder.
RELEASE_FORMATS = {
    "parquet": "galaxies.parquet",
    "fits": "galaxies.fits",
    "votable": "galaxies.vot",
    "csv": "galaxies.csv",
    "hats": "hats",
}
TABLES = "tables"
CUBES = "cubes"
GALLERY = "gallery"
RELEASE_README = "README.md"
DICTIONARY = "DICTIONARY.md"
CITATION = "CITATION.cff"
CROISSANT = "croissant.json"
RELEASE_MANIFEST = "release.json"
CHECKSUMS = "SHA256SUMS"
SCRATCH = ".scratch"  # removed before a release is whole


def index_path(catalog: Path, kind: str) -> Path:
    """A similarity index beside the catalogue: `gz.duckdb`, `observed` -> `gz.observed.arrow`."""
    return catalog.with_suffix(f".{kind}.arrow")


def parts_dir(catalog: Path) -> Path:
    """Parts computed elsewhere, beside the catalogue until they are in it: `gz.duckdb.parts`."""
    return catalog.with_name(f"{catalog.name}.parts")


def codes_path(catalog: Path, kind: str) -> Path:
    """FAISS's codes of an index's candidates: `gz.observed.codes.arrow`."""
    return catalog.with_suffix(f".{kind}.codes.arrow")


def is_database(path: Path) -> bool:
    """Whether a file is one of DuckDB's. Raises `OSError` if there is none to read.

    Closing a file gives up every lock that this process has on it (POSIX). So a file that is
    open here already, such as a catalogue in use, is read through that descriptor.
    """
    held = open_here(path)
    if held is not None:
        return os.pread(held, 12, 0)[8:] == b"DUCK"
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def open_here(path: Path) -> int | None:
    """A descriptor by which this process has a file open; None if it has not."""
    try:
        wanted, numbers = path.stat(), os.listdir("/dev/fd")
    except OSError:  # no such file, or a system where closing one leaves locks alone
        return None
    for number in map(int, numbers):
        with suppress(OSError):  # closed since
            if os.path.samestat(os.fstat(number), wanted):
                return number
    return None


def served_dir(catalog: Path) -> Path:
    """The default folder of what `serve` keeps: the copy that it serves, and its jobs."""
    name = catalog.name if catalog.is_dir() else catalog.stem  # a release ends in its version
    return catalog.with_name(f"{name}-served")


def explanations_dir(catalog: Path, comparison: int | None = None) -> Path:
    """The default folder of the figures and page of `explain`.

    comparison: a run of another method, layer or model, whose figures stand apart.
    """
    own = "" if comparison is None else f"-run{comparison}"
    return catalog.with_name(f"{catalog.stem}-explained{own}")


def evaluation_dir(catalog: Path) -> Path:
    """The default folder of the figures and page of `evaluate`."""
    return catalog.with_name(catalog.stem + "-evaluated")


def evaluation_page(folder: Path) -> Path:
    """The page of an evaluation."""
    return folder / "index.html"


def histogram_stem(folder: Path, which: str) -> Path:
    """A figure of vote-fraction distributions, less its suffix: `fractions-all`."""
    return folder / f"fractions-{which}"


def explanation_stem(iauname: str, label: str, of: str = "concentration") -> str:
    """Name, less the suffix, of the figure of a galaxy and an answer, and what it is of.

    Names are anything: what is not safe in a file name becomes `_`, and a checksum then
    keeps different names apart.
    """
    name = f"{iauname}_{label}" + ("" if of == "concentration" else f"_{of}")
    return _safe(name, r"[^A-Za-z0-9.+_-]|^[.-]")


def explanation_table(folder: Path, stem: str, which: str, kind: str) -> Path:
    """A table beside the figure of that stem: which is "votes" or "fractions", kind a suffix."""
    return folder / f"{stem}_{which}.{kind}"


def picture_stem(picture: Path) -> str:
    """Name, less the suffix, of the figure of an image of no catalogue: `m51-explained`."""
    return _safe(picture.stem, r"[^A-Za-z0-9.+_-]|^[.-]") + "-explained"


def explanation_page(folder: Path) -> Path:
    """The page that collects the figures of one `explain`."""
    return folder / "index.html"


def subject_stem(iauname: str) -> str:
    """Name, less the suffix, of the image that volunteers are shown of a galaxy.

    As `explanation_stem`, and nothing that a spreadsheet would take for a formula or
    that ends like the name of a file, in capitals or not.
    """
    return _safe(iauname, r"[^A-Za-z0-9.+_-]|^[.+-]|^$|\.(?=[A-Za-z][A-Za-z0-9]*$)")


def manifest_path(folder: Path) -> Path:
    """The table of what is to be uploaded to the Zooniverse."""
    return folder / "manifest.csv"


def refused_path(folder: Path) -> Path:
    """The galaxies whose images could not be uploaded, and why."""
    return folder / "refused.csv"


def galaxies_path(folder: Path, form: str = "parquet") -> Path:
    """A release's table of galaxies in a format: a file, or a folder for HATS."""
    return folder / RELEASE_FORMATS[form]


def table_path(folder: Path, name: str) -> Path:
    """A release's table by name: `galaxies.parquet`, or a long one, `tables/losses.parquet`."""
    return galaxies_path(folder) if name == "galaxies" else folder / TABLES / f"{name}.parquet"


def _safe(name: str, unsafe: str) -> str:
    """A name with `_` for unsafe characters, followed then by a checksum of the name."""
    safe = re.sub(unsafe, "_", name)[:120]
    if safe == name:
        return safe
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
