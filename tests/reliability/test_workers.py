"""What a case must not do: crash, hang, take much memory, raise."""

from pathlib import Path

import pytest

from reliability import workers
from reliability.cases import Case, Outcome
from reliability.workers import Worker
from reliability.world import World

pytestmark = pytest.mark.slow


def test_a_worker_outlives_whatever_a_case_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 20)
    with Worker(World(tmp_path), "tests.reliability.odd_jobs") as worker:

        def judged(job: str) -> tuple[Outcome, str]:
            verdict = worker.judge(Case("odd", job, 0, 0), tmp_path / job)
            return verdict.outcome, verdict.words

        assert judged("well") == (Outcome.HELD, "")
        assert (tmp_path / "well" / "made.txt").read_text() == "odd/well/0"
        assert judged("raise")[1].startswith("traceback: KeyError: 0")
        assert judged("crash") == (Outcome.FAILED, "crashes: the process ended with 3")
        assert judged("gorge")[1].startswith("memory: 1,7")
        monkeypatch.setattr(workers, "PATIENCE", 0.5)
        assert judged("hang") == (Outcome.FAILED, "hangs: not done within 0.5 s")
        monkeypatch.setattr(workers, "PATIENCE", 20)
        (tmp_path / "well" / "made.txt").unlink()
        (tmp_path / "well").rmdir()
        assert judged("well")[0] == Outcome.HELD
