"""`explain` over a survey: maps in the pieces of their galaxies, figures of galaxies of any."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zoolens.catalog.explain.choice import choose, find_subjects
from zoolens.catalog.network.engines import choose_engine
from zoolens.catalog.network.model import loaded_once
from zoolens.catalog.paths import explanations_dir
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.choice import Chosen, choose_of_all, galaxies_by_piece
from zoolens.catalog.survey.folder import catalogues, is_survey
from zoolens.catalog.survey.gathering import gather
from zoolens.catalog.survey.neighbours import Near, near
from zoolens.catalog.survey.tour import faults, visit
from zoolens.jobs import estimate_maps as of_estimates
from zoolens.jobs.explain import ExplainReport
from zoolens.jobs.explain import explain as job
from zoolens.jobs.index import index
from zoolens.jobs.pieces import Pieces, SurveyReport
from zoolens.jobs.reports import Report
from zoolens.jobs.settings import Maps, Which


def explain(
    survey: Path,
    which: Which,
    maps: Maps = Maps(),
    *,
    of: Of = "fraction",
    out: Path | None = None,
    figures: bool = True,
) -> SurveyReport:
    """`jobs.explain` over the pieces of a survey, whose galaxies may be each other's counterparts.

    Maps are kept in the pieces of their galaxies; figures, of named galaxies or of the worst, are
    drawn from a small catalogue of them all, which is made and left again. out: beside the folder
    of the survey unless given.
    """
    pieces = Pieces.of(survey)
    with loaded_once():
        if which.everything:
            engine = choose_engine(maps.engine, sum(pieces.sizes("imaged")))
            work = partial(job, which=which, maps=replace(maps, engine=engine), figures=False)
            return pieces.report(work, "explaining", "imaged")
        chosen = choose_of_all(survey, [*pieces.standing], which)
        if not figures:
            return _maps(pieces, {path: [*_names(path, chosen)] for path in chosen.choices}, maps)
        indexed = pieces.visits(index, "index", "galaxies")
        found = near(
            [one.path for one in indexed if one.done is not None],
            chosen.choices,
            min_votes=which.min_votes,
            exchange=which.exchange,
        )
        with TemporaryDirectory(prefix=".explain.", dir=survey) as scratch:
            drawn = replace(which, names=chosen.names, worst=None, where=None)
            galaxies = _subjects(Path(scratch) / "near.duckdb", found, drawn)
            done = _maps(pieces, galaxies, maps)
            gz = gather(Path(scratch) / survey.name, found.galaxies)
            index(gz)
            folder = out or _folder(survey, next(iter(galaxies)), done)
            last = job(gz, drawn, maps, of=of, out=folder, totals=found.totals)
    whole = replace(done.whole, figures=last.figures, page=last.page, caveats=last.caveats)
    whole = replace(whole, changed=whole.changed or bool(last.figures))
    return replace(done, whole=whole, faults=(*dict.fromkeys((*faults(indexed), *done.faults)),))


def _subjects(gz: Path, found: Near, which: Which) -> dict[Path, list[str]]:
    """The names of the galaxies that are drawn and of their counterparts, by piece."""
    index(gather(gz, found.galaxies))
    with Store.open(gz, read_only=True) as store:
        subjects = find_subjects(
            store,
            choose(store, which),
            min_votes=which.min_votes,
            exchange=which.exchange,
        )
        names = {*names_of(store, {one for each in subjects for one in each.galaxies}).values()}
    galaxies = {}
    for path, ids in found.galaxies.items():
        with Store.open(path, read_only=True) as store:
            here = [name for name in names_of(store, ids).values() if name in names]
        if here:
            galaxies[path] = here
    return galaxies


def _maps(pieces: Pieces, galaxies: Mapping[Path, Sequence[str]], maps: Maps) -> SurveyReport:
    """Store the maps of galaxies, by name, in their pieces."""
    some = replace(pieces, paths=[path for path in pieces.paths if path in galaxies])
    report = some.report(partial(_maps_of, galaxies, maps), "explaining", "imaged")
    return replace(report, pieces=len(pieces.paths))


def _maps_of(galaxies: Mapping[Path, Sequence[str]], maps: Maps, path: Path) -> ExplainReport:
    return job(path, Which(names=galaxies[path]), maps, figures=False)


def _names(path: Path, chosen: Chosen) -> Collection[str]:
    with Store.open(path, read_only=True) as store:
        return names_of(store, [one.galaxy_id for one in chosen.choices[path]]).values()


def _folder(survey: Path, path: Path, done: SurveyReport) -> Path:
    """Where figures go; those of another method, layer or model than predicted stand apart."""
    number = done.whole.run_id
    with Store.open(path, read_only=True) as store:
        apart = number is not None and store.run(number).job == "comparison"
    return explanations_dir(survey, number if apart else None)


def only_estimates(catalog: Path) -> bool:
    """Whether a catalogue, or any piece of a survey, has estimates and no predictions of votes."""
    visits = [visit(of_estimates.only_estimates, path) for path in catalogues(catalog)]
    if not is_survey(catalog) and visits[0].error is not None:
        raise visits[0].error
    return any(one.done for one in visits)


def explain_estimates(
    catalog: Path,
    names: Sequence[str] = (),
    *,
    everything: bool = False,
    model: str | None = None,
    engine: str = "auto",
    out: Path | None = None,
) -> Report:
    """`jobs.estimate_maps`; of a survey, each galaxy is explained in its piece."""
    settings: dict[str, Any] = {"everything": everything, "model": model, "engine": engine}
    if not is_survey(catalog):
        return of_estimates.explain_estimates(catalog, names, **settings, out=out)
    pieces, settings["out"] = Pieces.of(catalog), out or explanations_dir(catalog)
    explained = partial(of_estimates.explain_estimates, **settings)
    with loaded_once():
        if everything:
            return pieces.report(explained, "explaining", "imaged")
        where = galaxies_by_piece(catalog, [*pieces.standing], names)
        some = replace(pieces, paths=[path for path in pieces.paths if path in where])
        report = some.report(
            lambda path: explained(path, names=where[path]), "explaining", "imaged"
        )
    return replace(report, pieces=len(pieces.paths))
