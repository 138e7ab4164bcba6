"""How a run is filled: what it lacks is computed in order and committed shard by shard.

Work is a pure function whose results are Arrow tables, so an executor may run it anywhere;
its results are committed only here, in the process that holds the store.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count, islice
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from zoolens.catalog.runtime.progress import Bar, progress
from zoolens.catalog.store.rejects import KnownRejects
from zoolens.catalog.store.store import Run, Store

Keys = TypeVar("Keys")
Read = TypeVar("Read")
Item = TypeVar("Item")
Result = TypeVar("Result")
Tables = dict[str, pa.Table]

MANY = 10_000  # galaxies; the rows of so many are no longer merged with those before them


@dataclass(frozen=True)
class Part(Generic[Keys]):
    """A piece of a run's work.

    keys: what `read` needs to find the input; size: how far the part moves the bar. name: of
    its shard, by which an interrupted run finds that it is done; None if parts are made from
    what the run lacks: their shards are numbered.
    """

    keys: Keys
    size: int
    name: str | None = None


class Executor(Protocol):
    """A `map` that may run elsewhere; results come in the order of the items.

    It may take items ahead of the results that were asked for.
    """

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Generator[Result, None, None]:
        """Results of `function`, one per item."""
        ...


def as_they_are(keys: Keys) -> Keys:
    """The `read` of work that needs only its keys."""
    return keys


def here(
    function: Callable[[Item], Result], items: Iterable[Item], /
) -> Generator[Result, None, None]:
    """The executor that runs in this thread, each item when its result is asked for."""
    yield from map(function, items)


def fill(
    store: Store,
    run: Run,
    parts: Iterable[Part[Keys]],
    work: Callable[[Read], Tables],
    *,
    read: Callable[[Keys], Read],
    describe: str,
    total: int,
    executor: Executor = here,
    together: int = 1,
    committed: Callable[[Keys], object] | None = None,
) -> Counter[str]:
    """Compute and commit the parts that a run lacks; the others only move the bar.

    read: reads from the store what the work on a part needs; called here and in order, just
    before the work begins. work: turns that into rows by table, without their run; it never
    sees the store. Rows of `reject` that the run has already are left out, and a numbered
    shard without any row is not committed. describe, total: the bar's words and length, in
    galaxies. executor: what runs the work. together: how many parts are committed as one shard.
    committed: called with the keys of each part once its rows are in the store. Returns how many
    rows were added, by table. Raises what the work and `Store.commit` raise.
    """
    if together > 1:
        parts = _unnamed(parts)
    if total >= MANY:
        store.append_only()
    filled: Counter[str] = Counter()
    numbers = count(store.shards(run) + 1)
    known = KnownRejects(store, run)
    with (
        progress(describe, total) as bar,
        closing(_done(store, run, parts, read, work, executor, bar)) as done,
    ):
        while shard := [*islice(done, together)]:
            tables = joined([found for _, found in shard])
            if "reject" in tables:
                tables["reject"] = known.without(tables["reject"])
            name = shard[0][0].name
            if name or any(len(table) for table in tables.values()):
                store.commit(run, name or f"part {next(numbers)}", tables)
            filled.update({name: len(table) for name, table in tables.items()})
            if committed is not None:
                for part, _ in shard:
                    committed(part.keys)
    return filled


def _done(
    store: Store,
    run: Run,
    parts: Iterable[Part[Keys]],
    read: Callable[[Keys], Read],
    work: Callable[[Read], Tables],
    executor: Executor,
    bar: Bar,
) -> Generator[tuple[Part[Keys], Tables], None, None]:
    """Parts that the run lacks, each with its rows, in order."""
    begun: deque[Part[Keys]] = deque()

    def needed() -> Iterator[Read]:
        for part in parts:
            if part.name is not None and store.committed(run, part.name):
                bar.advance(part.size)
                continue
            begun.append(part)
            yield read(part.keys)

    # closed also if interrupted, so that queued work is not run to the end
    with closing(executor(work, needed())) as results:
        for tables in results:
            part = begun.popleft()
            yield part, tables
            bar.advance(part.size)


def _unnamed(parts: Iterable[Part[Keys]]) -> Iterator[Part[Keys]]:
    """Parts that may be committed together: the ledger could hold only one of their names."""
    for part in parts:
        if part.name is not None:
            raise ValueError(f"part {part.name} has a name and has to be committed alone")
        yield part


def joined(parts: Sequence[Tables]) -> Tables:
    """The rows of several parts by table; a part may lack a table."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: pa.concat_tables([part[name] for part in parts if name in part]) for name in names
    }
