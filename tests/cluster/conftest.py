"""Workers in this process: quick to start, and as far from each other as Dask's messages are."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from distributed import Client, LocalCluster

from zoolens.catalog.cluster.asked import Scheduler
from zoolens.catalog.cluster.connecting import Said, hushed
from zoolens.catalog.cluster.team import Team


@pytest.fixture(scope="session")
def client() -> Iterator[Any]:
    with (
        hushed(),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            protocol="tcp",
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"allowed_failures": 2},
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def team(client: Any) -> Team:
    team = Team(client, Scheduler("tcp://here:1", patience=5), Said())
    team.await_first()
    return team


@pytest.fixture
def address(client: Any) -> str:
    """As `--cluster` takes it."""
    return str(client.cluster.scheduler_address)


@pytest.fixture
def paused(client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Pauses the first worker, as Dask does one that takes too much memory; its address."""
    monkeypatch.setattr("zoolens.catalog.cluster.team._PAUSED", 0.2)
    worker = client.cluster.workers[0]
    before = worker.memory_manager.memory_pause_fraction

    def seen(status: str) -> None:
        while client.scheduler_info()["workers"][worker.address]["status"] != status:
            time.sleep(0.02)

    def pause() -> str:
        worker.memory_manager.memory_pause_fraction = 0.0
        seen("paused")
        return str(worker.address)

    yield pause
    worker.memory_manager.memory_pause_fraction = before
    seen("running")
