"""A release that was killed is not there, and leaves nothing behind once cut again."""

import random
import shutil
import time
from pathlib import Path

import pytest

from tests.made.processes import killed, started, whole
from tests.made.releases import full_catalogue
from zoolens.catalog.release.provenance import Title
from zoolens.jobs.release import release
from zoolens.jobs.release_verify import verify
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow


def _cut(gz: Path, out: Path) -> None:
    release(gz, out, Title("Toy", "1"), Cut(formats=["fits", "hats"]))


# Files in the order in which they are made: each appears later in the work of a release.
_FILES = (
    "galaxies.parquet",
    "tables/*.parquet",
    "galaxies.fits",
    "hats",
    "README.md",
    "croissant.json",
    "CITATION.cff",
    "release.json",
    "SHA256SUMS",
)


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_catalogue(tmp_path_factory.mktemp("made") / "gz.duckdb")


def _check(gz: Path, out: Path) -> None:
    """A release is whole or not there: then, cut again, it is whole, and nothing else is left."""
    if not out.exists():
        _cut(gz, out)
    assert not len(verify(out).faults)
    assert [*out.parent.iterdir()] == [out]
    shutil.rmtree(out)


@pytest.mark.timeout(280)
def test_killed_at_random_moments(gz: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    took = []
    for _ in range(2):  # the first one also waits for imports
        begun = time.monotonic()
        assert whole(started(_cut, gz, out))
        took.append(time.monotonic() - begun)
        shutil.rmtree(out)
    moments, kills = random.Random(20261124), 0
    for n in range(5):
        job = started(_cut, gz, out)
        time.sleep(moments.uniform(n, n + 1) / 5 * min(took))
        kills += killed(job)
        if out.exists():
            _check(gz, out)
    assert kills
    _check(gz, out)


@pytest.mark.timeout(280)
def test_killed_as_each_file_appears(gz: Path, tmp_path: Path) -> None:
    """What one leaves is cleared by the next."""
    out = tmp_path / "out"
    for file in _FILES:
        left = {*tmp_path.iterdir()}
        job = started(_cut, gz, out)
        while not out.exists():
            assert job.is_alive() or out.exists()
            if any([*part.glob(file)] for part in {*tmp_path.iterdir()} - left):
                break
        assert killed(job) or out.exists(), file
        if out.exists():
            _check(gz, out)
        else:
            assert len([*tmp_path.iterdir()]) == 1
    _check(gz, out)


def test_killed_as_it_gets_its_name(gz: Path, tmp_path: Path) -> None:
    """With its name it is whole, although its process did not end."""
    out = tmp_path / "out"
    job = started(_cut, gz, out)
    while not out.exists():
        assert job.is_alive() or out.exists()
    killed(job)
    assert out.exists()
    _check(gz, out)
