"""Jobs on one catalogue or on all pieces of a survey.

Each function takes what the job of its name takes, and does that for the file of one catalogue; the
folder of a survey is gone over piece by piece (`catalog.survey.tour`), with the same settings
for all. Each imports those jobs that it calls, as some of them take seconds to load.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoolens.catalog.errors import CatalogError, NothingHere
from zoolens.catalog.survey.folder import catalogues, is_survey, name_of_piece, open_survey
from zoolens.catalog.survey.tour import visit
from zoolens.jobs.pieces import Done, Pieces
from zoolens.jobs.reports import Report
from zoolens.jobs.settings import Inference
from zoolens.jobs.survey_reports import SurveyReport

if TYPE_CHECKING:
    from zoolens.catalog.parts.computing import ThroughFolder
    from zoolens.catalog.store.sharing import Shares
    from zoolens.jobs.train import TrainReport

_WORTH_IT = 20_000  # galaxies a piece for which a process of its own is worth its start
_MOST_PROCESSES = 8  # each may take the memory that a job may


def predict(
    catalog: Path,
    model: str | Sequence[str],
    inference: Inference = Inference(),
    *,
    tree: str | None = None,
    batch_size: int = 32,
    through: "ThroughFolder | None" = None,
) -> Report:
    """`jobs.predict`; a piece that has no tree yet gets that of the others."""
    from zoolens.catalog.network.model import loaded_once
    from zoolens.jobs.predict import predict as job

    if not is_survey(catalog):
        return job(catalog, model, inference, tree=tree, batch_size=batch_size, through=through)
    pieces = Pieces.of(catalog)
    engine = engine_for(pieces.sizes("imaged"), inference.engine, through)
    work = partial(
        job,
        model=model,
        inference=replace(inference, engine=engine),
        tree=tree or pieces.tree,
        batch_size=batch_size,
        through=through,
    )
    with loaded_once():
        return pieces.report(work, "predicting", "imaged")


def estimate(
    catalog: Path,
    model: str,
    inference: Inference = Inference(),
    *,
    through: "ThroughFolder | None" = None,
    **settings: Any,
) -> Report:
    """`jobs.estimate`."""
    from zoolens.catalog.network.model import loaded_once
    from zoolens.jobs.estimate import estimate as job

    if not is_survey(catalog):
        return job(catalog, model, inference, through=through, **settings)
    pieces = Pieces.of(catalog)
    engine = engine_for(pieces.sizes("imaged"), inference.engine, through)
    settings |= {"inference": replace(inference, engine=engine), "through": through}
    with loaded_once():
        return pieces.report(partial(job, model=model, **settings), "estimating", "imaged")


def train(catalog: Sequence[Path], out: Path, **settings: Any) -> "TrainReport":
    """`jobs.train`, on all pieces of surveys that have votes and images.

    A piece that cannot be read or written to keeps the others from it too: without its galaxies it
    would be another training.
    """
    from zoolens.catalog.store.galaxies import has_examples
    from zoolens.catalog.store.store import Store
    from zoolens.jobs.train import train as job

    paths: list[Path] = []
    for one in catalog:
        for path in catalogues(one):
            if is_survey(one):
                with Store.open(path, read_only=True) as store:
                    if not has_examples(store):
                        continue
            paths.append(path)
    if not paths:
        raise NothingHere(f"no galaxy of {catalog[0]} has both an image and votes")
    return job(paths, out, **settings)


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
        said = ", ".join(
            f"{name_of_piece(path)} of {model}" for model, path in sorted(shown.items())
        )
        raise CatalogError(
            f"the pieces of {catalog} show predictions of several models, such as {said}: name "
            "the one that is to predict in all, by --model"
        )
    return next(iter(shown), BUNDLED)


def engine_for(sizes: Sequence[int], engine: str, through: "ThroughFolder | None" = None) -> str:
    """The engine that suits a whole survey, however few images a piece has, where it computes."""
    from zoolens.catalog.network.engines import choose_engine

    best = partial(choose_engine, engine, sum(sizes))
    return through.agreed(best) if through else best()


def score(catalog: Path, *, weights: str = "paper") -> Report:
    """`jobs.score`."""
    from zoolens.jobs.score import score as job

    if not is_survey(catalog):
        return job(catalog, weights=weights)
    pieces = Pieces.of(catalog)
    pieces.tree  # noqa: B018  # losses of several trees cannot be compared
    return pieces.report(partial(job, weights=weights), "score", "galaxies", _processes(pieces))


def is_comparable(catalog: Path) -> bool:
    """`jobs.score.is_comparable`, of a survey whether in any piece."""
    from zoolens.jobs.score import is_comparable as of_one

    if not is_survey(catalog):
        return of_one(catalog)
    return any(visit(of_one, path).done for path in open_survey(catalog).paths)


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


def adopt_parts(catalog: Path, folder: Path) -> Report:
    """`jobs.adopt_parts`; of a survey, into each piece what was planned for it."""
    from zoolens.jobs import adopt_parts as jobs

    if not is_survey(catalog):
        return jobs.adopt_parts(catalog, folder)
    plans, pieces = jobs.plans_for(catalog, folder), Pieces.of(catalog)
    planned = [one.piece for one in plans.planned]
    named = {name_of_piece(path): path for path in pieces.paths}
    gone = tuple(
        f"{name}, which {folder} has parts of, is no piece of {catalog} any more"
        for name in planned
        if name not in named
    )
    some = replace(pieces, paths=[named[name] for name in planned if name in named])
    if not some.paths:
        raise CatalogError(gone[0])
    report = some.report(
        lambda path: jobs.adopt_some(path, plans, name_of_piece(path)), "adopting", "imaged"
    )
    report = replace(report, pieces=len(pieces.paths), hindered=(*gone, *report.hindered))
    jobs.check_whole(plans, report.whole, report.hindered)
    return report


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
    """How many processes work side by side, of jobs that keep two processors busy each."""
    worth_it = sum(size >= _WORTH_IT for size in pieces.sizes("galaxies"))
    return min(worth_it, (os.cpu_count() or 1) // 2, _MOST_PROCESSES)
