"""`adopt`: parts that a job array computed, taken into the catalogue."""

from dataclasses import dataclass
from pathlib import Path

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.parts.computing import OtherVersion
from zoolens.catalog.parts.files import remove_unfinished
from zoolens.catalog.parts.plan import Plan, numbers, read_plan
from zoolens.catalog.parts.recipe import tree_from
from zoolens.catalog.parts.state import parts_asked_for
from zoolens.catalog.parts.taking_in import Taken, take_in
from zoolens.catalog.store.galaxies import galaxies_of_run
from zoolens.catalog.store.identity import identity_of
from zoolens.catalog.store.ingests import check_tree, settle_tree
from zoolens.catalog.store.outdated import MADE, clear_outdated
from zoolens.catalog.store.rejects import commonest_reason
from zoolens.catalog.store.store import Store, code_version
from zoolens.catalog.survey.folder import check_one

# The job of the recipe of each job of a run.
JOBS = {"predict": "predict", "explain": "explain", "comparison": "explain"}


@dataclass(frozen=True)
class AdoptReport:
    """What was taken in.

    job: whose parts they are; galaxies: that got rows now; total: by the run, earlier ones
    included; rejects: images refused now; notes: what was left out, one sentence each; changed:
    False if all was adopted before.
    """

    job: str
    run_id: int
    galaxies: int
    total: int
    rejects: int
    notes: tuple[str, ...]
    changed: bool

    @property
    def summary(self) -> str:
        return f"{self.galaxies:,} galaxies, {self.total:,} in all; {self.rejects:,} refused"


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
    check_one(catalog)
    plan = read_plan(folder)
    if plan is None:
        raise CatalogError(
            f"no plan in {folder}: it is made by zoolens predict, or explain --all, with --out"
        )
    if JOBS.get(plan.run.job) != plan.job:
        raise CatalogError(f"{folder} is planned for {plan.run.job[:40]}, which has no parts")
    if plan.code != code_version():
        raise OtherVersion(
            f"{folder} was planned by Zoolens {plan.code}, and this is {code_version()}; install "
            "that one, or plan anew in another folder"
        )
    tree = tree_from(plan.settings.get("tree"))
    with Store.open(catalog) as store:
        _check_catalogue(store, plan)
        planned, table = plan.run, MADE[plan.run.job][0]
        if plan.job == "predict":
            settle_tree(store, tree)
        else:
            check_tree(store, tree)
        run = store.begin(
            planned.job, planned.config, model_sha256=planned.model_sha256, origin=planned.origin
        )
        renewed = clear_outdated(store, run)
        before = len(galaxies_of_run(store, run, table))
        taken = take_in(store, run, plan, store.tree)
        total = len(galaxies_of_run(store, run, table))
        galaxies, rejects = total - before, taken.rows["reject"]
        if taken.missing:
            raise PartsMissing(_missing(plan, taken, galaxies, total))
        remove_unfinished(folder)
        if not total:
            raise CatalogError(
                f"no image could be used: {commonest_reason(store, run)}; the reasons: "
                "zoolens sql 'FROM rejects'"
            )
        changed = store.conclude(run, added=galaxies + rejects + renewed > 0)
        notes = tuple(_notes(taken, plan.job))
        return AdoptReport(plan.job, run.run_id, galaxies, total, rejects, notes, changed)


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
        seen = identity_of(store, planned.config.get("predict_run"))
        if seen != planned.made_from:
            raise CatalogError(
                f"{plan.folder} explains predictions that {store.path} does not have; it is "
                f"another copy of {planned.catalogue}: adopt into that"
            )


def _missing(plan: Plan, taken: Taken, galaxies: int, total: int) -> str:
    of = parts_asked_for(plan.folder) or plan.recommended
    cells = set(taken.missing)
    parts = [number for number in range(1, of + 1) if not cells.isdisjoint(plan.part(number, of))]
    what = "explain --all" if plan.job == "explain" else plan.job
    damaged = f"; damaged: {few(taken.damaged)}" if taken.damaged else ""
    listed = (
        f"parts {numbers(parts)} of {of} are" if len(parts) > 1 else f"part {parts[0]} of {of} is"
    )
    return (
        f"adopted {galaxies:,} galaxies, {total:,} in all; {listed} not there, or not whole"
        f"{damaged}; compute what is missing (zoolens {what} --part {parts[0]}/{of} --out "
        f"{plan.folder}), and adopt again"
    )


def _notes(taken: Taken, job: str) -> list[str]:
    what = "explain --all" if job == "explain" else job
    said = []
    if taken.renewed:
        said.append(
            f"{taken.renewed:,} galaxies have another image by now, and were left out: do "
            f"zoolens {what}"
        )
    if taken.unknown:
        said.append(f"{taken.unknown:,} galaxies are not in the catalogue any more, and left out")
    return said
