"""`explain` on one catalogue, with its index, or on the pieces of a survey."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.explain.choice import Subject, answer_of, subject_of
from zoolens.catalog.network.model import loaded_once
from zoolens.catalog.parts.computing import ThroughFolder
from zoolens.catalog.paths import explanations_dir
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.similarity.counterparts import Counterparts, cannot_exchange
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.choice import Chosen, choose_of_all, galaxies_by_piece
from zoolens.catalog.survey.counterparts import Home, find_in_survey
from zoolens.catalog.survey.folder import is_survey, name_of_piece, open_survey
from zoolens.catalog.survey.gathering import gather
from zoolens.catalog.survey.tour import faults, visit
from zoolens.jobs import estimate_maps as of_estimates
from zoolens.jobs.elsewhere import elsewhere
from zoolens.jobs.everywhere import engine_for
from zoolens.jobs.explain import ExplainReport, check
from zoolens.jobs.explain import explain as job
from zoolens.jobs.index import index
from zoolens.jobs.pieces import Pieces
from zoolens.jobs.reports import Report
from zoolens.jobs.settings import Maps, Which
from zoolens.jobs.survey_reports import SurveyReport


def explain(
    catalog: Path,
    which: Which,
    maps: Maps = Maps(),
    *,
    of: Of = "fraction",
    out: Path | None = None,
    figures: bool = True,
    through: ThroughFolder | None = None,
) -> ExplainReport | SurveyReport:
    """`explain_one`; over the pieces of a survey galaxies of any may be counterparts.

    Maps are kept in the pieces of their galaxies; figures, of named galaxies or of the worst, are
    drawn from a small catalogue of them all, which is made and left again. out: beside the folder
    of the survey unless given. through: where the maps of everything are computed, if not here.
    """
    if is_survey(catalog):
        return _over_pieces(catalog, which, maps, of, out, figures, through)
    return explain_one(catalog, which, maps, of=of, out=out, figures=figures, through=through)


def explain_one(
    catalog: Path,
    which: Which,
    maps: Maps = Maps(),
    *,
    of: Of = "fraction",
    out: Path | None = None,
    figures: bool = True,
    through: ThroughFolder | None = None,
) -> ExplainReport:
    """`jobs.explain`; figures, which show counterparts, get an up-to-date index first."""
    if figures:
        check(catalog, which, maps)
        index(catalog)
    return job(catalog, which, maps, of=of, out=out, figures=figures, through=through)


def _over_pieces(
    survey: Path,
    which: Which,
    maps: Maps,
    of: Of,
    out: Path | None,
    figures: bool,
    through: ThroughFolder | None,
) -> SurveyReport:
    pieces = Pieces.of(survey)
    with loaded_once():
        if which.everything:
            engine = engine_for(pieces.sizes("imaged"), maps.engine, through)
            maps = replace(maps, engine=engine)
            work = partial(job, which=which, maps=maps, figures=False, through=through)
            return pieces.report(work, "explaining", "imaged")
        chosen = choose_of_all(survey, [*pieces.standing], which)
        if not figures:
            named = {
                path: _names(path, [one.galaxy_id for one in some])
                for path, some in chosen.choices.items()
            }
            return _maps(pieces, named, maps)
        indexed = pieces.visits(index, "index", "galaxies")
        subjects, where = _subjects(survey, chosen, which)
        drawn = np.unique([number for one in subjects for number in one.galaxies])
        here = _by_piece(where, drawn)
        done = _maps(pieces, {path: _names(path, ids) for path, ids in here.items()}, maps)
        with TemporaryDirectory(prefix=".explain.", dir=survey) as scratch:
            gz = gather(survey, Path(scratch) / survey.name, here)
            renumbered = [_renumbered(one, drawn) for one in subjects]
            folder = out or _folder(survey, next(iter(here)), done)
            last = job(gz, Which(names=chosen.names), maps, of=of, out=folder, subjects=renumbered)
    whole = replace(done.whole, figures=last.figures, page=last.page, caveats=last.caveats)
    whole = replace(whole, changed=whole.changed or bool(last.figures))
    return replace(
        done, whole=whole, hindered=(*dict.fromkeys((*faults(indexed), *done.hindered)),)
    )


def _subjects(survey: Path, chosen: Chosen, which: Which) -> tuple[list[Subject], dict[int, Path]]:
    """Each chosen galaxy with its counterparts in the survey; and where these are."""
    homes = {
        name: (Home(choice.galaxy_id, name_of_piece(path), path), choice)
        for path, choices in chosen.choices.items()
        for name, choice in zip(
            _names(path, [one.galaxy_id for one in choices]), choices, strict=True
        )
    }
    where, subjects = dict[int, Path](), list[Subject]()
    for name in chosen.names:
        home, choice = homes[name]
        with Store.open(home.path, read_only=True) as store:
            answer = answer_of(store, choice, which.min_votes)
            note = cannot_exchange(store, choice.galaxy_id, answer)
        where[choice.galaxy_id] = home.path
        if note:
            subjects.append(
                subject_of(choice.galaxy_id, answer, Counterparts([], [], notes=(note,)))
            )
            continue
        both, found = find_in_survey(
            survey, home, answer, min_votes=which.min_votes, exchange=which.exchange
        )
        where |= found.where
        subjects.append(subject_of(choice.galaxy_id, answer, both))
    return subjects, where


def _by_piece(where: Mapping[int, Path], galaxies: Ids) -> dict[Path, Ids]:
    """Galaxies (N,), ascending, by their pieces."""
    paths = [where[number] for number in galaxies.tolist()]
    return {path: galaxies[[one == path for one in paths]] for path in dict.fromkeys(paths)}


def _renumbered(subject: Subject, drawn: Ids) -> Subject:
    """A subject as of the catalogue that `gather` makes of the galaxies `drawn`, ascending."""

    def place(number: int) -> int:
        return int(np.searchsorted(drawn, number)) + 1

    others = {
        kind: replace(one, galaxy_id=place(one.galaxy_id))
        for kind in ("observed", "predicted")
        if (one := getattr(subject, kind)) is not None
    }
    return replace(subject, galaxy_id=place(subject.galaxy_id), **others)


def _maps(pieces: Pieces, galaxies: Mapping[Path, Sequence[str]], maps: Maps) -> SurveyReport:
    """Store the maps of galaxies, by name, in their pieces."""
    some = replace(pieces, paths=[path for path in pieces.paths if path in galaxies])
    report = some.report(partial(_maps_of, galaxies, maps), "explaining", "imaged")
    return replace(report, pieces=len(pieces.paths))


def _maps_of(galaxies: Mapping[Path, Sequence[str]], maps: Maps, path: Path) -> ExplainReport:
    return job(path, Which(names=galaxies[path]), maps, figures=False)


def _names(path: Path, galaxies: Iterable[int]) -> list[str]:
    """The names of galaxies of a piece, in their order."""
    numbers = [int(number) for number in galaxies]
    with Store.open(path, read_only=True) as store:
        names = names_of(store, numbers)
    return [names[number] for number in numbers]


def _folder(survey: Path, path: Path, done: SurveyReport) -> Path:
    """Where figures go; those of another method, layer or model than predicted stand apart."""
    number = done.whole.run_id
    with Store.open(path, read_only=True) as store:
        apart = number is not None and store.run(number).job == "comparison"
    return explanations_dir(survey, number if apart else None)


def only_estimates(catalog: Path) -> bool:
    """Whether a catalogue, or any piece of a survey, has estimates and no predictions of votes."""
    if not is_survey(catalog):
        return of_estimates.only_estimates(catalog)
    paths = open_survey(catalog).paths
    return any(visit(of_estimates.only_estimates, path).done for path in paths)


def explain_estimates(
    catalog: Path,
    names: Sequence[str] = (),
    *,
    everything: bool = False,
    model: str | None = None,
    engine: str = "auto",
    out: Path | None = None,
    cluster: str | None = None,
    parts: Path | None = None,
) -> Report:
    """`jobs.estimate_maps`; of a survey, each galaxy is explained in its piece.

    cluster, parts: who computes the maps of everything, and through which folder, as of
    `elsewhere`.
    """
    with elsewhere(cluster, catalog, parts) as through:
        settings: dict[str, Any] = {"everything": everything, "model": model, "out": out}
        settings["through"] = through
        if not is_survey(catalog):
            return of_estimates.explain_estimates(catalog, names, engine=engine, **settings)
        return _estimates_over_pieces(catalog, names, engine, settings)


def _estimates_over_pieces(
    catalog: Path, names: Sequence[str], engine: str, settings: dict[str, Any]
) -> SurveyReport:
    everything, through = settings["everything"], settings["through"]
    pieces = Pieces.of(catalog)
    settings["out"] = settings["out"] or explanations_dir(catalog)
    if everything:
        engine = engine_for(pieces.sizes("imaged"), engine, through)
    settings["engine"] = engine
    explained = partial(of_estimates.explain_estimates, **settings)
    with loaded_once():
        if everything:
            return pieces.report(explained, "explaining", "imaged")
        where = galaxies_by_piece(catalog, [*pieces.standing], names)
        some = replace(pieces, paths=[path for path in pieces.paths if path in where])
        report = some.report(
            lambda path: of_estimates.explain_estimates(path, where[path], **settings),
            "explaining",
            "imaged",
        )
    return replace(report, pieces=len(pieces.paths))
