"""A release that was killed is not there, and leaves nothing behind once cut again."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.made.releases import full_catalogue
from zoolens.jobs.release_verify import verify

pytestmark = pytest.mark.slow

_CUT = """
import sys
from pathlib import Path
from zoolens.catalog.release.provenance import Title
from zoolens.jobs.release import release
from zoolens.jobs.settings import Cut
print("begun", flush=True)
release(Path(sys.argv[1]), Path(sys.argv[2]), Title("Toy", "1"), Cut(formats=["fits", "hats"]))
"""


def test_killed_at_random_moments(tmp_path: Path) -> None:
    gz = full_catalogue(tmp_path / "gz.duckdb")
    out = tmp_path / "out"
    before = {*tmp_path.iterdir()}
    moments, kills = random.Random(20261124), 0
    for _ in range(4):
        job = subprocess.Popen(
            [sys.executable, "-c", _CUT, str(gz), str(out)], stdout=subprocess.PIPE, text=True
        )
        assert job.stdout is not None
        job.stdout.readline()
        time.sleep(moments.uniform(0.1, 1.0))
        job.kill()
        kills += job.wait() == -9
        if out.exists():  # it was done before
            break
    assert kills
    if not out.exists():
        subprocess.run([sys.executable, "-c", _CUT, str(gz), str(out)], check=True)
    assert not len(verify(out).faults)
    assert {*tmp_path.iterdir()} == {*before, out}
