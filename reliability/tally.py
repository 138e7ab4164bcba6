"""Counts of how cases ended: kept as JSON, shown as a table, written into the documentation."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from reliability.cases import Case, Outcome, Verdict

RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
_BEGIN, _END = "<!-- counts -->", "<!-- end of counts -->"
_LOAD, _END_OF_LOAD = "<!-- load -->", "<!-- end of load -->"
_EVENTS = {
    "kills": "kills",
    "races": "races",
    "clusters": "faults",
    "flips": "damages",
    "inputs": "inputs",
    "service": "requests, clients, kills",
}

Counts = Mapping[str, Mapping[str, int]]


@dataclass
class Tally:
    """What a campaign has found so far, by job and outcome, and its failures."""

    campaign: str
    seed: int
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[dict[str, str]] = field(default_factory=list)

    def add(self, case: Case, verdict: Verdict) -> None:
        """Count a verdict, and remember it if it failed."""
        counts = self.counts.setdefault(case.job, Counter())
        counts[verdict.outcome] += max(verdict.events, verdict.outcome == Outcome.FAILED)
        if verdict.outcome == Outcome.FAILED:
            self.failures.append({"case": case.name, "words": verdict.words})

    @property
    def events(self) -> int:
        return sum(counts.total() for counts in self.counts.values())

    def keep(self, surroundings: Mapping[str, Any], folder: Path = RESULTS) -> Path:
        """Write the counts to `results/CAMPAIGN.json`."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.campaign}.json"
        facts = {"seed": self.seed, **surroundings, "counts": self.counts}
        path.write_text(json.dumps({**facts, "failures": self.failures}, indent=1) + "\n")
        return path


def show(tallies: list[Tally]) -> None:
    """Print the table of counts, and the failures."""
    table = Table("campaign", "job", *Outcome, box=None, pad_edge=False)
    for tally in tallies:
        for job, counts in tally.counts.items():
            table.add_row(tally.campaign, job, *(f"{counts[each]:,}" for each in Outcome))
    console = Console(soft_wrap=True)
    console.print(table)
    for tally in tallies:
        for failure in tally.failures:
            console.print(f"FAILED {failure['case']}: {failure['words']}", markup=False)


def markdown(results: Path = RESULTS) -> str:
    """The kept counts as tables of a document, one a campaign."""
    parts = []
    for campaign, events in _EVENTS.items():
        path = results / f"{campaign}.json"
        if not path.exists():
            continue
        kept = json.loads(path.read_text())
        counts: Counts = kept["counts"]
        used = [each for each in Outcome if any(row.get(each) for row in counts.values())]
        used = [each for each in used if each != Outcome.FAILED] + [Outcome.FAILED]
        parts.append(
            f"| {events} | " + " | ".join(used) + " |\n|" + "---|" * (len(used) + 1) + "\n"
        )
        for job, row in counts.items():
            parts.append(f"| {job} | " + " | ".join(f"{row.get(e, 0):,}" for e in used) + " |\n")
        sums = [sum(row.get(each, 0) for row in counts.values()) for each in used]
        parts.append(f"| **{sum(sums):,}** | " + " | ".join(f"**{n:,}**" for n in sums) + " |\n\n")
    return "".join(parts)


def load_markdown(results: Path = RESULTS) -> str:
    """The kept figures of many clients at once, as a table of a document."""
    path = results / "load.json"
    if not path.exists():
        return ""
    kept = json.loads(path.read_text())
    statuses = ", ".join(f"{number:,} {status}" for status, number in kept["statuses"].items())
    rows = [
        ("seconds, requests", f"{kept['seconds']:,.0f}, {kept['requests']:,}"),
        ("requests a second", f"{kept['a_second']:,}"),
        ("answered", statuses),
        (
            "seconds of an answer: median, of 99 in 100",
            f"{kept['median_seconds']:.2f}, {kept['centile_99_seconds']:.2f}",
        ),
    ]
    for what, scale, unit in (("memory", 1e6, " MB"), ("descriptors", 1, ""), ("processes", 1, "")):
        before, most, after = (
            kept[f"{what}_{when}"] / scale for when in ("before", "at_most", "after")
        )
        rows.append(
            (f"{what}: before, at most, after", f"{before:,.0f}, {most:,.0f}, {after:,.0f}{unit}")
        )
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows)


def written(document: str, results: Path = RESULTS) -> str:
    """The document with the kept counts in it, and the figures of the load."""
    filled = _between(document, _BEGIN, _END, markdown(results))
    return _between(filled, _LOAD, _END_OF_LOAD, load_markdown(results))


def _between(document: str, begin: str, end: str, text: str) -> str:
    """A document with a text between two marks; as it is if they are not in it."""
    before, mark, rest = document.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}{end}{after}" if mark else document
