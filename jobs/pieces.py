"""Jobs over all pieces of a survey: the same run in each, and one report of the whole.

Each function takes what the job of its name takes, and does that for the file of one catalogue; the
folder of a survey is gone over piece by piece (`catalog.survey.tour`). Each imports those
jobs that it calls, as some of them take seconds to load.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere
from zoolens.catalog.survey.folder import is_survey, open_survey
from zoolens.catalog.survey.standing import Standing, standings, tree_of_all
from zoolens.catalog.survey.tour import Visit, faults, go_over, lacking, name_of
from zoolens.jobs.reports import Report
from zoolens.jobs.settings import Inference

if TYPE_CHECKING:
    from zoolens.catalog.store.sharing import Shares

Done = TypeVar("Done", bound=Report)

_ADDED = {"galaxies", "total", "rejects", "voted", "explained", "replaced"}  # fields of reports
_WORTH_IT = 20_000  # galaxies a piece for which a process of its own is worth its start


@dataclass(frozen=True)
class SurveyReport:
    """What a job did on a survey.

    whole: the reports of its pieces as one; done, pieces: how many were worked on, of how many.
    lacking: which had nothing to work on, a sentence each; faults: why others were not worked on,
    a line each: the same call goes on with them.
    """

    whole: Report
    done: int
    pieces: int
    lacking: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    run_id: None = None

    @property
    def job(self) -> str:
        return self.whole.job

    @property
    def changed(self) -> bool:
        return self.whole.changed

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

    def sizes(self, of: str) -> list[int]:
        """How many `galaxies`, or galaxies with an image (`imaged`), each has."""
        known = (self.standing.get(path) for path in self.paths)
        return [0 if one is None else int(getattr(one, of)) for one in known]

    def report(
        self, job: Callable[[Path], Done], describe: str, of: str, workers: int = 1
    ) -> SurveyReport:
        """Go over the pieces with a job, and say what it did."""
        visits = go_over(job, self.paths, describe=describe, sizes=self.sizes(of), workers=workers)
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
        elif isinstance(values[0], tuple):
            changes[field.name] = tuple(dict.fromkeys(one for some in values for one in some))
    return cast(Done, replace(cast(Any, first), **changes))


def predict(
    catalog: Path,
    model: str | Sequence[str],
    inference: Inference = Inference(),
    *,
    tree: str | None = None,
    **settings: Any,
) -> Report:
    """`jobs.predict`; a piece that has no tree yet gets that of the others."""
    from zoolens.catalog.network.model import loaded_once
    from zoolens.jobs.predict import predict as job

    if not is_survey(catalog):
        return job(catalog, model, inference, tree=tree, **settings)
    pieces = Pieces.of(catalog)
    settings |= {"inference": _with_one_engine(pieces, inference), "tree": tree or pieces.tree}
    with loaded_once():
        return pieces.report(partial(job, model=model, **settings), "predicting", "imaged")


def estimate(
    catalog: Path, model: str, inference: Inference = Inference(), **settings: Any
) -> Report:
    """`jobs.estimate`."""
    from zoolens.catalog.network.model import loaded_once
    from zoolens.jobs.estimate import estimate as job

    if not is_survey(catalog):
        return job(catalog, model, inference, **settings)
    pieces = Pieces.of(catalog)
    settings |= {"inference": _with_one_engine(pieces, inference)}
    with loaded_once():
        return pieces.report(partial(job, model=model, **settings), "estimating", "imaged")


def model_unless_named(catalog: Path) -> str:
    """`jobs.predict.model_unless_named`: of a survey what all of its pieces show decides.

    Raises `CatalogError` also if they show predictions of several models.
    """
    from zoolens.catalog.network.bundled import BUNDLED
    from zoolens.jobs.predict import model_unless_named as of_one

    if not is_survey(catalog):
        return of_one(catalog)
    found = {one.path: of_one(one.path) for one in Pieces.of(catalog).standing.values()}
    shown = {model: path for path, model in reversed(found.items()) if model != BUNDLED}
    if len(shown) > 1:
        said = ", ".join(f"{name_of(path)} of {model}" for model, path in sorted(shown.items()))
        raise CatalogError(
            f"the pieces of {catalog} show predictions of several models, such as {said}: name "
            "the one that is to predict in all, by --model"
        )
    return next(iter(shown), BUNDLED)


def _with_one_engine(pieces: Pieces, inference: Inference) -> Inference:
    """The engine that suits the whole survey, however few images a piece has."""
    from zoolens.catalog.network.engines import choose_engine

    return replace(inference, engine=choose_engine(inference.engine, sum(pieces.sizes("imaged"))))


def score(catalog: Path, *, weights: str = "paper") -> Report:
    """`jobs.score`."""
    from zoolens.jobs.score import score as job

    if not is_survey(catalog):
        return job(catalog, weights=weights)
    pieces = Pieces.of(catalog)
    pieces.tree  # noqa: B018  # losses of several trees cannot be compared
    return pieces.report(partial(job, weights=weights), "score", "galaxies", _processes(pieces))


def index(catalog: Path, *, approximate: bool = False) -> Report:
    """`jobs.index`."""
    from zoolens.jobs.index import index as job

    if not is_survey(catalog):
        return job(catalog, approximate=approximate)
    pieces = Pieces.of(catalog)
    return pieces.report(
        partial(job, approximate=approximate), "index", "galaxies", _processes(pieces)
    )


def adopt(
    catalog: Path,
    predictions: Path,
    *,
    id_column: str | None = None,
    tree: str | None = None,
) -> Report:
    """`jobs.adopt`; of a survey each row goes to the piece that has its galaxy, none makes one."""
    from zoolens.jobs import adopt as jobs

    if not is_survey(catalog):
        return jobs.adopt(catalog, predictions, id_column=id_column, tree=tree)
    pieces = Pieces.of(catalog)
    every = jobs.check(predictions, pieces.tree, id_column=id_column, named=tree)
    shares = jobs.shares(predictions, pieces.paths, every, id_column)
    work = partial(jobs.adopt, predictions=predictions, id_column=id_column, tree=every)
    return _shared_out(pieces, work, shares, "reading predictions")


def keep(
    catalog: Path, table: Path, columns: Sequence[str], *, id_column: str | None = None
) -> Report:
    """`jobs.keep`; of a survey each row goes to the piece that has its galaxy."""
    from zoolens.jobs import keep as jobs

    if not is_survey(catalog):
        return jobs.keep(catalog, table, columns, id_column=id_column)
    pieces = Pieces.of(catalog)
    shares = jobs.shares(table, columns, pieces.paths, id_column)
    work = partial(jobs.keep, table=table, columns=columns, id_column=id_column)
    return _shared_out(pieces, work, shares, "own columns")


def _shared_out(
    pieces: Pieces, job: Callable[..., Done], shares: "Shares", describe: str
) -> SurveyReport:
    """Go over the pieces that a table has galaxies of.

    One of them tells what is wrong with the table, and which rows are of no piece's galaxy.
    """
    every = len(shares.found) == len(pieces.paths)
    report = pieces.report(
        partial(_on_its_share, job, shares, every), describe, "galaxies", _processes(pieces)
    )
    if every or not len(shares.strangers):
        return report
    return replace(
        report,
        lacking=(
            *report.lacking,
            f"{len(shares.strangers):,} rows are of no galaxy of the pieces that could be read, "
            "and not told in rejects before all can be",
        ),
    )


def _on_its_share(job: Callable[..., Done], shares: "Shares", every: bool, path: Path) -> Done:
    if shares.found.get(path) == 0:
        raise NothingHere("the table has none of its galaxies")
    return job(path, strangers=shares.of(path, every=every))


def _processes(pieces: Pieces) -> int:
    """How many processes work side by side: as many as there are processors, if it pays."""
    sizes = pieces.sizes("galaxies")
    worth_it = sum(size >= _WORTH_IT for size in sizes)
    return min(worth_it, os.cpu_count() or 1)
