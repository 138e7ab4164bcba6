"""Whether what the pieces of a survey show may be compared: of one tree, model and weights.

Runs are compared by their configurations, since their numbers are each piece's own.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, Outdated, few, tell
from zoolens.catalog.store.outdated import stale_steps
from zoolens.catalog.store.store import Run, Store

# What a run's rows are called, and what it starts from.
WORDS = {
    "predict": "predictions",
    "estimate": "estimates",
    "score": "losses",
    "explain": "saliency maps",
    "estimate_maps": "maps",
    "evaluate": "measured values",
}
_MADE_FROM = {
    "score": ("predict",),
    "explain": ("predict",),
    "evaluate": ("predict",),
    "estimate_maps": ("estimate",),
}
# What a configuration has of its own catalogue alone: its runs, and files of its galaxies.
_OWN = {
    "origin",
    "predict_run",
    "estimate_run",
    "predictions",
    "predictions_sha256",
    "id_column",
    "votes",
    "galaxies_sha256",
    "truth_sha256",
    "explained",
}


@dataclass(frozen=True)
class Shown:
    """What a piece shows: its tree, and of jobs the settings of the run, None if none shows."""

    name: str
    tree: DecisionTree | None
    runs: Mapping[str, Mapping[str, Any] | None]

    def lacks(self, jobs: Iterable[str]) -> bool:
        """Whether it shows no run of one of these jobs."""
        return any(self.runs[job] is None for job in jobs)


def with_sources(jobs: Iterable[str]) -> tuple[str, ...]:
    """Jobs, each after those that it starts from."""
    return tuple(dict.fromkeys(one for job in jobs for one in (*_MADE_FROM.get(job, ()), job)))


def what_shows(name: str, store: Store, jobs: Iterable[str]) -> Shown:
    """What a piece shows of some jobs and of those that they start from."""
    runs = {job: store.shown_run(job) for job in with_sources(jobs)}
    return Shown(
        name,
        store.tree_or_none,
        {job: None if run is None else _settings(run) for job, run in runs.items()},
    )


def _settings(run: Run) -> dict[str, Any]:
    """What makes a run of one piece the same work as a run of another."""
    return {
        "model": run.model_sha256,
        **{name: value for name, value in run.config.items() if name not in _OWN},
    }


def differences(folder: Path, pieces: Sequence[Shown], jobs: Iterable[str]) -> list[str]:
    """In which ways pieces may not be compared, a sentence each: of trees, then of each job."""
    trees = {one.name: one.tree for one in pieces if one.tree is not None}
    if odd := _odd(trees):
        usual = trees[odd[1]]
        return [f"{folder} is of several trees: {few(odd[0])} not of {usual.name} as {odd[1]}"]
    said = []
    for job in with_sources(jobs):
        settings = {one.name: one.runs[job] for one in pieces if one.runs[job] is not None}
        if odd := _odd({name: json.dumps(one, sort_keys=True) for name, one in settings.items()}):
            strange, usual_name = settings[odd[0][0]] or {}, odd[1]
            usual_settings = settings[usual_name] or {}
            ways = [
                way
                for way in sorted(strange.keys() | usual_settings.keys())
                if strange.get(way) != usual_settings.get(way)
            ]
            said.append(
                f"the {WORDS[job]} of {few(odd[0])} are not as those of {usual_name}, which differ "
                f"in {few(ways)}"
            )
    return said


def _odd(kinds: Mapping[str, Hashable]) -> tuple[list[str], str] | None:
    """The pieces that are not as most are, and the first that is; None if all are alike."""
    counted = Counter(kinds.values())
    if len(counted) < 2:
        return None
    usual = counted.most_common(1)[0][0]
    others = [name for name, kind in kinds.items() if kind != usual]
    return others, next(name for name, kind in kinds.items() if kind == usual)


def check_comparable(folder: Path, pieces: Sequence[Shown], jobs: Iterable[str]) -> None:
    """Raises `CatalogError` if pieces may not be compared."""
    said = differences(folder, pieces, jobs)
    if said:
        raise CatalogError(f"{said[0]}; make them alike, or ask those pieces by themselves")


def tell_of_pieces(folder: Path, stores: Iterable[tuple[str, Store]], *jobs: str) -> None:
    """Warn (`Told`) of pieces that may not be compared, that show nothing, or are outdated.

    jobs: whose rows are being read.
    """
    pieces, stale = [], dict[str, list[str]]()
    for name, store in stores:
        pieces.append(what_shows(name, store, jobs))
        for step in stale_steps(store, jobs):
            stale.setdefault(step.job, []).append(name)
    for said in differences(folder, pieces, jobs):
        tell(said)
    for job in jobs:
        tell_of_lacking(pieces, job)
    tell_of_outdated(stale)


def tell_of_lacking(pieces: Sequence[Shown], job: str) -> None:
    """Warn of pieces that show no run of a job, where others do."""
    lacking = [one.name for one in pieces if one.runs[job] is None]
    if lacking and len(lacking) < len(pieces):
        tell(f"without {WORDS[job]}: {few(lacking)} of {len(pieces)} pieces")


def tell_of_outdated(stale: Mapping[str, Sequence[str]]) -> None:
    """Warn of pieces, by job, of which a step is outdated."""
    for job, names in stale.items():
        tell(
            f"the {WORDS[job]} of {few([*names])} are outdated, as zoolens status tells of each",
            Outdated,
        )
