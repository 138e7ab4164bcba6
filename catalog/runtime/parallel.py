"""Work on several threads, its results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
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

    ahead: how many items a thread are taken before their results are asked for, 1 or more.
    prepare: called on each thread first.
    Close the generator where it is left early, or what waits in line is run to the end.
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
