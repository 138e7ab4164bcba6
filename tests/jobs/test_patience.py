"""Later jobs wait for passing readers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.terminal import zoolens
from zoolens.jobs.patience import patiently
from zoolens.jobs.score import score


@pytest.mark.slow
def test_a_later_step_waits_for_a_passing_reader(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(30), concentrations=random_concentrations(30)
    )
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb, time; c = duckdb.connect({str(path)!r}, read_only=True); "
            "print('held', flush=True); time.sleep(2)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "held\n"
    assert "is in use by" in zoolens("score", "--catalog", path).stderr
    assert patiently(score, path, weights="paper").changed
    assert reader.wait() == 0
    assert "nothing changed" in zoolens("score", "--catalog", path).stderr
