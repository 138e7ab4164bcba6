"""What is asked for is what was planned, or is refused."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.test_compute import not_again
from tests.jobs.test_compute import parts as parts
from tests.made.job_arrays import World
from tests.made.job_arrays import world as world
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.view import View
from zoolens.catalog.parts.files import part_files
from zoolens.catalog.parts.plan import Plan, PlannedRun, read_plan
from zoolens.catalog.predictions.recipe import EstimateRecipe, ModelFile
from zoolens.catalog.store.store import code_version
from zoolens.jobs.compute import compute, plan
from zoolens.jobs.planned import check_same

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"samples": 4}, "with --samples 3, not 4"),
        ({"seed": 6}, "with --seed 5, not 6"),
        ({"size": 128}, "with --size 64, not 128"),
        ({"precision": "bfloat16"}, "with --precision float32, not bfloat16"),
        ({"engine": "cuda"}, "with --engine torch, not cuda"),
        ({"grey_as_colour": True}, "with --grey-as-colour False, not True"),
        ({"model": ["bundled"]}, "small.ckpt, not bundled"),
        ({"model": ["a.ckpt", "b.ckpt"]}, "b.ckpt; leave that out"),
    ],
)
def test_other_settings_are_refused(parts: Path, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(CatalogError, match=said):
        compute("predict", parts, 1, 3, not_again, asked)
    with pytest.raises(CatalogError, match="plan anew in another folder"):
        plan("predict", parts, not_again, asked)
    assert part_files(parts) == []


def test_the_same_settings_are_not(parts: Path, world: World) -> None:
    found = read_plan(parts)
    assert found is not None
    named = os.path.relpath(world.model)
    asked = {"model": [named], "samples": 3, "engine": "auto", "size": 64, "catalog": "x"}
    check_same(found, "predict", asked)
    with pytest.raises(CatalogError, match="is planned for predict, not explain --all"):
        check_same(found, "explain --all", {})
    with pytest.raises(CatalogError, match=r"was planned by Zoolens 0\.0\.1, and this is "):
        check_same(replace(found, code="0.0.1"), "predict", {})


ESTIMATES = EstimateRecipe(
    ModelFile("ring.ckpt", "a" * 64, View("minimal", 64)),
    ("ring", "disc"),
    3,
    5,
    "torch",
    "float32",
)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"names": ["ring", "other"]}, "with --names ring, disc, not ring, other"),
        ({"orientations": 4}, "with --orientations 1, not 4"),
        ({"samples": 4}, "with --samples 3, not 4"),
        ({"names": ["ring", "disc"], "orientations": 1, "seed": 5}, None),
    ],
)
def test_of_estimates_too(tmp_path: Path, asked: dict[str, Any], said: str | None) -> None:
    run = PlannedRun("gz.duckdb", "i", "estimate", {}, "m", {}, None)
    found = Plan(
        tmp_path, "s", "estimate", ESTIMATES.settings(), code_version(), run, "x.blocks", ()
    )
    if said is None:
        check_same(found, "predict", asked)
        return
    with pytest.raises(CatalogError, match=said):
        check_same(found, "predict", asked)


def test_settings_of_other_models_are_refused(parts: Path, tmp_path: Path) -> None:
    found = read_plan(parts)
    assert found is not None
    with pytest.raises(CatalogError, match="is planned without --names; leave that out"):
        check_same(found, "predict", {"names": ["ring"]})
    maps = replace(found, job="estimate_maps", settings=ESTIMATES.settings())
    check_same(maps, "explain --all", {"method": "hirescam"})
    with pytest.raises(CatalogError, match="with --method hirescam, not deeplift"):
        check_same(maps, "explain --all", {"method": "deeplift"})
