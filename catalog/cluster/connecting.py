"""A client of the cluster that is asked for, and nothing of Dask's own on the terminal."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import dask

from zoolens.catalog.cluster.asked import Asked, Local, Queue, Scheduler, class_of
from zoolens.catalog.errors import CatalogError

DEATHS = 3  # of workers, at a part, after which it is given up
_CONNECT = 10  # seconds in which a scheduler answers
_CLOSE = 10
_LOGGERS = ("distributed", "bokeh", "tornado", "tornado.application")

if "distributed" not in sys.modules:  # it reads this as it is imported
    dask.config.set({"logging": dict.fromkeys(_LOGGERS, "critical")})


@contextmanager
def connected(asked: Asked) -> Iterator[Any]:
    """A Dask client; on leaving, processes and jobs that were started here end.

    Workers may not be there yet. Raises `CatalogError` if there is no such scheduler, or a class
    of dask-jobqueue does not take its arguments.
    """
    from distributed import Client

    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.comm.timeouts.connect": f"{_CONNECT}s"}))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # of other versions: those that matter are told
        if isinstance(asked, Scheduler):
            client = _found(asked)
        else:
            cluster = _processes(asked) if isinstance(asked, Local) else _jobs(asked)
            stack.callback(_closed, cluster)
            client = Client(cluster, set_as_default=False)
        try:
            yield client
        finally:
            _closed(client)


def _closed(opened: Any) -> None:
    with suppress(Exception):  # what is lost needs no farewell
        opened.close(timeout=_CLOSE)


def _found(asked: Scheduler) -> Any:
    from distributed import Client

    try:
        return Client(asked.address, timeout=_CONNECT, set_as_default=False)
    except Exception as error:  # of any kind: another program may listen there
        raise CatalogError(
            f"--cluster: no Dask scheduler answers at {asked.address} within {_CONNECT} s "
            f"({type(error).__name__}); start one with: dask scheduler"
        ) from None


def _processes(asked: Local) -> Any:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=asked.processes,
        threads_per_worker=1,
        processes=True,
        memory_limit="auto",  # this machine's, shared out: who takes more is ended and replaced
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
        scheduler_kwargs={"allowed_failures": DEATHS - 1},
        env={"DASK_LOGGING__DISTRIBUTED": "critical", "PYTHONWARNINGS": "ignore"},
        preload=["zoolens.catalog.cluster.working"],
    )


def _jobs(asked: Queue) -> Any:
    given = dict(asked.arguments)
    options = {"allowed_failures": DEATHS - 1, **(given.pop("scheduler_options", None) or {})}
    cluster = None
    try:
        cluster = class_of(asked)(**given, scheduler_options=options)
        # jobs that end, as at their time limit, are followed by others
        cluster.adapt(minimum_jobs=asked.jobs, maximum_jobs=asked.jobs, interval="10s")
    except Exception as error:  # whatever the class makes of them
        if cluster is not None:
            _closed(cluster)
        said = " ".join(str(error).split())[:300] or type(error).__name__
        raise CatalogError(f"{asked.file}: {asked.kind} does not take this: {said}") from None
    return cluster
