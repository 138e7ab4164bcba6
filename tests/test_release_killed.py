"""A release that was killed is not there, and leaves nothing behind once cut again."""

import random
import time
from pathlib import Path

import pytest

from tests.made.processes import killed, started
from tests.made.releases import full_catalogue
from zoolens.catalog.release.provenance import Title
from zoolens.jobs.release import release
from zoolens.jobs.release_verify import verify
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow


def _cut(gz: Path, out: Path) -> None:
    release(gz, out, Title("Toy", "1"), Cut(formats=["fits", "hats"]))


def test_killed_at_random_moments(tmp_path: Path) -> None:
    gz = full_catalogue(tmp_path / "gz.duckdb")
    out = tmp_path / "out"
    before = {*tmp_path.iterdir()}
    moments, kills = random.Random(20261124), 0
    for _ in range(4):
        job = started(_cut, gz, out)
        time.sleep(moments.uniform(0.1, 1.0))
        kills += killed(job)
        if out.exists():  # it was done before
            break
    assert kills
    if not out.exists():
        _cut(gz, out)
    assert not len(verify(out).faults)
    assert {*tmp_path.iterdir()} == {*before, out}
