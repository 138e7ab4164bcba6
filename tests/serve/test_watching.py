import asyncio
from types import SimpleNamespace
from typing import Any

from zoolens.catalog.serve.watching import waits_for, watch


class _Transport:
    def __init__(self) -> None:
        self.closing = self.aborted = False
        self.waiting = 0

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborted = True


class _Connection:
    def __init__(self, cycle: Any = None) -> None:
        self.transport, self.cycle = _Transport(), cycle
        self.flow = SimpleNamespace(write_paused=False)


def test_who_waits_is_told_from_who_is_answered() -> None:
    assert waits_for(_Connection()) == "first"
    assert waits_for(_Connection(SimpleNamespace(response_complete=False))) is None
    one, other = (_Connection(SimpleNamespace(response_complete=True)) for _ in range(2))
    assert waits_for(one) not in (None, waits_for(other))
    other.flow.write_paused = True
    before = waits_for(other)
    other.transport.waiting += 1  # it takes some, and is sent more
    assert waits_for(other) not in (None, before)
    one.transport.closing = True
    assert waits_for(one) == "close"


def test_who_waits_too_long_is_let_go_and_nobody_else() -> None:
    silent, busy = _Connection(), _Connection(SimpleNamespace(response_complete=False))
    asks = _Connection(SimpleNamespace(response_complete=True))

    async def run() -> None:
        task = asyncio.create_task(watch([silent, busy, asks], 0.2))
        for _ in range(60):
            asks.cycle = SimpleNamespace(response_complete=True, number=object())
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    assert silent.transport.aborted
    assert not busy.transport.aborted
    assert not asks.transport.aborted
