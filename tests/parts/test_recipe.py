"""Recipes go to other processes, and come back from files, as they were."""

import json
import pickle
from typing import Any

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.recipe import EstimateMapRecipe, MapRecipe
from zoolens.catalog.images.view import View
from zoolens.catalog.parts.recipe import digest, tree_from, tree_settings
from zoolens.catalog.predictions.recipe import EstimateRecipe, ModelFile, PredictRecipe
from zoolens.catalog.trees.published import TREE_NAMES, get_tree

MODELS = tuple(ModelFile(f"{i}.ckpt", f"{i:064x}", View("minimal", 64 + i)) for i in range(2))
TREE = get_tree("gzd5")
RECIPES: list[Any] = [
    PredictRecipe(MODELS, TREE, 30, 1, "torch", "float32", 4),
    MapRecipe(MODELS, TREE, 30, 1, "deeplift", None, "torch", 1),
    MapRecipe(MODELS, TREE, 30, 1, "hirescam", ("blocks.3", "layer4"), "torch", 1),
    MapRecipe(MODELS[:1], TREE, 30, 1, "gradcam", "layer4", "torch", 1),
    EstimateRecipe(MODELS[0], ("ring", "disc"), 30, 1, "torch", "bfloat16"),
    EstimateMapRecipe(MODELS[0], ("ring", "disc"), 30, 1, "torch"),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.job)
def test_a_recipe_travels(recipe: Any) -> None:
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    read = json.loads(json.dumps(recipe.settings()))
    again = type(recipe).from_settings(read)
    assert again == recipe
    assert digest(again) == digest(recipe)


def test_recipes_that_differ_are_told_apart() -> None:
    assert len({digest(recipe) for recipe in RECIPES}) == len(RECIPES)


@pytest.mark.parametrize("name", TREE_NAMES)
def test_every_tree_comes_back(name: str) -> None:
    tree = get_tree(name)
    assert tree_from(json.loads(json.dumps(tree_settings(tree)))) == tree


@pytest.mark.parametrize(
    "settings",
    [None, {}, {"name": "a"}, {"name": 1, "questions": []}, {"name": "a", "questions": [["q"]]}],
)
def test_what_is_no_tree_is_refused(settings: object) -> None:
    with pytest.raises(CatalogError, match="is no decision tree"):
        tree_from(settings)
