"""Predictions by a Dask cluster of real processes to which something happens.

Whoever holds the catalogue ends with its work done, or in one line, or is killed itself; then the
same command is given again. What there is at the end is what an undisturbed run leaves, which has
the rows of a run without any cluster.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from reliability.cases import Case, Job, Outcome, Verdict, failed
from reliability.contents import tables
from reliability.kills import Kills, Whole, Work, begin, compared, prepare, to_the_end
from reliability.sites import Site, eat, site
from reliability.world import World
from tests.made.processes import killed, started
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.computing import compute_part
from zoolens.catalog.parts.files import Facts, part_files
from zoolens.catalog.parts.recipe import Recipe

_ADDRESS, _POISON = "address.txt", "poison.txt"
_A_PART = 2  # galaxies
_PACE = 0.1  # seconds that a part takes at least, so that something can happen to it
_PATIENCE = 180.0
# Parts that failed come later, in shards of their own, and stay in the history of refusals.
_OF_FAILURES = ("shard", "setting", "reject")
ROWS = ("prediction", "question_prediction", "posterior")


def poisoned(recipe: Recipe, facts: Facts, folder: Path, galaxies: Sequence[Galaxy]) -> str:
    """`compute_part`, slowly; the parts named in a file beside the folder fail, or kill."""
    time.sleep(_PACE)
    poison = folder.parent / _POISON
    if poison.exists():
        kind, *names = poison.read_text().split()
        if galaxies[0].iauname in names:
            if kind == "kills":
                signal.raise_signal(signal.SIGKILL)
            raise ValueError("this part is poisoned")
    return compute_part(recipe, facts, folder, galaxies)


def _predict(world: World, folder: Path) -> None:
    from zoolens.catalog.parts import cells, computing, filling
    from zoolens.catalog.paths import BUNDLED_MODEL
    from zoolens.jobs.pipeline import predict_or_adopt
    from zoolens.jobs.settings import Inference

    cells.cells.__defaults__ = (_A_PART,)
    computing.compute_part = poisoned
    filling.TOGETHER = 4
    predict_or_adopt(
        folder / "gz.duckdb",
        model=str(BUNDLED_MODEL),
        inference=Inference(samples=3, engine="torch"),
        cluster=(world.folder / _ADDRESS).read_text(),
    )


def _predict_here(_: World, folder: Path) -> None:
    from zoolens.catalog.paths import BUNDLED_MODEL
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference

    predict(
        folder / "gz.duckdb",
        str(BUNDLED_MODEL),
        Inference(samples=3, engine="torch"),
        batch_size=_A_PART,
    )


@dataclass
class Scene:
    """What a fault can touch: the cluster, the one who writes, and the folder they share."""

    site: Site
    world: World
    case: Case
    writer: BaseProcess

    @property
    def folder(self) -> Path:
        return self.world.folder / "case"

    @property
    def parts(self) -> Path:
        return self.folder / "gz.duckdb.parts"

    def at_work(self) -> bool:
        """Wait until parts are being made, and a moment longer; whether they still are."""
        ends = time.monotonic() + _PATIENCE
        while self.writer.is_alive() and time.monotonic() < ends and not part_files(self.parts):
            time.sleep(0.01)
        time.sleep(self.case.random.uniform(0, 1))
        return self.writer.is_alive()


Fault = Callable[[Scene], int]  # does its harm; how often


def _kill_workers(scene: Scene) -> int:
    done = 0
    for _ in range(3):
        if scene.at_work() and (workers := scene.site.workers()):
            done += scene.site.signal(scene.case.random.choice(workers), signal.SIGKILL)
    return done


def _stop_worker(scene: Scene) -> int:
    done = 0
    for _ in range(2):
        if scene.at_work() and (workers := scene.site.workers()):
            pid = scene.case.random.choice(workers)
            done += scene.site.signal(pid, signal.SIGSTOP)
            time.sleep(scene.case.random.uniform(0.2, 3))
            scene.site.signal(pid, signal.SIGCONT)
    return done


def _lose_machine(scene: Scene) -> int:
    if not scene.at_work():
        return 0
    return int(killed(scene.site.nannies.pop(scene.case.random.randrange(2))))


def _starve(scene: Scene) -> int:
    from distributed import Client

    from zoolens.catalog.cluster.connecting import hushed

    if not scene.at_work():
        return 0
    before = scene.site.workers()
    with hushed(), Client(scene.site.address, set_as_default=False) as client:
        worker = scene.case.random.choice(sorted(client.nthreads()))
        eaten = client.submit(eat, 1.0, workers=[worker], pure=False)
        ends = time.monotonic() + 30
        while {*before} <= {*scene.site.workers()} and time.monotonic() < ends:
            time.sleep(0.1)
        eaten.cancel()
    return len({*before} - {*scene.site.workers()})


def _kill_scheduler(scene: Scene) -> int:
    if not scene.at_work() or scene.site.scheduler is None:
        return 0
    return int(killed(scene.site.scheduler))


def _kill_writer(scene: Scene) -> int:
    done = 0
    for more in (True, True, False):
        if scene.at_work():
            done += killed(scene.writer)
        if more:
            scene.writer = started(_write, scene.world, scene.folder)
    return done


def _spoil_parts(scene: Scene) -> int:
    done = 0
    for _ in range(3):
        if scene.at_work():
            for path in part_files(scene.parts)[:2]:
                try:
                    if scene.case.random.random() < 0.5:
                        path.unlink()
                    else:
                        path.write_bytes(path.read_bytes()[: scene.case.random.randrange(5000)])
                except FileNotFoundError:
                    continue
                done += 1
    return done


def _other_version(scene: Scene) -> int:
    if scene.case.number % 2:
        scene.at_work()
    scene.site.add(("reliability.older",))
    return 1


def _fill_disk(scene: Scene) -> int:
    if not scene.parts.is_mount() or not scene.at_work():
        return 0
    filler = scene.parts / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
    except OSError:
        scene.writer.join(_PATIENCE)
        filler.unlink(missing_ok=True)
    return 1


def _nothing(scene: Scene) -> int:
    return 1


FAULTS: dict[str, Fault] = {
    "worker killed": _kill_workers,
    "worker stopped": _stop_worker,
    "machine lost": _lose_machine,
    "worker out of memory": _starve,
    "scheduler killed": _kill_scheduler,
    "writer killed": _kill_writer,
    "part files spoilt": _spoil_parts,
    "another version": _other_version,
    "full disk": _fill_disk,
    "part fails": _nothing,
    "part kills workers": _nothing,
}
_POISONED = {"part fails": "fails", "part kills workers": "kills"}
_WORK = Work(_predict, "voted")


def _write(world: World, folder: Path) -> None:
    """In the process that holds the catalogue."""
    from zoolens.catalog.errors import CatalogError

    prepare(_WORK)
    try:
        _predict(world, folder)
    except CatalogError as error:
        (world.folder / "told.txt").write_text(str(error))


def _disturbed(fault: str, kills: Kills) -> Callable[[Case, World, Path], Verdict]:
    def run(case: Case, world: World, _: Path) -> Verdict:
        with site() as there:
            (world.folder / _ADDRESS).write_text(there.address)
            whole = _whole(case, world, kills)
            if isinstance(whole, Verdict):
                return whole
            folder = world.folder / "case"
            begin(world, folder, _WORK)
            return _judge(case, world, there, fault, whole)

    return run


def _judge(case: Case, world: World, there: Site, fault: str, whole: Whole) -> Verdict:
    folder, told = world.folder / "case", world.folder / "told.txt"
    told.unlink(missing_ok=True)
    mounted = fault == "full disk" and _mounted(folder / "gz.duckdb.parts")
    if fault in _POISONED:
        names = [f"{_POISONED[fault]}", *_some_galaxies(case, folder)]
        (folder / _POISON).write_text(" ".join(names))
    scene = Scene(there, world, case, started(_write, world, folder))
    events = FAULTS[fault](scene)
    scene.writer.join(_PATIENCE)
    if scene.writer.is_alive():
        killed(scene.writer)
        return failed(f"{fault}: hangs", events)
    words = told.read_text() if told.exists() else ""
    if scene.writer.exitcode not in (0, -9) or "\n" in words:
        return failed(f"{fault}: ends with {scene.writer.exitcode} {words}", events)
    (folder / _POISON).unlink(missing_ok=True)
    if fault == "scheduler killed":
        there.start()
        (world.folder / _ADDRESS).write_text(there.address)
    wrong = to_the_end(_WORK, world, folder)
    if mounted:
        subprocess.run(["umount", folder / "gz.duckdb.parts"], check=True)
        shutil.rmtree(folder / "gz.duckdb.parts")
    found = [wrong] if wrong else compared(whole, folder, _WORK)
    if fault in _POISONED:
        found = [
            one for one in found if not one.startswith(tuple(f"table {t}" for t in _OF_FAILURES))
        ]
    if found:
        return failed(f"{fault} ({events}): {'; '.join(found[:4])} [{words}]", events)
    return Verdict(Outcome.HELD, words, events)


def _whole(case: Case, world: World, kills: Kills) -> Whole | Verdict:
    """What an undisturbed run leaves; it has the rows of one without a cluster."""
    known = kills.wholes.get("")
    if known is not None:
        return known
    here = Work(_predict_here, "voted")
    begin(world, world.folder / "case", here)
    if words := to_the_end(here, world, world.folder / "case"):
        return failed(f"fails without a cluster: {words}", 0)
    alone = tables(world.folder / "case" / "gz.duckdb")
    whole = kills.whole(_WORK, Case(case.campaign, "", 0, case.seed), world)
    if isinstance(whole, Verdict):
        return whole
    if any(whole.found[f"table {name}"] != alone[name] for name in ROWS):
        return failed("a cluster's rows are not those of one process", 0)
    return whole


def _some_galaxies(case: Case, folder: Path) -> list[str]:
    """The first galaxies of two parts."""
    import duckdb

    with duckdb.connect(str(folder / "gz.duckdb"), read_only=True) as connection:
        names = connection.execute(
            "SELECT iauname FROM galaxies WHERE image IS NOT NULL ORDER BY galaxy_id"
        ).fetchall()
    return [str(names[_A_PART * part][0]) for part in case.random.sample(range(2, 20, 4), 2)]


def _mounted(folder: Path) -> bool:
    """Whether a small file system could be put at a folder, which takes root."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        return False
    return True


_KILLS = Kills()
JOBS: dict[str, Job] = {
    name: Job(
        _disturbed(name, _KILLS),
        ("voted",),
        events={"worker killed": 3, "writer killed": 3, "part files spoilt": 4}.get(name, 1),
        short=name == "worker killed",
        isolated=False,
    )
    for name in FAULTS
}
