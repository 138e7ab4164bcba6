"""A run filled by parts that are computed elsewhere: at once, or later by a plan."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.parts.cells import cells, read_cells
from zoolens.catalog.parts.computing import ByRecipe, ThroughFolder
from zoolens.catalog.parts.plan import Plan, PlannedRun, starts_from
from zoolens.catalog.parts.planning import write_plan
from zoolens.catalog.parts.recipe import Recipe
from zoolens.catalog.store.galaxies import galaxies_of_run, read_galaxies
from zoolens.catalog.store.identity import begun, code_version, identity_of
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.store import Run, Store

TOGETHER = 8  # parts that are committed at a time
_LOOKED_AT = 3  # galaxies whose images those who compute must see


def check_elsewhere(store: Store, recipe: Recipe, every: Ids, through: ThroughFolder) -> None:
    """Raises `CatalogError` if those who compute lack the models, or images of the galaxies."""
    through.check(recipe, read_galaxies(store, every[:_LOOKED_AT]))


def fill_from_parts(
    store: Store,
    run: Run,
    recipe: Recipe,
    every: Ids,
    waiting: Ids,
    through: ThroughFolder,
    describe: str,
) -> Counter[str]:
    """Commit the rows of waiting galaxies, some of `every`; how many, by table.

    The rows, and their order, are those of one process that does it all.
    """
    parts = read_cells(store, cells(every, waiting))
    return fill(
        store,
        run,
        (Part(galaxies, len(galaxies)) for galaxies in parts),
        ByRecipe(recipe),
        read=as_they_are,
        describe=describe,
        total=len(waiting),
        executor=through,
        together=TOGETHER,
        committed=lambda galaxies: through.committed(recipe, galaxies),
    )


def plan_run(
    store: Store,
    folder: Path,
    recipe: Recipe,
    every: Ids,
    *,
    job: str,
    config: Mapping[str, Any],
    model_sha256: str,
    origin: Mapping[str, Any],
) -> Plan | None:
    """Write the plan of the run that `Store.begin` would begin so; None if nothing waits.

    every: the galaxies that it is of. The catalogue is only read.
    """
    before, seen = begun(store, job, config, model_sha256), starts_from(config)
    done = np.empty(0, np.int64)
    if before is not None:
        done = galaxies_of_run(store, store.run(before), recipe.table)
    run = PlannedRun(
        str(store.path.resolve()),
        identity_of(store) or "",
        job,
        config,
        model_sha256,
        origin,
        None if seen is None else identity_of(store, seen),
    )
    waiting = np.setdiff1d(every, done)
    return write_plan(folder, recipe, code_version(), run, read_cells(store, cells(every, waiting)))
