"""Parts of a job for the tasks of a job array, and their plan, by what a command says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.network.ensemble import predict_votes
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.survey.folder import check_one
from zoolens.jobs import explain, predict
from zoolens.jobs.compute import Make, compute, plan
from zoolens.jobs.pipeline import is_of_estimates
from zoolens.jobs.reports import Report
from zoolens.jobs.settings import Inference, Maps


def predict_part(
    catalog: Path,
    folder: Path,
    part: tuple[int, int] | None,
    asked: Mapping[str, Any],
    model: Sequence[str] = (),
    tree: str | None = None,
    inference: Inference = Inference(),
) -> Report:
    """Part k of N of the predictions of a catalogue, in a folder; without a part, their plan alone.

    The catalogue is opened only by whoever makes the plan. asked: settings that were named, which
    have to be those of the plan.
    """

    def make(into: Path) -> Plan | None:
        check_one(catalog)
        models = model or [predict.model_unless_named(catalog)]
        if not predict_votes(models):
            raise CatalogError(
                f"{models[0]} is no model of a decision tree, and parts can be computed of those "
                "alone; leave out --part and --out"
            )
        return predict.plan(catalog, into, models, inference, tree=tree)

    return _part("predict", folder, part, make, asked)


def explain_part(
    catalog: Path,
    folder: Path,
    part: tuple[int, int] | None,
    asked: Mapping[str, Any],
    maps: Maps = Maps(),
) -> Report:
    """As `predict_part`, of the maps of every galaxy."""

    def make(into: Path) -> Plan | None:
        check_one(catalog)
        if is_of_estimates(catalog, maps.models):
            raise CatalogError(
                "parts can be computed of maps of votes alone, not of what a classifier or "
                "regressor estimates; leave out --part and --out"
            )
        return explain.plan(catalog, into, maps)

    return _part("explain", folder, part, make, asked)


def _part(
    job: str,
    folder: Path,
    part: tuple[int, int] | None,
    make: Make,
    asked: Mapping[str, Any],
) -> Report:
    if part is None:
        return plan(job, folder, make, asked)
    return compute(job, folder, *part, make, asked)
