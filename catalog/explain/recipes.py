"""Recipes of every job that others may compute parts of, from what a file says."""

from collections.abc import Mapping
from typing import Any

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.recipe import COMMANDS, Recipe
from zoolens.catalog.predictions.recipe import EstimateRecipe, PredictRecipe


def recipe_from(job: str, settings: Mapping[str, Any]) -> Recipe:
    """The recipe of a job with its `settings`. Raises `CatalogError` if that is none."""
    if job not in COMMANDS:
        raise CatalogError(f"no parts can be computed of {job[:40]!r}: it is no job of Zoolens")
    try:
        if job == "predict":
            return PredictRecipe.from_settings(settings)
        if job == "estimate":
            return EstimateRecipe.from_settings(settings)
        from zoolens.catalog.explain import recipe  # which takes a second to load

        if job == "explain":
            return recipe.MapRecipe.from_settings(settings)
        return recipe.EstimateMapRecipe.from_settings(settings)
    except (KeyError, TypeError, ValueError, AttributeError, CatalogError) as error:
        raise CatalogError(f"these are no settings of {job}: {str(error)[:80]}") from None
