"""A release that is not as it was cut is told from one that is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.made.releases import full_catalogue
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.provenance import Title, write_checksums
from zoolens.jobs.release import release
from zoolens.jobs.release_verify import verify
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cut")
    gz = full_catalogue(folder / "gz.duckdb")
    release(gz, folder / "out", Title("Toy", "1"), Cut(formats=["hats"], counterparts=0))
    return folder / "out"


@pytest.fixture
def copy(cut: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cut, tmp_path / "copy"))


def faults(folder: Path) -> dict[str, str]:
    return {row["file"]: row["fault"] for row in verify(folder).faults.to_pylist()}


def test_a_release_as_cut_has_no_fault(cut: Path) -> None:
    report = verify(cut)
    assert not len(report.faults)
    assert report.files == sum(1 for f in cut.rglob("*") if f.is_file()) - 1


def test_a_sound_release_is_said_in_one_line(cut: Path) -> None:
    said = zoolens("release", "verify", cut)
    assert (said.exit_code, said.stdout) == (0, "")
    assert said.stderr.startswith("verify ")
    assert len(said.stderr.splitlines()) == 1


def flip(folder: Path) -> None:
    file = folder / "tables/votes.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def truncate(folder: Path) -> None:
    file = folder / "galaxies.parquet"
    file.write_bytes(file.read_bytes()[:-100])


def replace_by_text(folder: Path) -> None:
    (folder / "galaxies.parquet").write_text("no table")
    write_checksums(folder)


def shorten(folder: Path) -> None:
    """The rows of another table in a table's place, and checksums to match."""
    shutil.copy(folder / "tables/answers.parquet", folder / "tables/votes.parquet")
    write_checksums(folder)


def swap_partitions(folder: Path) -> None:
    """Two HATS partitions in each other's place, and checksums to match."""
    one, other = sorted((folder / "hats/dataset").rglob("Npix=*.parquet"))[:2]
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    write_checksums(folder)


def lead_outside(folder: Path) -> None:
    (folder.parent / "secret").write_text("of somebody else")
    with (folder / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  ../secret\n")


@pytest.mark.parametrize(
    ("damage", "file", "says"),
    [
        (flip, "tables/votes.parquet", "changed"),
        (truncate, "galaxies.parquet", "changed"),
        (lambda folder: (folder / "README.md").unlink(), "README.md", "missing"),
        (lambda folder: (folder / "more.txt").touch(), "more.txt", "not in SHA256SUMS"),
        (replace_by_text, "galaxies.parquet", "no Parquet file"),
        (shorten, "tables/votes.parquet", "in the manifest"),
        (swap_partitions, "hats", "outside of the pixel"),
        (lead_outside, "../secret", "outside the release"),
    ],
)
def test_each_damage_is_found(
    copy: Path, damage: Callable[[Path], None], file: str, says: str
) -> None:
    damage(copy)
    assert says in faults(copy)[file]


def test_what_is_no_release_is_refused(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no folder"):
        verify(tmp_path / "nowhere")
    (copy / "release.json").write_text(json.dumps(["not", "a", "manifest"]))
    with pytest.raises(CatalogError, match=r"release\.json"):
        verify(copy)
    (copy / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogError, match="SHA256SUMS"):
        verify(copy)
