"""The pieces of a survey under one job: the same run in each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere, tell
from zoolens.catalog.survey.folder import open_survey
from zoolens.catalog.survey.standing import Standing, standing_of, standings, tree_of_all
from zoolens.catalog.survey.tour import Visit, faults, go_over, lacking, visit
from zoolens.jobs.reports import Report
from zoolens.jobs.survey_reports import SurveyReport, merged

Done = TypeVar("Done", bound=Report)
Made = TypeVar("Made")


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
        self, job: Callable[[Path], Made], describe: str, of: str, workers: int = 1
    ) -> list[Visit[Made]]:
        """Go over the pieces with a job."""
        return go_over(job, self.paths, describe=describe, sizes=self.sizes(of), workers=workers)

    def all_done(self, job: Callable[[Path], object], describe: str, of: str) -> None:
        """Go over the pieces with a job that all need, but those that have nothing to work on.

        These are told. Raises the `CatalogError` of the first piece that cannot be worked on, which
        it names, and `NothingHere` if none has anything to work on.
        """
        visits = self.visits(job, describe, of)
        if not any(one.error is None for one in visits):
            raise _none(self.folder, visits)
        for fault in faults(visits):
            raise CatalogError(f"all pieces of {self.folder} are needed: {fault}")
        for said in lacking(visits):
            tell(said)

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
