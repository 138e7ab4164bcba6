"""Processes to be killed, forked from one that has imported what takes seconds."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

# what jobs import, but not Zoobot: only training needs it, and it takes longest
IMPORTED = [
    "alembic.command",
    "alembic.config",
    "duckdb_engine",
    "faiss",
    "galaxy_datasets.shared.label_metadata",
    "hats",
    "timm",
    "zoolens.cli",
    "zoolens.jobs.index",
    "zoolens.jobs.ingest",
    "zoolens.jobs.predict",
    "zoolens.jobs.release",
    "zoolens.jobs.score",
    "zoolens.jobs.verify",
    __name__,
]
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(IMPORTED)


def started(work: Callable[..., object], *arguments: Any) -> BaseProcess:
    """A process that calls `work`, of a module that can be imported, with arguments.

    Its work begins within milliseconds, so that a moment drawn at random falls into it.
    """
    process = _SERVER.Process(target=work, args=arguments)
    process.start()
    return process


def killed(process: BaseProcess) -> bool:
    """End a process as `kill -9` does; whether it was still at work."""
    process.kill()
    process.join()
    return process.exitcode == -9


def whole(process: BaseProcess) -> bool:
    """Wait for a process to end; whether it did its work."""
    process.join()
    return process.exitcode == 0
