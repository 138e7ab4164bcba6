"""Workers in this process: quick to start, and as far from each other as Dask's messages are."""

from collections.abc import Iterator
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
