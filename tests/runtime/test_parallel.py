"""Work side by side: its order, how far it runs ahead, and how it ends."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from zoolens.catalog.runtime.parallel import in_order, in_processes


def test_results_come_in_the_order_of_the_items() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.02 if item % 5 == 0 else 0)
        return item * item

    assert [*in_order(slow_first, range(40), threads=4)] == [i * i for i in range(40)]
    assert [*in_order(slow_first, [], threads=4)] == []


def test_items_are_taken_only_a_little_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = in_order(lambda item: item, items(), threads=2)
    next(results)
    assert len(taken) <= 6
    results.close()


def test_what_waits_in_line_is_dropped_when_closed() -> None:
    begun = []

    def slow(item: int) -> int:
        begun.append(item)
        time.sleep(0.05)
        return item

    results = in_order(slow, range(1000), threads=2)
    next(results)
    results.close()
    count = len(begun)
    assert count < 6
    time.sleep(0.1)
    assert len(begun) == count


def test_a_failure_ends_the_work_and_the_threads() -> None:
    before = threading.active_count()

    def failing(item: int) -> int:
        if item == 3:
            raise RuntimeError("item 3")
        return item

    results = in_order(failing, range(1000), threads=2)
    with pytest.raises(RuntimeError, match="item 3"):
        list(results)
    assert threading.active_count() == before


def _twice(item: int) -> int:
    if item < 0:
        raise ValueError(f"no twice of {item}")
    return 2 * item


def _where(_: int) -> int:
    return os.getpid()


def test_each_thread_is_prepared_once_and_first() -> None:
    prepared = set()

    def ready(_: int) -> bool:
        time.sleep(0.01)
        return threading.get_ident() in prepared

    results = in_order(
        ready, range(20), threads=3, prepare=lambda: prepared.add(threading.get_ident())
    )
    assert all(results)
    assert len(prepared) <= 3


@pytest.mark.slow
def test_processes_give_results_in_order() -> None:
    assert [*in_processes(_twice, range(7), workers=2)] == [0, 2, 4, 6, 8, 10, 12]
    assert os.getpid() not in {*in_processes(_where, range(4), workers=2)}


@pytest.mark.parametrize(("items", "workers"), [(range(3), 1), (range(1), 4)])
def test_one_worker_or_one_item_works_here(items: range, workers: int) -> None:
    assert {*in_processes(_where, items, workers=workers)} == {os.getpid()}


def test_no_items_have_no_results() -> None:
    assert [*in_processes(_twice, [])] == []


@pytest.mark.slow
def test_an_error_of_a_process_is_raised_here() -> None:
    results = in_processes(_twice, [1, -2, 3], workers=2)
    assert next(results) == 2
    with pytest.raises(ValueError, match="no twice of -2"):
        list(results)


def _slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@pytest.mark.slow
@pytest.mark.timeout(50)
def test_processes_that_nobody_waits_for_end() -> None:
    others = {*multiprocessing.active_children()}  # a training's, which an earlier test has left
    results = in_processes(_slow, [0.0, 60.0, 60.0], workers=2)
    assert next(results) == 0
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt())
    soon = time.monotonic() + 20  # the pool's own thread may be about to note that one is gone
    while {*multiprocessing.active_children()} - others and time.monotonic() < soon:
        time.sleep(0.05)
    assert not {*multiprocessing.active_children()} - others


def _ignores_control_c(_: int) -> bool:
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.slow
def test_control_c_is_left_to_the_parent() -> None:
    assert all(in_processes(_ignores_control_c, range(4), workers=2))
    assert not _ignores_control_c(0)
