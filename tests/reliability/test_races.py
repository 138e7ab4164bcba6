"""That a race sees a traceback, and work that is done twice."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reliability.cases import Case, Outcome
from reliability.kills import Work
from reliability.kills_jobs import Worked
from reliability.races import race
from reliability.world import World
from tests.reliability.odd_jobs import alone, jealous, twice

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("work", "outcome", "words"),
    [
        (alone, Outcome.HELD, "at once"),
        (jealous, Outcome.FAILED, "traceback: RuntimeError: locked"),
        (twice, Outcome.FAILED, "lines.txt"),
    ],
)
def test_racers_do_their_work_once_or_say_why_not(
    tmp_path: Path, work: Callable[[World, Path], None], outcome: Outcome, words: str
) -> None:
    job = race(Worked(Work(work)))
    verdict = job.run(Case("races", work.__name__, 0, 0), World(tmp_path), tmp_path)
    assert verdict.outcome == outcome
    assert words in verdict.words
