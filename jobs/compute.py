"""`predict --part`, `explain --part`: part of a plan, by a task of a job array."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.recipes import recipe_from
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.view import View
from zoolens.catalog.network.bundled import BUNDLED, name_of
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import path_of
from zoolens.catalog.parts.computing import OtherVersion, compute_part, facts_of
from zoolens.catalog.parts.files import Facts, part_path, read_part
from zoolens.catalog.parts.plan import Cell, Plan, read_plan
from zoolens.catalog.parts.planning import one_at_a_time, remove_plan
from zoolens.catalog.parts.recipe import Recipe
from zoolens.catalog.parts.state import adopted, note_parts
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.store.store import code_version

Make = Callable[[Path], Plan | None]  # writes a plan into a folder, unless nothing waits


@dataclass(frozen=True)
class PlanReport:
    """What is planned in a folder.

    galaxies: that wait; parts: the most that ; recommended: how many are
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
        what = "explain --all" if self.job == "explain" else self.job
        return (
            f"compute each: zoolens {what} --part 1/{self.recommended} --out {self.folder}; "
            f"then: zoolens adopt {self.folder}",
        )


@dataclass(frozen=True)
class ComputeReport:
    """What a task did: part `number` of `of`.

    computed: galaxies of part files made now; total: of the part; rejects: images refused among
    those computed now; adopted: galaxies of the part that are in the catalogue already.
    """

    run_id: ClassVar[None] = None
    job: str
    number: int
    of: int
    computed: int
    total: int
    rejects: int
    adopted: int

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
        return ()


def plan(job: str, folder: Path, make: Make, asked: Mapping[str, Any]) -> PlanReport:
    """Plan what waits, in a folder that is created; or tell what is planned there already.

    A plan that is adopted as a whole gives way to a new one. asked: settings that were named, as
    for `compute`. Raises what `make` raises, and `CatalogError` if the folder holds another plan.
    """
    made, is_new = _planned(job, folder, make, asked, renew=True)
    if made is None:
        return PlanReport(job, folder, 0, 0, 0, 0, changed=False)
    done = len(adopted(made))
    return PlanReport(job, folder, made.galaxies, made.cells, made.recommended, done, is_new)


def compute(
    job: str,
    folder: Path,
    number: int,
    of: int,
    make: Make,
    asked: Mapping[str, Any] = {},
) -> ComputeReport:
    """Compute part `number` of `of` of the plan in a folder, which is made if there is none.

    What is computed already, or adopted, is left alone, so that the same call goes on where a
    killed one stopped; `of` may be another number then. asked: settings that were named, by option;
    the others are as planned. The rows of a part are the same whoever computes it.

    Raises what `make` raises, `CatalogError` for a plan of another Zoolens or of other settings,
    if the images are not to be seen from here, or the folder takes no files, and `ModelRefused`
    for a model that is not the one that was planned.
    """
    made, _ = _planned(job, folder, make, asked, renew=False)
    if made is None:
        return ComputeReport(job, number, of, 0, 0, 0, 0)
    recipe = recipe_from(made.job, made.settings)
    note_parts(folder, of)
    known, facts = adopted(made), facts_of(recipe)
    mine = made.part(number, of)
    counted = {"total": 0, "adopted": 0}

    def waiting() -> Iterator[Cell]:
        for block in made.read(mine):
            _check_seen([galaxy for cell, part in block for galaxy in part if cell not in known])
            for cell, galaxies in block:
                counted["total"] += len(galaxies)
                if cell in known:
                    counted["adopted"] += len(galaxies)
                    bar.advance(len(galaxies))
                else:
                    yield cell, galaxies

    computed = rejects = 0
    with progress(f"part {number} of {of}", made.about(mine)) as bar:
        for galaxies, refused in torch_in_order(
            partial(_computed, recipe, facts, folder), waiting()
        ):
            computed += galaxies if refused is not None else 0
            rejects += refused or 0
            bar.advance(galaxies)
    return ComputeReport(job, number, of, computed, counted["total"], rejects, counted["adopted"])


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


def _planned(
    job: str, folder: Path, make: Make, asked: Mapping[str, Any], *, renew: bool
) -> tuple[Plan | None, bool]:
    """The plan in a folder, and whether it was made now."""
    make_folder(folder)
    found = read_plan(folder)
    if found is None or (renew and len(adopted(found)) == found.cells):
        with one_at_a_time(folder):
            found = read_plan(folder)  # of whoever was first
            if found is not None and renew and len(adopted(found)) == found.cells:
                remove_plan(found)
                found = None
            if found is None:
                return make(folder), True
    check_same(found, job, asked)
    return found, False


def check_same(found: Plan, job: str, asked: Mapping[str, Any]) -> None:
    """Raises `CatalogError` if a plan is of another job, Zoolens or settings than are asked for."""
    folder = found.folder
    if found.code != code_version():
        raise OtherVersion(
            f"{folder} was planned by Zoolens {found.code}, and this is {code_version()}; install "
            "that one, or plan anew in another folder"
        )
    if found.job != job:
        raise CatalogError(f"{folder} is planned for {found.job}, not {job}; choose another folder")
    planned = _options(found.settings)
    for name, value in asked.items():
        if name not in planned or (name == "engine" and value == "auto"):
            continue
        if name == "model":
            value = _sources(value, planned["model"])
        if planned[name] != value:
            raise CatalogError(
                f"{folder} is planned with --{name.replace('_', '-')} {_said(planned[name])}, not "
                f"{_said(value)}; leave that out, or plan anew in another folder"
            )


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a recipe by the names of options, those that have an effect."""
    models = settings["models"]
    view = View.from_config(models[0]["view"])
    without = {"models", "tree", "batch_size", *([] if settings["samples"] else ["seed"])}
    return {
        **{name: value for name, value in settings.items() if name not in without},
        "model": [model["source"] for model in models],
        "view": view.name,
        "size": view.size,
        "zoom": view.zoom,
        **({} if view.greyscale else {"grey_as_colour": view.grey_as_colour}),
    }


def _sources(named: list[str], planned: list[str]) -> list[str]:
    if named == [BUNDLED] and len(planned) == 1 and name_of(planned[0]):
        return planned
    return [source if source == BUNDLED else path_of(source) for source in named]


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _check_seen(galaxies: list[Galaxy]) -> None:
    """Raises `CatalogError` if folders of images are not there at all, as on another machine."""
    for folder in sorted({Path(galaxy.source).parent for galaxy in galaxies}):
        if not folder.is_dir():
            raise CatalogError(
                f"{folder}, where images of the plan are, is not to be seen from this machine; "
                "mount it here under that name"
            )
