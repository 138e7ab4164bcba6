"""The small catalogue that is kept of every released version, made by it.

`python -m tests.made.kept_catalogue` makes that of this version, as one step of a release; with a
name, `schema-0014`, it is called so.
"""

import lzma
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import zoolens

FOLDER = Path(__file__).resolve().parent.parent / "released"
SUFFIX = ".duckdb.xz"


def make(path: Path) -> None:
    """Six galaxies, with votes, published predictions and losses."""
    zoolens.ingest(path, FOLDER / "votes.csv", tree="gzd5")
    zoolens.adopt(path, FOLDER / "predictions.csv")
    zoolens.score(path)


def keep(path: Path, folder: Path, name: str) -> Path:
    """Put a catalogue, compressed, with those that are kept."""
    kept = folder / f"{name}{SUFFIX}"
    kept.write_bytes(lzma.compress(path.read_bytes(), preset=9))
    return kept


def take_out(kept: Path, path: Path) -> None:
    """Put a catalogue that is kept where it can be opened."""
    path.write_bytes(lzma.decompress(kept.read_bytes()))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "gz.duckdb"
        make(made)
        print(keep(made, FOLDER, *(sys.argv[1:] or [version("zoolens")])))
