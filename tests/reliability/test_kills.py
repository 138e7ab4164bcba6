"""That the campaign of kills sees what goes wrong, on jobs that do wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reliability.cases import Case, Outcome, Verdict
from reliability.kills import Kills, Work
from reliability.world import World
from tests.reliability.odd_jobs import once, twice, unfinished

pytestmark = pytest.mark.slow


@pytest.fixture
def killed(tmp_path: Path) -> Callable[[Callable[[World, Path], None]], Verdict]:
    def judge(job: Callable[[World, Path], None]) -> Verdict:
        case = Case("kills", job.__name__, 1, 3)  # of three kills
        return Kills().judge(Work(job), case, World(tmp_path))

    return judge


def test_a_job_that_goes_on_where_it_stopped_holds(
    killed: Callable[[Callable[[World, Path], None]], Verdict],
) -> None:
    verdict = killed(once)
    assert verdict.outcome == Outcome.HELD
    assert 1 <= verdict.events <= 3


def test_lines_that_are_there_twice_are_seen(
    killed: Callable[[Callable[[World, Path], None]], Verdict],
) -> None:
    verdict = killed(twice)
    assert verdict.outcome == Outcome.FAILED
    assert "lines.txt" in verdict.words


def test_a_file_that_is_left_is_seen(
    killed: Callable[[Callable[[World, Path], None]], Verdict],
) -> None:
    verdict = killed(unfinished)
    assert verdict.outcome == Outcome.FAILED
    assert "left: .out." in verdict.words
