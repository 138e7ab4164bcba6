"""A client of the cluster that is asked for, and nothing of Dask's own on the terminal."""

import logging
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
_SETTINGS = {
    "distributed.comm.timeouts.connect": f"{_CONNECT}s",
    "distributed.admin.low-level-log-length": 100,  # of each kind of what a scheduler remembers
}
# Workers that start here are ended and replaced if they take too much memory, but never paused: no
# results are kept that they could give up, so that they would stay so.
_UNPAUSED = {f"distributed.worker.memory.{what}": False for what in ("target", "spill", "pause")}
_TALKERS = ("asyncio", "bokeh", "distributed", "tornado")


class Said(logging.Handler):
    """Hears what Dask would write to the terminal, and keeps the last error."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            words = " ".join(str(error).split()).rpartition("stderr: ")[2]  # of a command
            self.last = words[:300] or type(error).__name__


@contextmanager
def hushed() -> Iterator[Said]:
    """Within, nothing of Dask's is written; errors are heard."""
    import distributed

    names = [
        name
        for name in (*logging.root.manager.loggerDict, *_TALKERS)
        if name.partition(".")[0] in _TALKERS
    ]
    before = {name: _state(logging.getLogger(name)) for name in names}
    said = Said(logging.ERROR)
    for name in before:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [said], False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"distributed\.")
            warnings.filterwarnings("ignore", category=distributed.versions.VersionMismatchWarning)
            yield said
    finally:
        for name, (handlers, propagate) in before.items():
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = handlers, propagate


def _state(logger: logging.Logger) -> tuple[list[logging.Handler], bool]:
    return [*logger.handlers], logger.propagate


@contextmanager
def connected(asked: Asked) -> Iterator[tuple[Any, Said]]:
    """A Dask client, and what Dask says; on leaving, what was started here ends.

    Workers may not be there yet, and nothing of Dask's own is written. Raises `CatalogError` if
    there is no such scheduler, or a class of dask-jobqueue does not take its arguments.
    """
    from distributed import Client

    with ExitStack() as stack:
        stack.enter_context(dask.config.set(_SETTINGS | _UNPAUSED))
        said = stack.enter_context(hushed())
        if isinstance(asked, Scheduler):
            client = _found(asked)
        else:
            cluster = _processes(asked) if isinstance(asked, Local) else _jobs(asked)
            stack.callback(_closed, cluster)
            client = Client(cluster, set_as_default=False)
        try:
            yield client, said
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
        words = " ".join(str(error).split()).partition(" Very likely")[0][:300]
        raise CatalogError(f"{asked.file}: {asked.kind} does not take this: {words}") from None
    return cluster
