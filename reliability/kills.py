"""Every job, killed by SIGKILL at random moments and called again, ends as if never killed.

What it leaves is compared with what an uninterrupted run leaves in the same place: every table
row for row without times, every file byte for byte; `verify` finds nothing, and no unfinished
file is left.
"""

import shutil
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from reliability.cases import Case, Outcome, Verdict, failed
from reliability.contents import contents, differences
from reliability.world import World
from tests.made.processes import killed, started, whole
from zoolens.catalog.errors import CatalogError

_CASE = "case"  # always the same folder: catalogues hold paths
_TOOK, _SAID = "seconds.txt", "said.txt"  # how long a job took that was not killed; what it raised
_LEAST = 0.05  # seconds before the first moment of a kill, in which a process starts


@dataclass(frozen=True)
class Work:
    """A job to be killed.

    work: called in a process of its own with the world and the folder it works in, which
    begins as a copy of the part `start`. loose: files whose bytes are not promised. sizes: of
    shards, by module and name, so small that there are many of them to be killed between.
    """

    work: Callable[[World, Path], object]
    start: str | None = None
    loose: tuple[str, ...] = ()
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Whole:
    """What an uninterrupted run left, and the seconds that it took."""

    found: Mapping[str, str]
    seconds: float


@dataclass
class Kills:
    """The campaign's memory: what each job leaves when it is not killed."""

    wholes: dict[str, Whole] = field(default_factory=dict)

    def whole(self, work: Work, case: Case, world: World) -> Whole | Verdict:
        """What a job leaves when it is not killed; how it failed if it did."""
        if case.job not in self.wholes:
            folder = world.folder / _CASE
            begin(world, folder, work)
            words = to_the_end(work, world, folder)
            if words:
                return failed(f"fails when left alone: {words}", 0)
            seconds = float((world.folder / _TOOK).read_text())
            self.wholes[case.job] = Whole(_left(folder, work), seconds)
        return self.wholes[case.job]

    def judge(self, work: Work, case: Case, world: World) -> Verdict:
        """Kill a job, call it again, compare."""
        whole = self.whole(work, case, world)
        if isinstance(whole, Verdict):
            return whole
        folder = world.folder / _CASE
        begin(world, folder, work)
        kills = 0
        for moment in _moments(case, whole.seconds):
            process = started(_run, work, world, folder)
            process.join(moment)
            kills += killed(process)
        words = to_the_end(work, world, folder)
        wrong = [words] if words else compared(whole, folder, work)
        if wrong:
            return failed(f"after {kills} kills: {'; '.join(wrong[:4])}", kills)
        return Verdict(Outcome.HELD, events=kills)


def compared(whole: Whole, folder: Path, work: Work) -> list[str]:
    """In words, where a folder is not as an uninterrupted run leaves it."""
    return differences(dict(whole.found), _left(folder, work)) + _faults(folder)


def _moments(case: Case, seconds: float) -> list[float]:
    """How long the job runs before each kill: once or more over its time, or in a burst."""
    moments, last = case.random, max(0.9 * seconds, _LEAST)
    if case.number % 3 == 0:
        return [moments.uniform(_LEAST, last)]
    if case.number % 3 == 1:
        return [moments.uniform(_LEAST, last) for _ in range(3)]
    return [moments.uniform(0, _LEAST + 0.4 * seconds) for _ in range(5)]


def begin(world: World, folder: Path, work: Work) -> None:
    """Give a job the folder that it begins with."""
    shutil.rmtree(folder, ignore_errors=True)
    if work.start is None:
        folder.mkdir()
    else:
        world.copy(work.start, folder)


def _left(folder: Path, work: Work) -> dict[str, str]:
    return contents(folder, lambda name: any(Path(name).match(each) for each in work.loose))


def to_the_end(work: Work, world: World, folder: Path) -> str:
    """Run a job to its end; what went wrong, in words."""
    said = world.folder / _SAID
    said.unlink(missing_ok=True)
    if whole(started(_run, work, world, folder)):
        return ""
    return said.read_text().strip() if said.exists() else "the process died"


def _faults(folder: Path) -> list[str]:
    """What `verify` finds wrong with the catalogue, and files that were left unfinished."""
    from zoolens.jobs.verify import verify

    found = [f"left: {path.name}" for path in folder.rglob("*") if path.name.endswith(".part")]
    for catalog in folder.glob("*.duckdb"):
        try:
            checks = verify(catalog).checks.to_pylist()
        except CatalogError as error:
            return [*found, f"verify: {error}"]
        found += [f"verify: {row['check']}" for row in checks if row["result"] == "ERROR"]
    return found


def prepare(work: Work) -> None:
    """Make this process one that does a job in small shards, without a word."""
    from zoolens.catalog.runtime.progress import set_quiet

    set_quiet(True)
    for module, sizes in work.sizes.items():
        for name, size in sizes.items():
            if not hasattr(import_module(module), name):
                raise AttributeError(f"{module} has no {name}")
            setattr(import_module(module), name, size)


def _run(work: Work, world: World, folder: Path) -> None:
    """In the process that is killed."""
    prepare(work)
    begun = time.monotonic()
    try:
        work.work(world, folder)
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        words = f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"
        (world.folder / _SAID).write_text(words)
        raise SystemExit(1) from None
    (world.folder / _TOOK).write_text(str(time.monotonic() - begun))
