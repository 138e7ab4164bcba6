"""Who computes the parts of a job, if not this process: what `--cluster` asks for."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zoolens.catalog.parts.computing import ThroughFolder
from zoolens.catalog.paths import parts_dir
from zoolens.catalog.store.shards import Executor

if TYPE_CHECKING:
    from zoolens.catalog.cluster.crew import Crew

# What computes parts, given the folder that they are written into.
Elsewhere = Callable[[Path], AbstractContextManager[Executor]]


@contextmanager
def elsewhere(
    cluster: str | None, catalog: Path, parts: Path | None = None
) -> Iterator[ThroughFolder | None]:
    """What computes the parts of a job: the workers that `cluster` asks for; None if not given.

    cluster: as `catalog.cluster.asked.read_cluster` takes it. parts: the folder through which
    rows come, beside the catalogue unless given; workers must see it.
    """
    if cluster is None:
        yield None
        return
    from zoolens.catalog.cluster.crew import through_cluster

    with through_cluster(cluster, parts or parts_dir(catalog)) as through:
        yield through


@contextmanager
def workers_elsewhere(cluster: str | None) -> Iterator["Crew | None"]:
    """Workers whose results come back as they are, without a folder; None if not given."""
    if cluster is None:
        yield None
        return
    from zoolens.catalog.cluster.crew import crew

    with crew(cluster) as workers:
        yield workers


def writing_elsewhere(cluster: str | None) -> Elsewhere | None:
    """What computes parts that are written into a folder, as `jobs.simulate` takes it."""
    if cluster is None:
        return None
    from zoolens.catalog.cluster.asked import read_cluster
    from zoolens.catalog.cluster.crew import crew

    read_cluster(cluster)
    return partial(crew, cluster)
