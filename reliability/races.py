"""Several processes that begin the same job on the same catalogue at the same moment.

Each does its work or is refused in one line, as another holds the file; one of them may be
killed. Then the job runs to its end, and what is there is as if it had run alone.
"""

from pathlib import Path

from reliability.cases import Case, Job, Outcome, Verdict, failed, judged
from reliability.kills import Kills, Work, begin, compared, prepare, to_the_end
from reliability.kills_jobs import WORKS, Worked
from reliability.world import World
from tests.made.processes import killed, started

_RACERS = (2, 2, 3, 5)


def race(worked: Worked, *, short: bool = False) -> Job:
    """A job of this campaign."""
    kills, work = Kills(), worked.work

    def run(case: Case, world: World, _: Path) -> Verdict:
        whole = kills.whole(work, case, world)
        if isinstance(whole, Verdict):
            return whole
        folder, said = world.folder / "case", world.folder / "said"
        begin(world, folder, work)
        said.mkdir(exist_ok=True)
        racers = case.random.choice(_RACERS)
        files = [said / f"{number}.txt" for number in range(racers)]
        for file in files:
            file.unlink(missing_ok=True)
        processes = [started(_run, work, world, folder, file) for file in files]
        if case.random.random() < 0.3:
            processes[0].join(case.random.uniform(0, whole.seconds))
            killed(processes[0])
        for process in processes:
            process.join()
        words = [file.read_text() for file in files if file.exists()]
        wrong = [each for each in words if each.startswith(Outcome.FAILED)]
        wrong += [at_the_end] if (at_the_end := to_the_end(work, world, folder)) else []
        wrong += compared(whole, folder, work)
        if wrong:
            return failed(f"{racers} at once: {'; '.join(wrong[:3])}"[:1000])
        return Verdict(Outcome.HELD, f"{racers} at once")

    parts = (*worked.parts, *([work.start] if work.start else []))
    return Job(run, parts, short=short, isolated=False)


def _run(work: Work, world: World, folder: Path, said: Path) -> None:
    prepare(work)

    def done() -> Verdict:
        work.work(world, folder)
        return Verdict(Outcome.HELD)

    verdict = judged(done)
    said.write_text(f"{verdict.outcome}: {verdict.words}")


_RACED = ("ingest votes", "ingest other votes", "adopt", "score", "index", "upgrade")

JOBS: dict[str, Job] = {name: race(WORKS[name], short=name == "upgrade") for name in _RACED}
