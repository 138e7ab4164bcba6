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
from zoolens.catalog.store.galaxies import check_is
from zoolens.catalog.store.identity import identity_of
from zoolens.catalog.store.outdated import stale_steps
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.waiting import waits_for
from zoolens.catalog.survey.folder import is_listed, read_survey

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


def with_sources(jobs: Iterable[str]) -> tuple[str, ...]:
    """Jobs, each after those that it starts from."""
    return tuple(dict.fromkeys(one for job in jobs for one in (*_MADE_FROM.get(job, ()), job)))


# Jobs whose rows all pieces should have alike.
ALIKE = with_sources(("score", "explain", "estimate"))


@dataclass(frozen=True)
class Results:
    """What a piece shows: its tree, and of jobs the settings of the run, None if none shows.

    waiting: the jobs without a run that its galaxies wait for.
    """

    name: str
    tree: DecisionTree | None
    runs: Mapping[str, Mapping[str, Any] | None]
    waiting: frozenset[str] = frozenset()

    def lacks(self, jobs: Iterable[str]) -> bool:
        """Whether it shows no run of one of these jobs."""
        return any(self.runs[job] is None for job in jobs)


def results_of(name: str, store: Store, jobs: Iterable[str]) -> Results:
    """What a piece shows of some jobs and of those that they start from.

    Raises `CatalogError` if it is another piece than it is called.
    """
    check_is(store, name)
    runs = {job: store.shown_run(job) for job in with_sources(jobs)}
    return Results(
        name,
        store.tree_or_none,
        {job: None if run is None else _settings(run) for job, run in runs.items()},
        frozenset(job for job, run in runs.items() if run is None and waits_for(store, job)),
    )


def _settings(run: Run) -> dict[str, Any]:
    """What makes a run of one piece the same work as a run of another."""
    return {
        "model": run.model_sha256,
        **{name: value for name, value in run.config.items() if name not in _OWN},
    }


def differences(folder: Path, pieces: Sequence[Results], jobs: Iterable[str]) -> list[str]:
    """In which ways pieces may not be compared, a sentence each: of trees, then of each job."""
    if said := several_trees(
        folder, {one.name: one.tree for one in pieces if one.tree is not None}
    ):
        return [said]
    found = []
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
            found.append(
                f"the {WORDS[job]} of {few(odd[0])} are not as those of {usual_name}, which differ "
                f"in {few(ways)}"
            )
    return found


def several_trees(folder: Path, trees: Mapping[str, DecisionTree]) -> str | None:
    """That pieces, by name, are of several trees, in a sentence; None if they are of one."""
    odd = _odd(trees)
    if odd is None:
        return None
    usual, other = trees[odd[1]], trees[odd[0][0]].name
    another = "another " * (other == usual.name)
    return f"{folder} is of tree {usual.name}, but {few(odd[0])} of {another}{other}"


def _odd(kinds: Mapping[str, Hashable]) -> tuple[list[str], str] | None:
    """The pieces that are not as most are, and the first that is; None if all are alike."""
    counted = Counter(kinds.values())
    if len(counted) < 2:
        return None
    usual = counted.most_common(1)[0][0]
    others = [name for name, kind in kinds.items() if kind != usual]
    return others, next(name for name, kind in kinds.items() if kind == usual)


def without(pieces: Mapping[str, bool], job: str) -> str | None:
    """Which pieces, by name, do not have the rows of a job, where others do; None if all are alike.

    pieces: whether each has them.
    """
    names = [name for name, has in pieces.items() if not has]
    if len(names) in (0, len(pieces)):
        return None
    return f"without {WORDS[job]}: {few(names)} of {len(pieces)} pieces"


def tell_of_pieces(folder: Path, stores: Iterable[tuple[str, Store]], jobs: Sequence[str]) -> None:
    """Warn (`Told`) of pieces, by name, that may not be compared, show nothing, or are outdated.

    jobs: whose rows are being read.
    """
    compared = Comparison(folder, jobs)
    for name, store in stores:
        compared.note(name, store)
        compared.note_outdated(name, store, jobs)
    for said in compared.differences:
        tell(said)
    compared.tell()


class Comparison:
    """The pieces of a survey, noted one after the other, whose rows are to be read together."""

    def __init__(self, folder: Path, jobs: Iterable[str]) -> None:
        """jobs: whose rows are to be read."""
        self.pieces: list[Results] = []
        self._folder, self._jobs = folder, [*jobs]
        identities = read_survey(folder).identities if is_listed(folder) else {}
        self._made_as = {piece.name: identity for piece, identity in identities.items()}
        self._stale: dict[str, list[str]] = {}

    def note(self, name: str, store: Store) -> Results:
        """Note what a piece shows.

        Raises `CatalogError` if it is not the catalogue that the survey was made with.
        """
        made_as = self._made_as.get(name)
        if made_as is not None and identity_of(store) != made_as:
            raise CatalogError(
                f"{store.path} is another catalogue than the one that {self._folder} was made "
                "with, such as the piece of another survey; restore it from a copy"
            )
        self.pieces.append(results_of(name, store, self._jobs))
        return self.pieces[-1]

    def note_outdated(self, name: str, store: Store, jobs: Iterable[str]) -> None:
        """Note which steps of a piece are outdated."""
        for step in stale_steps(store, tuple(jobs)):
            self._stale.setdefault(step.job, []).append(name)

    @property
    def differences(self) -> list[str]:
        """In which ways they may not be compared, a sentence each."""
        return differences(self._folder, self.pieces, self._jobs)

    def check(self) -> None:
        """Raises `CatalogError` if they may not be compared."""
        for said in self.differences:
            raise CatalogError(f"{said}; make them alike, or ask those pieces by themselves")

    def tell(self) -> None:
        """Warn (`Told`) of pieces that wait for what others show, or are outdated."""
        for job in self._jobs:
            shown = any(not one.lacks([job]) for one in self.pieces)
            said = without({one.name: job not in one.waiting for one in self.pieces}, job)
            if shown and said:
                tell(said)
        for job, names in self._stale.items():
            tell(
                f"the {WORDS[job]} of {few(names)} are outdated, as zoolens status tells of each",
                Outdated,
            )
