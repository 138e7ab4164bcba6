"""`adopt`: parts that a job array computed, taken into the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.parts.computing import OtherVersion
from zoolens.catalog.parts.files import remove_unfinished
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.parts.plans import Plans, numbers, read_plans
from zoolens.catalog.parts.recipe import COMMANDS, names_from, tree_from
from zoolens.catalog.parts.state import parts_asked_for
from zoolens.catalog.parts.taking_in import Terms, take_in
from zoolens.catalog.store.galaxies import galaxies_of_run
from zoolens.catalog.store.identity import identity_of
from zoolens.catalog.store.ingests import check_tree, settle_tree
from zoolens.catalog.store.outdated import MADE, clear_outdated
from zoolens.catalog.store.rejects import commonest_reason
from zoolens.catalog.store.store import Store, code_version
from zoolens.catalog.survey.folder import is_survey

# The job of the recipe of each job of a run.
JOBS = {
    "predict": "predict",
    "explain": "explain",
    "comparison": "explain",
    "estimate": "estimate",
    "estimate_maps": "estimate_maps",
}
_EXPLAINED = {"explain": "predictions", "estimate_maps": "estimates"}


@dataclass(frozen=True)
class AdoptReport:
    """What was taken in.

    job: whose parts they are; galaxies: that got rows now; total: by the run, earlier ones
    included; rejects: images refused now; renewed: galaxies that were left out, as they have
    another image by now; unknown: that are not in the catalogue any more; changed: False if all was
    adopted before. missing: cells of the plans that are not there; damaged: files among them.
    """

    job: str
    run_id: int
    galaxies: int
    total: int
    rejects: int
    renewed: int
    unknown: int
    changed: bool
    missing: tuple[int, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        return f"{self.galaxies:,} galaxies, {self.total:,} in all; {self.rejects:,} refused"

    @property
    def notes(self) -> tuple[str, ...]:
        said = []
        if self.renewed:
            said.append(
                f"{self.renewed:,} galaxies have another image by now, and were left out: do "
                f"zoolens {COMMANDS[self.job]}"
            )
        if self.unknown:
            said.append(
                f"{self.unknown:,} galaxies are not in the catalogue any more, and left out"
            )
        return tuple(said)


class PartsMissing(CatalogError):
    """Parts of a plan are not there yet; those that are have been adopted."""


def adopt_parts(catalog: Path, folder: Path) -> AdoptReport:
    """Take the part files of a folder into the catalogue that they were planned for.

    They become the run that `predict` or `explain` would have made, with the same rows, in the
    same order if all are there; each file is deleted once it is committed. Called again after it
    was interrupted, it goes on.

    Raises `CatalogError` for a folder without a plan, a plan of another catalogue or Zoolens, and
    if the catalogue is of another tree; `PartsMissing`, with the numbers of the parts, after what
    is there was adopted: the run then stays unfinished, until a later call brings the rest.
    """
    plans = plans_for(catalog, folder)
    done = adopt_some(catalog, plans, "")
    check_whole(plans, done)
    return done


def plans_for(catalog: Path, folder: Path) -> Plans:
    """What is planned in a folder. Raises `CatalogError` if that is not of such a catalogue."""
    plans = read_plans(folder)
    if plans is None:
        raise CatalogError(
            f"no plan in {folder}: it is made by zoolens predict, or explain --all, with --out"
        )
    if (plans.survey is not None) != is_survey(catalog):
        of = f"a survey, {plans.survey}" if plans.survey is not None else "one catalogue"
        what = "one catalogue" if plans.survey is not None else "a survey"
        raise CatalogError(
            f"{folder} was planned for {of}, and {catalog} is {what}; say which with --catalog"
        )
    return plans


def adopt_some(catalog: Path, plans: Plans, piece: str) -> AdoptReport:
    """Take in the part files of one piece, or of a catalogue whose `piece` has no name.

    Raises as `adopt_parts`, but those that are missing are told by the report.
    """
    (planned,) = (one for one in plans.planned if one.piece == piece)
    plan = plans.plan(planned)
    if JOBS.get(plan.run.job) != plan.job:
        raise CatalogError(f"{plan.folder} is planned for {plan.run.job[:40]}, which has no parts")
    if plan.code != code_version():
        raise OtherVersion(
            f"{plan.folder} was planned by Zoolens {plan.code}, and this is {code_version()}; "
            "install that one, or plan anew in another folder"
        )
    with Store.open(catalog) as store:
        _check_catalogue(store, plan)
        run_of, table = plan.run, MADE[plan.run.job][0]
        terms = _terms(store, plan)
        run = store.begin(
            run_of.job, run_of.config, model_sha256=run_of.model_sha256, origin=run_of.origin
        )
        renewed = clear_outdated(store, run)
        before = len(galaxies_of_run(store, run, table))
        taken = take_in(store, run, plan, terms)
        total = len(galaxies_of_run(store, run, table))
        galaxies, rejects, changed = total - before, taken.rows["reject"], False
        if not taken.missing:
            remove_unfinished(plan.folder)
            if not total:
                raise CatalogError(
                    f"no image could be used: {commonest_reason(store, run)}; the reasons: "
                    "zoolens sql 'FROM rejects'"
                )
            changed = store.conclude(run, added=galaxies + rejects + renewed > 0)
        missing = tuple(sorted(plans.numbered({piece: taken.missing})))
        return AdoptReport(
            *(plan.job, run.run_id, galaxies, total, rejects, taken.renewed, taken.unknown),
            changed,
            missing,
            tuple(taken.damaged),
        )


def _terms(store: Store, plan: Plan) -> Terms:
    """What rows of a plan may be of. Raises `CatalogError` if the catalogue has another tree."""
    if plan.job in ("estimate", "estimate_maps"):
        try:
            return Terms(names=names_from(plan.settings.get("names")))
        except TypeError:
            raise CatalogError(f"{plan.folder} does not say what is estimated; plan anew") from None
    tree = tree_from(plan.settings.get("tree"))
    if plan.job == "predict":
        settle_tree(store, tree)
    else:
        check_tree(store, tree)
    return Terms.of_tree(store.tree)


def _check_catalogue(store: Store, plan: Plan) -> None:
    """Raises `CatalogError` if the plan is of another catalogue, or of predictions it lacks."""
    planned = plan.run
    there = Path(planned.catalogue)
    other = there.exists() and not there.samefile(store.path)  # a copy of which it may be
    if other or identity_of(store) != planned.identity:
        raise CatalogError(
            f"{plan.folder} was planned for another catalogue, {planned.catalogue}, not "
            f"{store.path}; say which with --catalog"
        )
    if planned.made_from is not None:
        seen = identity_of(store, planned.starts_from)
        if seen != planned.made_from:
            what = _EXPLAINED.get(plan.job, "runs")
            raise CatalogError(
                f"{plan.folder} explains {what} that {store.path} does not have; it is "
                f"another copy of {planned.catalogue}: adopt into that"
            )


def check_whole(plans: Plans, done: AdoptReport, hindered: Sequence[str] = ()) -> None:
    """Raises `PartsMissing` if parts are not there; hindered: what else went wrong."""
    if not done.missing:
        return
    of = parts_asked_for(plans.folder) or plans.recommended
    cells = set(done.missing)
    parts = [number for number in range(1, of + 1) if not cells.isdisjoint(plans.part(number, of))]
    damaged = f"; damaged: {few([*done.damaged])}" if done.damaged else ""
    also = f"; not worked on: {few([*hindered])}" if hindered else ""
    listed = (
        f"parts {numbers(parts)} of {of} are" if len(parts) > 1 else f"part {parts[0]} of {of} is"
    )
    raise PartsMissing(
        f"adopted {done.galaxies:,} galaxies, {done.total:,} in all; {listed} not there, or not "
        f"whole{damaged}{also}; compute what is missing (zoolens {COMMANDS[done.job]} --part "
        f"{parts[0]}/{of} --out {plans.folder}), and adopt again"
    )
