"""That a query which does what none may do is a failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import zoolens.jobs.sql
from reliability.cases import Case, Outcome, judged
from reliability.queries import JOBS
from reliability.world import World
from zoolens.catalog.output.answer import Answer


@pytest.fixture
def world(full_gz: Path, tmp_path: Path) -> World:
    (tmp_path / "full").symlink_to(full_gz.parent)
    (tmp_path / "full.made").touch()
    return World(tmp_path)


def _outcomes(world: World, job: str, cases: int) -> list[Outcome]:
    found = []
    for number in range(cases):
        folder = world.folder / f"{job} {number}"
        folder.mkdir()
        case = Case("inputs", job, number, 2)
        found.append(judged(lambda: JOBS[job].run(case, world, folder)).outcome)  # noqa: B023
    return found


@pytest.mark.slow
def test_queries_are_answered_or_refused(world: World) -> None:
    grown = _outcomes(world, "SQL, grown", 30)
    assert {*grown} == {Outcome.HELD, Outcome.REFUSED}
    assert Outcome.FAILED not in _outcomes(world, "SQL, forbidden", 20)


@pytest.mark.slow
def test_a_door_left_open_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def open_door(catalog: Path, query: str) -> Iterator[Answer]:
        with duckdb.connect(str(catalog)) as connection:
            try:
                rows = connection.execute(query).fetchall()
            except duckdb.Error:
                rows = []
            yield Answer([], iter(rows), lambda: None)

    monkeypatch.setattr(zoolens.jobs.sql, "sql", open_door)
    assert _outcomes(world, "SQL, forbidden", 30).count(Outcome.FAILED) > 5
