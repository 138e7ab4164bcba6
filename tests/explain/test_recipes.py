"""Recipes from what a file says."""

from typing import Any

import pytest

from tests.parts.test_recipe import RECIPES
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.recipes import recipe_from

ESTIMATED = next(one for one in RECIPES if one.job == "estimate").settings()


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.job)
def test_every_job_has_its_recipe(recipe: Any) -> None:
    assert recipe_from(recipe.job, recipe.settings()) == recipe


@pytest.mark.parametrize(
    ("job", "settings"),
    [
        *(
            ("ingest", {}),
            ("predict", {}),
            ("explain", {"models": 3}),
            ("predict", {"models": [[]]}),
        ),
        ("estimate", {**ESTIMATED, "names": "abc"}),
        ("estimate", {**ESTIMATED, "names": []}),
        ("estimate_maps", {**ESTIMATED, "model": [ESTIMATED["model"]] * 2}),
    ],
)
def test_others_are_refused(job: str, settings: Any) -> None:
    with pytest.raises(CatalogError, match=r"is no job of Zoolens|are no settings of"):
        recipe_from(job, settings)


def test_settings_of_another_type_are_refused() -> None:
    settings = {**RECIPES[0].settings(), "samples": "many"}
    with pytest.raises(CatalogError, match="are no settings of predict"):
        recipe_from("predict", settings)
