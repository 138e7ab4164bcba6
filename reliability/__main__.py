"""Campaigns against Zoolens: kills and races of jobs, damage to files, hostile inputs.

    python -m reliability [--only CAMPAIGN[/JOB]] [--short] [--seed N] [--case CAMPAIGN/JOB/NUMBER]
                          [--kills N] [--races N] [--flips N] [--inputs N] [--service N]
                          [--seconds S]

Prints how the cases ended, by campaign and job, and exits with 1 if one failed. The files of
failures stay in `reliability/failures/CASE`; with its name and the seed a case is run again. A
run of whole campaigns at full length is kept in `reliability/results` and in docs/reliability.md.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

from reliability import load
from reliability.campaigns import FULL, SHORT, cases_of, named, run
from reliability.preload import HEAVY
from reliability.surroundings import surroundings
from reliability.tally import DOCUMENT, Tally, show, written
from tests.made.processes import IMPORTED

FAILURES = Path(__file__).parent / "failures"


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m reliability", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", help="a campaign, or one job of it: kills/score")
    parser.add_argument("--case", help="one case again, as failures name it")
    parser.add_argument("--short", action="store_true", help="in half a minute")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--folder", type=Path, help="where files are made, and kept")
    for campaign, events in FULL.items():
        parser.add_argument(f"--{campaign}", type=int, help=f"{events:,} unless given")
    parser.add_argument("--seconds", type=float, help="of the load; ten minutes unless given")
    asked = parser.parse_args()
    if asked.seconds is not None:
        load.SECONDS = asked.seconds
    # numbers are not to depend on how many cores there are, nor jobs on the network
    os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "HF_HUB_OFFLINE": "1"}
    multiprocessing.set_forkserver_preload(_preloaded(asked.short))
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        tallies = _run(asked, folder)
    show(tallies)
    if any(tally.failures for tally in tallies):
        sys.exit(1)


def _preloaded(short: bool) -> list[str]:
    return IMPORTED if short else [*IMPORTED, *HEAVY]


def _run(asked: argparse.Namespace, folder: Path) -> list[Tally]:
    if asked.case:
        case = named(asked.case, asked.seed)
        return [run(case.campaign, [case], folder, FAILURES, progress=True)]
    only, _, job = (asked.only or "").partition("/")
    sizes = SHORT if asked.short else FULL
    tallies = []
    for campaign, events in sizes.items():
        if only not in ("", campaign):
            continue
        events = getattr(asked, campaign) or events
        cases = cases_of(campaign, events, asked.seed, short=asked.short, only=job)
        tally = run(campaign, cases, folder, FAILURES, progress=True)
        tallies.append(tally)
        if not (job or asked.short or getattr(asked, campaign)):
            print(f"kept: {tally.keep(surroundings())}", file=sys.stderr)
            DOCUMENT.write_text(written(DOCUMENT.read_text()))
    return tallies


if __name__ == "__main__":
    main()
