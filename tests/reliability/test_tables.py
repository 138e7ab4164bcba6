"""That a row which is lost or altered in silence is a failure."""

from pathlib import Path
from typing import Any

import pytest

import zoolens.jobs.ingest
from reliability.cases import Case, Outcome, judged
from reliability.tables import JOBS
from reliability.world import World


def _outcomes(tmp_path: Path, cases: int = 12) -> list[Outcome]:
    found = []
    for number in range(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        case = Case("inputs", "votes, csv", number, 1)
        run = JOBS[case.job].run
        found.append(judged(lambda: run(case, World(tmp_path), folder)).outcome)  # noqa: B023
    return found


@pytest.mark.slow
def test_hostile_votes_are_taken_or_refused(tmp_path: Path) -> None:
    found = _outcomes(tmp_path)
    assert {*found} == {Outcome.HELD, Outcome.REFUSED}


def _losing(text: str) -> str:
    return text[: text.rstrip("\n").rfind("\n") + 1]


def _altering(text: str) -> str:
    lines = text.split("\n")
    lines[-2] = lines[-2].replace(",0.0,", ",1.0,")
    return "\n".join(lines)


@pytest.mark.parametrize("wrong", [_losing, _altering])
@pytest.mark.slow
def test_a_reader_that_does_wrong_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    ingest = zoolens.jobs.ingest.ingest

    def bad(catalog: Path, votes: Path) -> Any:
        text = votes.read_bytes().decode(errors="surrogateescape")
        votes.write_bytes(wrong(text).encode(errors="surrogateescape"))
        return ingest(catalog, votes)

    monkeypatch.setattr(zoolens.jobs.ingest, "ingest", bad)
    assert Outcome.FAILED in _outcomes(tmp_path)
