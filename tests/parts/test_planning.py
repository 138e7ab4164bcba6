"""Making a plan: whole or not at all, and one of many."""

import os
from pathlib import Path
from threading import Barrier, Thread

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts import planning
from zoolens.catalog.parts.plan import PLAN, read_plan
from zoolens.catalog.parts.planning import one_at_a_time, remove_plan, write_plan
from zoolens.catalog.parts.state import note_adopted, note_parts

from .test_plan import RUN, Recipe, made

OTHERS = [[Galaxy(9, "J9", "b.png", None, "e")]]


def test_without_galaxies_there_is_none(tmp_path: Path) -> None:
    assert made(tmp_path, [])[0] is None
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("links", [True, False])
def test_the_first_plan_stays(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:

        def refused(*_: object) -> None:
            raise PermissionError("no links here")

        monkeypatch.setattr(os, "link", refused)
    first, parts = made(tmp_path, [2])
    assert write_plan(tmp_path, Recipe(), "1.0", RUN, parts) == first
    with pytest.raises(CatalogError, match=r"plan.json is another plan; remove it"):
        write_plan(tmp_path, Recipe(), "1.0", RUN, OTHERS)
    assert read_plan(tmp_path) == first


def test_one_makes_it_and_the_others_wait(tmp_path: Path) -> None:
    ready, within, most = Barrier(4), 0, 0
    entered = []

    def task() -> None:
        nonlocal within, most
        ready.wait()
        with one_at_a_time(tmp_path):
            within += 1
            most = max(most, within)
            entered.append(read_plan(tmp_path) is None)
            made(tmp_path, [1])
            within -= 1

    threads = [Thread(target=task) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert sorted(entered) == [False, False, False, True]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(planning.os, "fsync", full)  # type: ignore[attr-defined]
    with pytest.raises(CatalogError, match="could not be written: No space left"):
        made(tmp_path, [2])
    assert [*tmp_path.iterdir()] == []
    with pytest.raises(CatalogError, match="could not be written"), one_at_a_time(tmp_path / "no"):
        pass


def test_all_of_it_can_be_removed(tmp_path: Path) -> None:
    plan, _ = made(tmp_path, [2])
    assert plan is not None
    note_adopted(plan, {0})
    note_parts(tmp_path, 40)
    (tmp_path / "mine.txt").touch()
    remove_plan(plan)
    assert not (tmp_path / PLAN).exists()
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
