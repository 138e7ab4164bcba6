"""A run filled by parts that are computed elsewhere."""

from collections import Counter

from zoolens.catalog.arrays import Ids
from zoolens.catalog.parts.cells import cells, read_cells
from zoolens.catalog.parts.computing import ByRecipe, ThroughFolder
from zoolens.catalog.parts.recipe import Recipe
from zoolens.catalog.store.galaxies import read_galaxies
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
