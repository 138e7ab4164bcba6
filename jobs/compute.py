"""`predict --part`, `explain --part`: part of a plan, by a task of a job array."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.recipes import recipe_from
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.parts.computing import compute_part, facts_of
from zoolens.catalog.parts.files import Facts, part_path, read_part
from zoolens.catalog.parts.plan import Cell, Plan
from zoolens.catalog.parts.planning import one_at_a_time
from zoolens.catalog.parts.plans import Plans, read_plans, remove_plans
from zoolens.catalog.parts.recipe import COMMANDS, Recipe
from zoolens.catalog.parts.state import adopted, note_parts
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.runtime.progress import Bar, progress
from zoolens.jobs.planned import check_same

Make = Callable[[Path], Plans | None]  # plans into a folder, unless nothing waits


@dataclass(frozen=True)
class PlanReport:
    """What is planned in a folder.

    galaxies: that wait; parts: the most that they can be cut into; recommended: how many are
    sensible; adopted: parts of the most that are in the catalogue already.
    """

    run_id: ClassVar[None] = None
    job: str
    folder: Path
    galaxies: int
    parts: int
    recommended: int
    adopted: int
    changed: bool

    @property
    def summary(self) -> str:
        if not self.galaxies:
            return "no galaxy waits: there is nothing to compute"
        of = f", of which {self.adopted:,} are adopted" if self.adopted else ""
        return (
            f"{self.galaxies:,} galaxies wait, to be cut into at most {self.parts:,} parts{of}; "
            f"{self.recommended:,} would do"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.galaxies:
            return ()
        return (
            f"compute each: zoolens {COMMANDS[self.job]} --part 1/{self.recommended} "
            f"--out {self.folder}; then: zoolens adopt {self.folder}",
        )


@dataclass(frozen=True)
class ComputeReport:
    """What a task did: part `number` of `of`.

    computed: galaxies of part files made now; total: of the part; rejects: images refused among
    those computed now; adopted: galaxies of the part that are in the catalogue already; most: the
    most parts that have a galaxy.
    """

    run_id: ClassVar[None] = None
    job: str
    number: int
    of: int
    computed: int
    total: int
    rejects: int
    adopted: int
    most: int

    @property
    def changed(self) -> bool:
        return self.computed > 0

    @property
    def summary(self) -> str:
        said = f"part {self.number} of {self.of}: {self.computed:,} galaxies, {self.total:,} in all"
        said += f", {self.adopted:,} of them adopted" if self.adopted else ""
        return f"{said}; {self.rejects:,} refused"

    @property
    def notes(self) -> tuple[str, ...]:
        if self.computed and self.rejects >= self.computed:
            return ("every image was refused: are they seen on this machine?",)
        if not self.total and self.most:
            return (f"the plan can be cut into {self.most:,} parts at most: this one is empty",)
        return ()


def plan(command: str, folder: Path, make: Make, asked: Mapping[str, Any]) -> PlanReport:
    """Plan what waits, in a folder that is created; or tell what is planned there already.

    A plan that is adopted as a whole gives way to a new one. command: one of `COMMANDS`; asked:
    settings that were named, as for `compute`. Raises what `make` raises, and `CatalogError` if
    the folder holds another plan.
    """
    made, is_new = _planned(folder, make, renew=True)
    if made is None:
        return PlanReport(command.split()[0], folder, 0, 0, 0, 0, changed=False)
    for one in made.every():
        check_same(one, command, {} if is_new else asked)
    return PlanReport(
        one.job, folder, made.galaxies, made.cells, made.recommended, made.adopted(), is_new
    )


def compute(
    command: str,
    folder: Path,
    number: int,
    of: int,
    make: Make,
    asked: Mapping[str, Any] = {},
) -> ComputeReport:
    """Compute part `number` of `of` of the plan in a folder, which is made if there is none.

    What is computed already, or adopted, is left alone, so that the same call goes on where a
    killed one stopped; `of` may be another number then. command: one of `COMMANDS`. asked: settings
    that were named, by option; the others are as planned. The rows of a part are the same whoever
    computes it.

    Raises what `make` raises, `CatalogError` for a plan of another Zoolens or of other settings,
    if the images are not to be seen from here, or the folder takes no files, and `ModelRefused`
    for a model that is not the one that was planned.
    """
    made, is_new = _planned(folder, make, renew=False)
    if made is None:
        return ComputeReport(command.split()[0], number, of, 0, 0, 0, 0, 0)
    part = made.part(number, of)
    mine = [*made.within(part)] or [*made.within(range(1))]
    for one, _ in mine:
        check_same(one, command, {} if is_new else asked)
    note_parts(folder, of)
    done = ComputeReport(mine[0][0].job, number, of, 0, 0, 0, 0, made.cells)
    if part:
        about = sum(one.about(cells) for one, cells in mine)
        with progress(f"part {number} of {of}", about) as bar:
            for one, cells in mine:
                done = _compute(one, cells, done, bar)
    return done


def _compute(plan: Plan, wanted: range, before: ComputeReport, bar: Bar) -> ComputeReport:
    """Compute cells of a plan; what was done before, and now."""
    recipe = recipe_from(plan.job, plan.settings)
    known, facts = adopted(plan), facts_of(recipe)
    counted = Counter(total=before.total, adopted=before.adopted)

    def waiting() -> Iterator[Cell]:
        for block in plan.read(wanted):
            _check_seen([galaxy for cell, part in block for galaxy in part if cell not in known])
            for cell, galaxies in block:
                counted["total"] += len(galaxies)
                if cell in known:
                    counted["adopted"] += len(galaxies)
                    bar.advance(len(galaxies))
                else:
                    yield cell, galaxies

    computed, rejects = before.computed, before.rejects
    work = partial(_computed, recipe, facts, plan.folder)
    for galaxies, refused in torch_in_order(work, waiting()):
        computed += galaxies if refused is not None else 0
        rejects += refused or 0
        bar.advance(galaxies)
    return replace(
        before,
        computed=computed,
        total=counted["total"],
        rejects=rejects,
        adopted=counted["adopted"],
    )


def _computed(recipe: Recipe, facts: Facts, folder: Path, cell: Cell) -> tuple[int, int | None]:
    """Compute a cell; how many galaxies it has, and how many were refused; None: it was there."""
    galaxies = cell[1]
    path = part_path(folder, facts.recipe, galaxies)
    before = path.stat().st_mtime_ns if path.exists() else None
    try:
        compute_part(recipe, facts, folder, galaxies)
        if path.stat().st_mtime_ns == before:
            return len(galaxies), None
        refused = read_part(path).tables.get("reject")
    except OSError as error:
        raise CatalogError(
            f"{folder} could not be written: {error.strerror or error}; make room, and give the "
            "same command again"
        ) from None
    return len(galaxies), 0 if refused is None else len(refused)


def _planned(folder: Path, make: Make, *, renew: bool) -> tuple[Plans | None, bool]:
    """What is planned in a folder, and whether that was done now."""
    make_folder(folder)
    found = read_plans(folder)
    if found is None or (renew and found.adopted() == found.cells):
        with one_at_a_time(folder):
            found = read_plans(folder)  # of whoever was first
            if found is not None and renew and found.adopted() == found.cells:
                remove_plans(found)
                found = None
            if found is None:
                return make(folder), True
    return found, False


def _check_seen(galaxies: list[Galaxy]) -> None:
    """Raises `CatalogError` if folders of images are not there at all, as on another machine."""
    for folder in sorted({Path(galaxy.source).parent for galaxy in galaxies}):
        if not folder.is_dir():
            raise CatalogError(
                f"{folder}, where images of the plan are, is not to be seen from this machine; "
                "mount it here under that name"
            )
