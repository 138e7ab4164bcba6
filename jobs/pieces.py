"""The pieces of a survey under one job: the same run in each, and one report of the whole."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere
from zoolens.catalog.survey.folder import open_survey
from zoolens.catalog.survey.standing import Standing, standing_of, standings, tree_of_all
from zoolens.catalog.survey.tour import Visit, faults, go_over, lacking, visit
from zoolens.jobs.reports import Report

Done = TypeVar("Done", bound=Report)

_ADDED = {"galaxies", "total", "rejects", "voted", "explained", "replaced"}  # fields of reports


@dataclass(frozen=True)
class SurveyReport:
    """What a job did on a survey.

    whole: the reports of its pieces as one, of the type that the job has; done, pieces: how many
    were worked on, of how many. lacking: which had nothing to work on, a sentence each; faults: why
    others were not worked on, a line each: the same call goes on with them.
    """

    whole: Any
    done: int
    pieces: int
    lacking: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    run_id: None = None

    @property
    def job(self) -> str:
        return str(self.whole.job)

    @property
    def page(self) -> Path | None:
        """The page of what was drawn, if anything was."""
        return getattr(self.whole, "page", None)

    @property
    def changed(self) -> bool:
        return bool(self.whole.changed)

    @property
    def summary(self) -> str:
        of = "all" if self.done == self.pieces else f"{self.done} of"
        return f"{self.whole.summary}; in {of} {self.pieces} pieces"

    @property
    def notes(self) -> Sequence[str]:
        return (*self.whole.notes, *self.lacking)


@dataclass(frozen=True)
class Pieces:
    """The pieces of a survey and how they stand, one that cannot be read as None."""

    folder: Path
    paths: Sequence[Path]
    standing: Mapping[Path, Standing]

    @classmethod
    def of(cls, folder: Path) -> "Pieces":
        paths = open_survey(folder).paths
        return cls(folder, paths, {one.path: one for one in standings(paths)})

    @property
    def tree(self) -> DecisionTree | None:
        """The tree of all. Raises `CatalogError` if there are several."""
        return tree_of_all(self.folder, [*self.standing.values()])

    def check_readable(self) -> None:
        """Raises the `CatalogError` of the first piece that cannot be read."""
        for path in self.paths:
            if path not in self.standing:
                error = visit(standing_of, path).error
                if error is not None:
                    raise error

    def sizes(self, of: str) -> list[int]:
        """How many `galaxies`, or galaxies with an image (`imaged`), each has."""
        known = (self.standing.get(path) for path in self.paths)
        return [0 if one is None else int(getattr(one, of)) for one in known]

    def visits(
        self, job: Callable[[Path], Done], describe: str, of: str, workers: int = 1
    ) -> list[Visit[Done]]:
        """Go over the pieces with a job."""
        return go_over(job, self.paths, describe=describe, sizes=self.sizes(of), workers=workers)

    def report(
        self, job: Callable[[Path], Done], describe: str, of: str, workers: int = 1
    ) -> SurveyReport:
        """Go over the pieces with a job, and say what it did."""
        visits = self.visits(job, describe, of, workers)
        done = [one.done for one in visits if one.done is not None]
        if not done:
            raise _none(self.folder, visits)
        return SurveyReport(
            merged(done), len(done), len(self.paths), lacking(visits), faults(visits)
        )


def _none(folder: Path, visits: Sequence[Visit[Any]]) -> CatalogError:
    """The error of a job that did nothing on any piece."""
    wrong, empty = faults(visits), lacking(visits)
    more = f" (and {len(wrong) - 1} pieces more)" if len(wrong) > 1 else ""
    if wrong:
        return CatalogError(f"no piece of {folder} could be worked on: {wrong[0]}{more}")
    return NothingHere(f"no piece of {folder} has what this needs: {empty[0]}")


def merged(reports: Sequence[Done]) -> Done:
    """The reports of one job on several pieces as one: what is counted is added up."""
    first, changes = reports[0], dict[str, Any]()
    for field in fields(cast(Any, first)):
        values = [getattr(report, field.name) for report in reports]
        if field.name == "changed":
            changes["changed"] = any(values)
        elif field.name in _ADDED and isinstance(values[0], Mapping):
            changes[field.name] = dict(sum(map(Counter, values), Counter[str]()))
        elif field.name in _ADDED:
            changes[field.name] = sum(values)
        elif field.name == "codes":
            changes["codes"] = _least(values)
        elif isinstance(values[0], tuple):
            changes[field.name] = tuple(dict.fromkeys(one for some in values for one in some))
    return cast(Done, replace(cast(Any, first), **changes))


def _least(codes: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Mapping[str, float]]:
    """Of the searches of several pieces, by kind, the one that finds least."""
    kinds = dict.fromkeys(kind for one in codes for kind in one)
    return {
        kind: min((one[kind] for one in codes if kind in one), key=lambda found: found["recall"])
        for kind in kinds
    }
