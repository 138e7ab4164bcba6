"""What `--cluster` asks for: processes here, a scheduler that runs, or jobs of a queue."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from zoolens.catalog.errors import CatalogError, nearest, needs
from zoolens.catalog.runtime.files import check_file, text_of

_MOST = 1024  # processes of one machine
_KEYS = ("class", "jobs", "arguments", "patience")


@dataclass(frozen=True)
class Local:
    """So many processes on this machine, of one thread each."""

    processes: int
    patience: float = 60  # seconds without any worker, after which a run ends


@dataclass(frozen=True)
class Scheduler:
    """A Dask scheduler that somebody started, with its workers."""

    address: str
    patience: float = 60


@dataclass(frozen=True)
class Queue:
    """Jobs of a batch system, by a class of dask-jobqueue and its arguments."""

    file: Path
    kind: str
    jobs: int
    arguments: Mapping[str, Any]
    patience: float


Asked = Local | Scheduler | Queue


def read_cluster(text: str) -> Asked:
    """What `local:N`, `tcp://HOST:PORT` or a YAML file asks for.

    Raises `CatalogError` for anything else, and `NotInstalled` without Dask.
    """
    needs("--cluster", "distributed", "cluster")
    if local := re.fullmatch(r"local:(\d{1,9})", text):
        if not 1 <= int(local[1]) <= _MOST:
            raise CatalogError(f"--cluster {text}: give 1 to {_MOST} processes")
        return Local(int(local[1]))
    if re.match(r"(tcp|tls)://", text):
        if not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d{1,5}/?", text):
            raise CatalogError(f"--cluster {text}: a scheduler's address is tcp://HOST:PORT")
        return Scheduler(text.rstrip("/"))
    if text.startswith("local") and not Path(text).exists():
        raise CatalogError(f"--cluster {text}: say how many processes, as in local:4")
    if re.fullmatch(r"[^\s/]+:\d{1,5}", text) and not Path(text).exists():
        raise CatalogError(f"--cluster {text}: a scheduler's address is tcp://{text}")
    return _queue(Path(text))


def _queue(file: Path) -> Queue:
    check_file(file, "YAML file of a cluster (nor local:N, nor tcp://HOST:PORT)")
    try:
        said = yaml.safe_load(text_of(file, 2**20))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        raise CatalogError(f"{file} is no YAML file; see docs/guide/cluster.md") from None
    if not isinstance(said, dict) or not isinstance(said.get("class"), str):
        raise CatalogError(f"{file} names no class of dask-jobqueue, as in class: SLURMCluster")
    unknown = [str(key) for key in said if key not in _KEYS]
    if unknown:
        raise CatalogError(f"{file}: no {unknown[0]!r} is known, only {', '.join(_KEYS)}")
    jobs, patience, arguments = said.get("jobs", 1), said.get("patience", 60), said.get("arguments")
    if type(jobs) is not int or not 1 <= jobs <= 100_000:
        raise CatalogError(f"{file}: jobs is {jobs!r}; say how many, from 1 to 100,000")
    if type(patience) not in (int, float) or not 0 < patience <= 100_000:
        raise CatalogError(f"{file}: patience is {patience!r}; give minutes")
    if arguments is not None and not isinstance(arguments, dict):
        raise CatalogError(f"{file}: arguments are {arguments!r}; give names and values")
    queue = Queue(file, said["class"], jobs, arguments or {}, 60 * patience)
    class_of(queue)
    return queue


def class_of(queue: Queue) -> Any:
    """The class of dask-jobqueue that is meant. Raises `CatalogError` if there is none."""
    needs(f"the cluster of {queue.file}", "dask_jobqueue", "cluster")
    import dask_jobqueue
    from dask_jobqueue.core import JobQueueCluster

    module, _, name = queue.kind.removeprefix("dask_jobqueue.").rpartition(".")
    try:
        holder = import_module(f"dask_jobqueue.{module}") if module else dask_jobqueue
    except ImportError:
        holder = None
    found = getattr(holder, name, None)
    if not (isinstance(found, type) and issubclass(found, JobQueueCluster)):
        known = [one for one in vars(dask_jobqueue) if re.fullmatch("(?!JobQ).*Cluster", one)]
        raise CatalogError(
            f"{queue.file}: dask-jobqueue has no class {queue.kind}; nearest: "
            f"{nearest(queue.kind, sorted(known))}"
        )
    return found
