"""`estimate`: images through a classifier or regressor into probabilities or values."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.errors import NothingHere, few
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.engines import check_precision, choose_engine
from zoolens.catalog.network.ensemble import Member, load_estimator, origin_of
from zoolens.catalog.network.model import check_draw
from zoolens.catalog.network.orientations import check_upright
from zoolens.catalog.parts.computing import Agreed, ThroughFolder, as_here, unseen
from zoolens.catalog.parts.filling import check_elsewhere, fill_from_parts, plan_run
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.predictions.from_images import fill_from_images
from zoolens.catalog.predictions.recipe import EstimateRecipe, ModelFile
from zoolens.catalog.store.galaxies import galaxies_of_run, galaxies_with_image
from zoolens.catalog.store.outdated import clear_outdated
from zoolens.catalog.store.store import Store
from zoolens.jobs.reports import InNotebook
from zoolens.jobs.settings import Inference


@dataclass(frozen=True)
class EstimateReport(InNotebook):
    """What a run of a classifier or regressor did.

    galaxies: estimated now; total: by the run, earlier ones included; rejects: images refused
    now; names: of what is estimated; target: the column that the model was trained to predict,
    if its file says so; changed: False if the same run was complete and shown before. hides: the
    run of another model that showed before, and what it estimated.
    """

    job: ClassVar[str] = "estimate"
    run_id: int
    galaxies: int
    total: int
    rejects: int
    names: tuple[str, ...]
    target: str | None
    changed: bool
    hides: tuple[int, tuple[str, ...]] | None = None

    @property
    def summary(self) -> str:
        done = f"{self.galaxies:,} galaxies, {self.total:,} in all; {self.rejects:,} refused"
        again = self.changed and not self.galaxies and not self.rejects
        return done + ("; its estimates show again" if again else "")

    @property
    def notes(self) -> tuple[str, ...]:
        named = few(list(self.names))
        of = f"the model's own column for it is {self.target}" if self.target else ""
        said = f"estimated: {named}; they are in the view estimates" + (f"; {of}" if of else "")
        if self.hides is None:
            return (said,)
        run, names = self.hides
        return (said, f"run {run} ({few(list(names))}) shows no more: it is in history.estimates")


def estimate(
    catalog: Path,
    model: str,
    inference: Inference = Inference(),
    *,
    names: Sequence[str] = (),
    batch_size: int = 32,
    through: ThroughFolder | None = None,
) -> EstimateReport:
    """What a classifier or regressor says of every galaxy with an image.

    model: checkpoint or hub name of Zoobot's `FinetuneableZoobotClassifier` or `…Regressor`
    (`catalog.network.model.load_model`). inference: as for `predict`, whose dropout samples these
    are too. names: what to call the classes, or the value, in the model's order; unless
    given, as its file calls them. through: where parts are computed, if not here. Needs no votes
    and no tree. Galaxies that the run has estimated before are left alone, as `predict` does.

    Raises `ModelRefused` for the model or names, and `CatalogError` if no galaxy has a usable
    image or the settings do not suit the model.
    """
    with Store.open(catalog) as store, ImageReader() as reader:
        agreed = through.agreed if through else as_here
        work = _work(store, model, inference, names, agreed, batch_size)
        imaged, recipe, loaded = work.imaged, work.recipe, work.member.model
        if through:
            check_elsewhere(store, recipe, imaged, through)
        before = store.shown_run("estimate")
        run = store.begin(**work.as_run)
        renewed = clear_outdated(store, run)
        waiting = np.setdiff1d(imaged, galaxies_of_run(store, run, "estimate"))
        filled = (
            fill_from_parts(store, run, recipe, imaged, waiting, through, "estimating")
            if through
            else fill_from_images(
                store,
                run,
                imaged,
                waiting,
                lambda: recipe.with_member(work.member, reader),
                batch_size,
                "estimating",
            )
        )
        galaxies, rejects = filled["estimate"] // len(loaded.labels), filled["reject"]
        total = len(galaxies_of_run(store, run, "estimate"))
        if not total:
            raise NothingHere("no image could be used; the reasons: zoolens sql 'FROM rejects'")
        changed = store.conclude(run, added=galaxies + rejects + renewed > 0)
        hides = None
        if before is not None and before.run_id != run.run_id:
            hides = before.run_id, tuple(before.config["names"])
        return EstimateReport(
            run.run_id, galaxies, total, rejects, loaded.labels, loaded.target, changed, hides
        )


def plan(
    catalog: Path,
    folder: Path,
    model: str,
    inference: Inference = Inference(),
    *,
    names: Sequence[str] = (),
) -> Plan | None:
    """Write the plan of what `estimate` would compute into a folder; None if nothing waits.

    The catalogue is only read, and an engine cuda needs no GPU here. Raises as `estimate` does.
    """
    with Store.open(catalog, read_only=True) as store:
        work = _work(store, model, inference, names, unseen(inference.engine))
        return plan_run(store, folder, work.recipe, work.imaged, **work.as_run)


@dataclass(frozen=True)
class _Work:
    """What a call is to do: of the galaxies with an image, how, and as which run."""

    imaged: Ids
    member: Member
    recipe: EstimateRecipe
    config: dict[str, Any]

    @property
    def as_run(self) -> dict[str, Any]:
        """What `Store.begin` takes."""
        return {
            "job": "estimate",
            "config": self.config,
            "model_sha256": self.member.model.sha256,
            "origin": {**origin_of([self.member]), "engine": self.recipe.engine},
        }


def _work(
    store: Store,
    model: str,
    inference: Inference,
    names: Sequence[str],
    agreed: Agreed,
    batch_size: int = 32,
) -> _Work:
    """agreed: the engine of those who compute, if what is best here could be another."""
    _check_settings(inference)
    imaged = galaxies_with_image(store)
    if not len(imaged):
        raise NothingHere(
            f"no galaxy of {store.path} has an image; add them with: zoolens ingest --images FOLDER"
        )
    engine = agreed(partial(choose_engine, inference.engine, len(imaged)))
    member = load_estimator(model, inference.view, inference.grey_as_colour, names)
    recipe = EstimateRecipe(
        ModelFile.of(member),
        member.model.labels,
        inference.samples,
        inference.seed if inference.samples else 0,  # nothing is drawn: any seed is the same run
        engine,
        inference.precision,
        batch_size,
    )
    config = {
        "samples": recipe.samples,
        "seed": recipe.seed,
        "view": member.view.config(),
        "output": member.model.output,
        "names": list(recipe.names),
        "target": member.model.target,
    }
    if recipe.precision != "float32":
        config["precision"] = recipe.precision
    return _Work(imaged, member, recipe, config)


def check(model: str, inference: Inference) -> None:
    """Raises as `estimate` does for its settings, and a model that does not suit them."""
    _check_settings(inference)
    load_estimator(model, inference.view, inference.grey_as_colour)


def _check_settings(inference: Inference) -> None:
    check_draw(inference.samples, inference.seed)
    check_precision(inference.precision)
    check_upright(inference.orientations)
