"""Work that takes too long or too much memory is stopped, and what does not heed is ended."""

import time

import pytest

from zoolens.catalog.runtime import bounds
from zoolens.catalog.runtime.bounds import Bounds, bounded


def _until_stopped(limit: Bounds) -> tuple[int, str | None]:
    """How often the work was told to stop, and why."""
    stops: list[float] = []
    with bounded(limit, lambda: stops.append(time.monotonic())):
        while len(stops) < 3:
            time.sleep(0.01)
    return len(stops), limit.exceeded


def test_work_that_takes_too_long_is_told_to_stop_until_it_does() -> None:
    stops, why = _until_stopped(Bounds(0.1, 1 << 40))
    assert stops >= 3
    assert why == "it took more than 0.1 s; allow it more (timeout)"


def test_work_that_takes_too_much_memory_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    held = iter([5_000_000_000, 6_000_000_000, *[6_300_000_000] * 1000])
    monkeypatch.setattr(bounds, "_resident", lambda: next(held))
    stops, why = _until_stopped(Bounds(1000, 1_000_000_000))
    assert stops >= 3
    assert why is not None
    assert why.startswith("it took more than 1 GB of memory; allow it more (memory)")


def test_the_memory_of_this_process_is_known() -> None:
    before = bounds._resident()
    block = b"x" * 200_000_000
    assert bounds._resident() - before > 150_000_000
    del block


def test_work_within_its_bounds_is_left_alone() -> None:
    stops: list[int] = []
    limit = Bounds(1000, 1 << 40)
    with bounded(limit, lambda: stops.append(1), stops.append):  # type: ignore[arg-type]
        time.sleep(0.2)
    assert (stops, limit.exceeded) == ([], None)


def test_work_that_does_not_heed_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "_GRACE", 0.1)
    ended: list[str] = []
    with bounded(Bounds(0.0, 1 << 40), lambda: None, ended.append):
        while not ended:
            time.sleep(0.01)
    assert ended[0].startswith("it took more than 0 s")
