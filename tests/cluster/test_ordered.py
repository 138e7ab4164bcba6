"""A map over workers is a map, whatever happens to parts and workers."""

import errno
import os
import pickle
import random
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from distributed import get_worker

from zoolens.catalog.cluster import ordered as module
from zoolens.catalog.cluster.ordered import ordered
from zoolens.catalog.cluster.team import Team
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.computing import Failed

pytestmark = pytest.mark.slow

_LOCK = threading.Lock()
_FREE = threading.Event()  # what keeps workers busy
_CALLS: list[tuple[int, int]] = []  # of workers in this process: part and worker


def mapped(team: Team, function: Callable[[int], Any], count: int) -> list[Any]:
    _CALLS.clear()
    pack = partial(team.task, pickle.dumps(function))
    return [*ordered(team, pack, range(count), "test")]


def noted(part: int) -> int:
    with _LOCK:
        _CALLS.append((part, int(get_worker().name)))
    return int(get_worker().name)


def squared(part: int) -> int:
    time.sleep(random.Random(part).random() / 50)
    return noted(part) * 0 + part**2


def broken(parts: set[int], part: int) -> int:
    noted(part)
    if part in parts:
        raise ValueError(f"part {part}\nhas two lines")
    return part


def broken_at(worker: int, kind: type[Exception], part: int) -> int:
    time.sleep(0.01)
    if noted(part) == worker:
        raise kind("no such thing here")
    return part


def full(part: int) -> int:
    if part == 2:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/parts/a")
    return part


def busy() -> bool:
    return _FREE.wait()


def test_results_are_those_of_a_map_in_order(team: Team) -> None:
    assert mapped(team, squared, 60) == [part**2 for part in range(60)]
    assert {worker for _, worker in _CALLS} == {0, 1}


def test_nothing_is_asked_of_an_empty_map(team: Team) -> None:
    assert mapped(team, squared, 0) == []


def test_a_part_that_fails_three_times_is_given_up(
    team: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    found = mapped(team, partial(broken, {3, 7}), 20)
    expected: list[Any] = [*range(20)]
    for part in (3, 7):
        expected[part] = Failed(f"ValueError: part {part} has two lines")
    assert found == expected
    tried = [worker for part, worker in _CALLS if part == 3]
    assert len(tried) == 3
    assert {*tried} == {0, 1}  # at more than one worker
    assert capsys.readouterr().err.count("a part failed 3 times, and the rest goes on") == 2


@pytest.mark.parametrize("kind", [ValueError, CatalogError])
def test_a_worker_at_which_all_fails_is_left_out(
    team: Team, capsys: pytest.CaptureFixture[str], kind: type[Exception]
) -> None:
    assert mapped(team, partial(broken_at, 1, kind), 40) == [*range(40)]
    told = capsys.readouterr().err
    assert told.count("is left out: ") == 1
    assert "no such thing here" in told
    assert len(team.refused) == 1
    assert sum(worker == 1 for _, worker in _CALLS) <= 4
    assert mapped(team, squared, 8) == [part**2 for part in range(8)]  # nor is it asked again
    assert {worker for _, worker in _CALLS} == {0}


def test_a_full_disk_ends_it_in_one_line(team: Team) -> None:
    with pytest.raises(CatalogError, match=r"full \(No space .*\); .* the same command goes on"):
        mapped(team, full, 40)


def test_where_every_part_fails_it_is_not_the_parts(team: Team) -> None:
    with pytest.raises(CatalogError, match=r"5 parts failed one after the other, .*has two lines"):
        mapped(team, partial(broken, {*range(100)}), 100)
    assert len(_CALLS) < 40


def test_few_parts_are_taken_ahead_and_none_after_the_end(team: Team) -> None:
    taken = 0

    def parts() -> Iterator[int]:
        nonlocal taken
        while True:
            yield taken
            taken += 1

    _CALLS.clear()
    course = ordered(team, partial(team.task, pickle.dumps(squared)), parts(), "test")
    for number in range(30):
        assert next(course) == number**2
        assert taken - number <= max(module._LEAST, module.AHEAD * 2)
    course.close()
    time.sleep(0.1)
    done = len(_CALLS)
    time.sleep(0.2)
    assert len(_CALLS) == done < 60


def test_what_reads_the_parts_may_fail(team: Team) -> None:
    def parts() -> Iterator[int]:
        yield 1
        raise KeyError("gone")

    with pytest.raises(KeyError):
        [*ordered(team, partial(team.task, pickle.dumps(squared)), parts(), "test")]


def test_dask_keeps_nothing_of_parts_that_are_done(team: Team) -> None:
    assert len(mapped(team, squared, 40)) == 40
    time.sleep(0.5)
    assert len(team.client.futures) <= 2  # what the last thread held
    assert team.client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) <= 2


def test_what_a_paused_worker_had_to_do_is_for_others(
    team: Team, client: Any, paused: Callable[[], str]
) -> None:
    """A part that waits at a worker which is busy with something else and then paused."""
    _FREE.clear()
    others = [client.submit(busy, workers=[worker], pure=False) for worker in client.nthreads()]
    waiting: dict[str, Any] = {}

    def pause() -> None:
        while sum(map(len, client.processing().values())) < 4:  # a part behind each of the others
            time.sleep(0.02)
        waiting.update(client.processing([paused()]))
        _FREE.set()

    pausing = threading.Thread(target=pause)
    pausing.start()
    assert mapped(team, squared, 8) == [part**2 for part in range(8)]
    pausing.join()
    assert [len(keys) for keys in waiting.values()] == [2]
    assert len(team.refused) == 1
    assert client.gather(others) == [True, True]
