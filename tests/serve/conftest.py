"""A server that many tests ask."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.made.serving import Served, serving

__all__ = ["Served", "serving"]
_PATIENCE = 120.0  # seconds


@pytest.fixture(scope="session")
def served(full_gz: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a small catalogue with everything."""
    with serving(full_gz, tmp_path_factory.mktemp("served") / "jobs", "--timeout", "20") as server:
        yield server


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Wait until something holds."""

    def wait(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.1)

    return wait
