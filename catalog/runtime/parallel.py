"""Work on several threads or processes, its results in order."""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    threads: int,
    ahead: int = 3,
    prepare: Callable[[], object] | None = None,
) -> Generator[Result, None, None]:
    """`map` on several threads; results come in the order of the items.

    ahead: how many items per thread are taken before their results are asked for, 1 or more.
    prepare: called on each thread first.
    Close the generator if it is left early, or queued items are run to the end.
    """
    pool = ThreadPoolExecutor(threads, initializer=prepare)
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= ahead * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def in_processes(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int | None = None
) -> Generator[Result, None, None]:
    """`map` in several processes; results come in the order of the items.

    function, items and results travel between processes: they must be picklable. workers:
    one per processor unless given; with one, the work is done in this process.
    """
    tasks = [*items]
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    if workers <= 1:
        yield from map(function, tasks)
        return
    # spawned and not forked: the caller may hold threads (a progress bar, torch)
    context = get_context("spawn")
    others = {*active_children()}
    with ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent) as pool:
        try:
            with _deaf_to_control_c():
                futures = [pool.submit(function, task) for task in tasks]
            for future in futures:
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in {*active_children()} - others:
                worker.terminate()  # or it would end what it has begun
                worker.join()
            raise


@contextmanager
def _deaf_to_control_c() -> Iterator[None]:
    """Processes started within ignore Ctrl-C, which a terminal sends to all, for their parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(worker: int = 0) -> None:
    """End this process, a worker of whatever number, as soon as its parent is gone."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()
