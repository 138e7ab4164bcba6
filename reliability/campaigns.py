"""The campaigns by name, the jobs of each, and how their cases are run."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from reliability import (
    bombs,
    clusters,
    flips,
    kills_jobs,
    load,
    logs,
    models,
    pictures,
    queries,
    races,
    service,
    strangers,
    tables,
)
from reliability.cases import Case, Job, Outcome, Verdict, judged
from reliability.tally import Tally
from reliability.workers import Worker
from reliability.world import World

JOBS: Mapping[str, Mapping[str, Job]] = {
    "kills": kills_jobs.JOBS,
    "races": races.JOBS,
    "clusters": clusters.JOBS,
    "flips": {**flips.JOBS, **logs.JOBS},
    "inputs": {
        **tables.JOBS,
        **bombs.JOBS,
        **pictures.JOBS,
        **models.JOBS,
        **strangers.JOBS,
        **queries.JOBS,
    },
    "service": {**service.JOBS, **load.JOBS},
}


# How many events a campaign has, about: at length, and in the tests.
FULL = {"kills": 360, "races": 40, "clusters": 120, "flips": 660, "inputs": 5200, "service": 3400}
SHORT = {"kills": 14, "races": 2, "clusters": 2, "flips": 7, "inputs": 30}


def named(name: str, seed: int) -> Case:
    """A case by its name. Raises `SystemExit` if there is none."""
    campaign, _, rest = name.partition("/")
    job, _, number = rest.rpartition("/")
    if job not in JOBS.get(campaign, {}) or not number.isdecimal():
        sys.exit(f"no case {name!r}; they are called CAMPAIGN/JOB/NUMBER, as failures name them")
    return Case(campaign, job, int(number), seed)


def cases_of(
    campaign: str, events: int, seed: int, *, short: bool = False, only: str = ""
) -> list[Case]:
    """So many cases that about `events` happen, shared out among the campaign's jobs."""
    jobs = {
        name: job
        for name, job in JOBS[campaign].items()
        if (job.short or not short) and only in ("", name)
    }
    if not jobs:
        sys.exit(f"no job {only!r}; choose from {', '.join(JOBS[campaign])}")
    whole = sum(job.share * job.events for job in jobs.values())
    return [
        Case(campaign, name, number, seed)
        for name, job in jobs.items()
        for number in range(max(1, round(events * job.share / whole)))
    ]


def run(
    campaign: str, cases: Sequence[Case], folder: Path, failures: Path, *, progress: bool = False
) -> Tally:
    """Run cases, one after the other, and count how they ended.

    folder: for the files that they work on; failures: where those of a failure stay.
    """
    world = World(folder)
    tally = Tally(campaign, cases[0].seed)
    jobs = JOBS[campaign]
    world.prepare(tuple(dict.fromkeys(part for case in cases for part in jobs[case.job].parts)))
    for case, place, verdict in _verdicts(cases, jobs, world):
        tally.add(case, verdict)
        if verdict.outcome == Outcome.FAILED:
            _keep(case, place, verdict, failures)
        shutil.rmtree(place, ignore_errors=True)
        if progress:
            print(f"\r{case.name}: {tally.events:,}  ", end="", file=sys.stderr, flush=True)
    if progress:
        print(file=sys.stderr)
    return tally


def _verdicts(
    cases: Sequence[Case], jobs: Mapping[str, Job], world: World
) -> Iterator[tuple[Case, Path, Verdict]]:
    """Each case, the folder of its files, and how it ended."""
    numbers = count()
    with Worker(world) as worker:
        for case in cases:
            if jobs[case.job].isolated:
                place = world.folder / "cases" / str(next(numbers))
                shutil.rmtree(place, ignore_errors=True)
                yield case, place, worker.judge(case, place)
            else:
                place = world.folder / "case"
                yield case, place, judged(lambda: jobs[case.job].run(case, world, place))  # noqa: B023


def _keep(case: Case, place: Path, verdict: Verdict, failures: Path) -> None:
    kept = failures / case.name.replace("/", "-").replace(" ", "-")
    shutil.rmtree(kept, ignore_errors=True)
    if place.exists():
        shutil.copytree(place, kept, symlinks=True)
    kept.mkdir(parents=True, exist_ok=True)
    again = f"python -m reliability --seed {case.seed} --case '{case.name}'"
    (kept / "FAILED.txt").write_text(f"{case.name}: {verdict.words}\nagain: {again}\n")
