"""Ways to do the same work, timed in turn in one process.

A contest warms every way up, then runs them one after the other, round by round, so
that what else the machine does falls on all. Raw seconds are kept as JSON lines, with
the machine, the versions and the commit; what is printed are medians and ratios.
"""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from zoolens.catalog.runtime.environment import memory_of_machine

RESULTS = Path(__file__).parent / "results" / "bench.jsonl"
_PACKAGES = ("duckdb", "faiss-cpu", "grad-cam", "numpy", "pandas", "pyarrow", "torch", "zoobot")


@dataclass(frozen=True)
class Way:
    """A way to do the work.

    items: how much of it one call does, where a slow way does less than the others.
    repeats: rounds that it takes part in, all unless given; 0 is once, not warmed up.
    before: done before each call, and not timed.
    """

    call: Callable[[], Any]
    items: int = 1
    repeats: int | None = None
    before: Callable[[], object] | None = None


@dataclass(frozen=True)
class Contest:
    """Ways of doing `name`, ours first. check: raises where their results differ."""

    name: str
    ways: Mapping[str, Way]
    repeats: int = 5
    check: Callable[[Mapping[str, Any]], None] = field(default=lambda _: None)


def run(contest: Contest) -> dict[str, list[float]]:
    """Seconds of each way's calls; the results of the last are checked."""
    seconds: dict[str, list[float]] = {name: [] for name in contest.ways}
    results = {}
    for number in range(-1, contest.repeats):  # -1 warms up
        for name, way in contest.ways.items():
            rounds = contest.repeats if way.repeats is None else way.repeats
            if number >= max(rounds, 1) or (number < 0 and rounds == 0):
                continue
            if way.before is not None:
                way.before()
            start = time.perf_counter()
            results[name] = way.call()
            spent = time.perf_counter() - start
            if number >= 0:
                seconds[name].append(spent)
    contest.check(results)
    return seconds


def surroundings() -> dict[str, Any]:
    """Commit, machine and versions, as kept with each result."""
    return {
        "commit": _commit(),
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "memory_bytes": memory_of_machine(),
        },
        "versions": {"python": platform.python_version()} | {p: version(p) for p in _PACKAGES},
    }


def keep(contest: Contest, seconds: Mapping[str, list[float]]) -> None:
    """Append raw seconds to the results."""
    where = surroundings()
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        for name, spent in seconds.items():
            row = {"contest": contest.name, "way": name, "items": contest.ways[name].items}
            file.write(json.dumps({**row, "seconds": spent, **where}) + "\n")


def show(outcomes: Iterable[tuple[Contest, Mapping[str, list[float]]]]) -> None:
    """A table of medians for as much work as ours does, and of ratios to ours."""
    table = Table("work", "way", "median", "range", "times ours", box=None, pad_edge=False)
    for contest, seconds in outcomes:
        (first, ours), *_ = contest.ways.items()
        unit = statistics.median(seconds[first]) / ours.items
        for number, (name, way) in enumerate(contest.ways.items()):
            scaled = [spent * ours.items / way.items for spent in seconds[name]]
            median = statistics.median(scaled)
            table.add_row(
                contest.name if number == 0 else "",
                name + ("" if way.items == ours.items else " (extrapolated)"),
                _time(median),
                f"{_time(min(scaled))} to {_time(max(scaled))}",
                "" if number == 0 else f"{median / (unit * ours.items):,.1f}",
                end_section=number == len(contest.ways) - 1,
            )
    Console(soft_wrap=True).print(table)


def _time(seconds: float) -> str:
    if seconds < 0.1:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 1000 else f"{seconds / 3600:.3g} h"


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
