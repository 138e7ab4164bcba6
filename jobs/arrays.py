"""Parts of a job for the tasks of a job array, and their plan, by what a command says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.network.ensemble import predict_votes
from zoolens.catalog.network.model import loaded_once
from zoolens.catalog.parts.computing import unseen
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.parts.planning import remove_plan
from zoolens.catalog.parts.plans import Plans, read_plans, write_plans
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.survey.folder import is_survey, name_of_piece
from zoolens.jobs import estimate, estimate_maps, everywhere, explain, predict
from zoolens.jobs.compute import Make, compute, plan
from zoolens.jobs.pieces import Pieces
from zoolens.jobs.pipeline import is_of_estimates
from zoolens.jobs.reports import Report
from zoolens.jobs.settings import Inference, Maps

How = TypeVar("How", Inference, Maps)


def predict_part(
    catalog: Path,
    folder: Path,
    part: tuple[int, int] | None,
    asked: Mapping[str, Any],
    model: Sequence[str] = (),
    tree: str | None = None,
    inference: Inference = Inference(),
    names: Sequence[str] = (),
) -> Report:
    """Part k of N of what a model says of the galaxies of a catalogue, or of all of a survey.

    Without a part, their plan alone. Into a folder; the catalogue is opened only by whoever makes
    the plan. asked: settings that were named, which have to be those of the plan; names: of what a
    classifier or regressor estimates.
    """

    def make(into: Path) -> Plans | None:
        models = model or [everywhere.model_unless_named(catalog)]
        if not predict_votes(models):
            return _over_all(
                catalog,
                into,
                inference,
                lambda path, to, how: estimate.plan(path, to, models[0], how, names=names),
            )
        if names:
            raise CatalogError(
                "the model is of a decision tree, which names its answers: no --names"
            )
        named = tree or (Pieces.of(catalog).tree if is_survey(catalog) else None)
        return _over_all(
            catalog,
            into,
            inference,
            lambda path, to, how: predict.plan(path, to, models, how, tree=named),
        )

    return _part("predict", folder, part, make, asked)


def explain_part(
    catalog: Path,
    folder: Path,
    part: tuple[int, int] | None,
    asked: Mapping[str, Any],
    maps: Maps = Maps(),
) -> Report:
    """As `predict_part`, of the maps of every galaxy."""

    def make(into: Path) -> Plans | None:
        if not is_of_estimates(catalog, maps.models):
            return _over_all(catalog, into, maps, explain.plan)
        if maps.method not in (Maps.method, "hirescam") or maps.layer:
            raise CatalogError(
                "what a classifier or regressor estimates is explained by hirescam at the last "
                "block: leave out --method and --layer"
            )
        return _over_all(catalog, into, maps, estimate_maps.plan)

    return _part("explain --all", folder, part, make, asked)


def _part(
    command: str,
    folder: Path,
    part: tuple[int, int] | None,
    make: Make,
    asked: Mapping[str, Any],
) -> Report:
    if part is None:
        return plan(command, folder, make, asked)
    return compute(command, folder, *part, make, asked)


def _over_all(
    catalog: Path, into: Path, how: How, plan_one: Callable[[Path, Path, How], Plan | None]
) -> Plans | None:
    """Plan one catalogue, or all pieces of a survey, for one engine; None if nothing waits.

    Raises what planning raises, of a survey as `Pieces.done`: then none of it is planned.
    """
    if not is_survey(catalog):
        plan_one(catalog, into, how)
        return read_plans(into)
    pieces = Pieces.of(catalog)
    agreed = unseen(how.engine)(partial(everywhere.engine_for, pieces.sizes("imaged"), how.engine))
    alike = replace(how, engine=agreed)
    made = dict[str, Plan]()

    def of_piece(path: Path) -> None:
        name = name_of_piece(path)
        make_folder(into / name)
        planned = plan_one(path, into / name, alike)
        if planned is not None:
            made[name] = planned

    try:
        with loaded_once():
            pieces.all_done(of_piece, "planning", "imaged")
        return write_plans(into, catalog, made)
    except BaseException:
        for one in made.values():
            remove_plan(one)
        raise
