"""Recipes of every job that others may compute parts of, from what a file says."""

from collections.abc import Mapping
from typing import Any

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.recipe import MapRecipe
from zoolens.catalog.predictions.recipe import PredictRecipe

_RECIPES: dict[str, type[PredictRecipe] | type[MapRecipe]] = {
    recipe.job: recipe for recipe in (PredictRecipe, MapRecipe)
}


def recipe_from(job: str, settings: Mapping[str, Any]) -> PredictRecipe | MapRecipe:
    """The recipe of a job with its `settings`. Raises `CatalogError` if that is none."""
    if job not in _RECIPES:
        raise CatalogError(f"no parts can be computed of {job[:40]!r}: it is no job of Zoolens")
    try:
        return _RECIPES[job].from_settings(settings)
    except (KeyError, TypeError, ValueError, AttributeError, CatalogError) as error:
        raise CatalogError(f"these are no settings of {job}: {str(error)[:80]}") from None
