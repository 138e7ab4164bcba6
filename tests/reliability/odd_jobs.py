"""Jobs that do what none may do, to see that campaigns notice."""

import fcntl
import os
import time
from pathlib import Path

from reliability.cases import Case, Job, Outcome, Verdict
from reliability.world import World
from zoolens.catalog.errors import CatalogError


def _well(case: Case, world: World, folder: Path) -> Verdict:
    (folder / "made.txt").write_text(case.name)
    return Verdict(Outcome.HELD)


def _crash(case: Case, world: World, folder: Path) -> Verdict:
    os._exit(3)


def _hang(case: Case, world: World, folder: Path) -> Verdict:
    time.sleep(3600)
    return Verdict(Outcome.HELD)


def _gorge(case: Case, world: World, folder: Path) -> Verdict:
    return Verdict(Outcome.HELD, str(len(b"x" * (1700 * 2**20))))


def _raise(case: Case, world: World, folder: Path) -> Verdict:
    raise KeyError(case.number)


JOBS = {
    "odd": {job.__name__.strip("_"): Job(job) for job in (_well, _crash, _hang, _gorge, _raise)}
}


def twice(world: World, folder: Path) -> None:
    """Begins again from the start when it was killed, and so writes lines twice."""
    with (folder / "lines.txt").open("a") as file:
        for number in range(40):
            file.write(f"{number}\n")
            file.flush()
            time.sleep(0.01)


def unfinished(world: World, folder: Path) -> None:
    """Leaves a file behind when it is killed."""
    part = folder / f".out.{os.getpid()}.part"
    part.touch()
    time.sleep(0.4)
    part.replace(folder / "out")


def once(world: World, folder: Path) -> None:
    """Goes on where it stopped."""
    for number in range(40):
        path = folder / f"{number}"
        if not path.exists():
            part = folder / "part"
            part.write_text(str(number))
            part.replace(path)
        time.sleep(0.01)


def alone(world: World, folder: Path) -> None:
    """Says so if another is at work."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CatalogError("another process is at work; wait for it") from None
        time.sleep(0.2)


def jealous(world: World, folder: Path) -> None:
    """Ends in a traceback if another is at work."""
    try:
        alone(world, folder)
    except CatalogError as error:
        raise RuntimeError("locked") from error
