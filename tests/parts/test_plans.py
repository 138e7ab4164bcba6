"""Plans of several pieces: parts are numbered through them all."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.plan import Plan, read_plan, sha256_of_plan
from zoolens.catalog.parts.plans import (
    PLANS,
    Planned,
    Plans,
    numbers,
    read_plans,
    remove_plans,
    write_plans,
)
from zoolens.catalog.parts.state import note_adopted, note_parts

from .test_plan import made

NAMES = ["Norder=2/Npix=37", "Norder=2/Npix=38", "Norder=1/Npix=7"]


def of_survey(folder: Path, cells: list[int]) -> Plans:
    """Plans of pieces with so many cells of one galaxy."""
    each = {}
    for name, count in zip(NAMES, cells, strict=False):
        (folder / name).mkdir(parents=True)
        plan, _ = made(folder / name, [1] * count)
        assert plan is not None
        each[name] = plan
    plans = write_plans(folder, folder / "dr8", each)
    assert plans is not None
    return plans


def cells_of(plans: Plans, wanted: range) -> list[tuple[Path, int]]:
    return [(plan.folder, cell) for plan, cells in plans.within(wanted) for cell in cells]


@given(cells=st.lists(st.integers(1, 5), min_size=1, max_size=3), of=st.integers(1, 12))
def test_parts_of_any_number_are_all_cells_once_and_even(
    tmp_path_factory: pytest.TempPathFactory, cells: list[int], of: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    plans = of_survey(folder, cells)
    assert plans == read_plans(folder)
    assert (plans.cells, plans.galaxies) == (sum(cells), sum(cells))
    every = [
        (folder / name, cell)
        for name, count in zip(NAMES, cells, strict=False)
        for cell in range(count)
    ]
    parts = [plans.part(number, of) for number in range(1, of + 1)]
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert [one for part in parts for one in cells_of(plans, part)] == every
    by_piece = {name: range(count) for name, count in zip(NAMES, cells, strict=False)}
    assert plans.numbered(by_piece) == {*range(plans.cells)}
    assert plans.numbered({NAMES[0]: [0]}) == {0}


def test_of_one_catalogue_there_is_one(tmp_path: Path) -> None:
    assert read_plans(tmp_path) is None
    plan, _ = made(tmp_path, [2, 1])
    assert plan is not None
    plans = read_plans(tmp_path)
    assert plans == Plans(tmp_path, None, (Planned("", plan.sha256, 2, 3),))
    assert plans is not None
    assert [*plans.within(range(1, 2))] == [(plan, range(1, 2))]


@pytest.mark.parametrize(
    ("cells", "recommended"), [(1, 1), (16, 1), (17, 2), (640, 40), (100_000, 1000)]
)
def test_parts_are_neither_tiny_nor_too_many(cells: int, recommended: int) -> None:
    plans = Plans(Path("parts"), None, (Planned("", "a", cells, cells),))
    assert plans.recommended == recommended


def test_a_plan_that_changed_is_named(tmp_path: Path) -> None:
    plans = of_survey(tmp_path, [1, 2])
    (tmp_path / NAMES[1] / "plan.json").unlink()
    assert len(cells_of(plans, range(1))) == 1, "nobody reads those of others"
    with pytest.raises(CatalogError, match=rf"the plan of {NAMES[1]} in .* is not there any more"):
        [*plans.every()]
    made(tmp_path / NAMES[1], [3])
    with pytest.raises(CatalogError, match=rf"the plan of {NAMES[1]} .* is not the one that was"):
        cells_of(plans, range(1, 2))


def _climbing(told: Any) -> None:
    told["planned"][0]["piece"] = "../Norder=2/Npix=37"


def _twice(told: Any) -> None:
    told["planned"] *= 2


def _negative(told: Any) -> None:
    told["planned"][0]["cells"] = -1


def _no_survey(told: Any) -> None:
    told["survey"] = None


def _none(told: Any) -> None:
    told["planned"] = []


@pytest.mark.parametrize("change", [_climbing, _twice, _negative, _no_survey, _none])
def test_a_list_that_nobody_wrote_is_refused(tmp_path: Path, change: Callable[[Any], None]) -> None:
    of_survey(tmp_path, [1])
    content = json.loads((tmp_path / PLANS).read_text())
    change(content["plans"])
    (tmp_path / PLANS).write_text(json.dumps(content))
    with pytest.raises(CatalogError, match="is damaged"):
        read_plans(tmp_path)
    content["sha256"] = sha256_of_plan(content["plans"])
    (tmp_path / PLANS).write_text(json.dumps(content))
    with pytest.raises(CatalogError, match="is no list of plans"):
        read_plans(tmp_path)
    (tmp_path / PLANS).write_text(json.dumps({**content, "format": 2}))
    with pytest.raises(CatalogError, match="is of format 2, this Zoolens knows 1"):
        read_plans(tmp_path)


def test_other_plans_are_not_written_over(tmp_path: Path) -> None:
    plans = of_survey(tmp_path, [1, 2])
    plan: Plan | None = read_plan(tmp_path / NAMES[0])
    assert plan is not None
    with pytest.raises(CatalogError, match=r"plans.json is another plan"):
        write_plans(tmp_path, tmp_path / "dr8", {NAMES[0]: replace(plan, sha256="b" * 64)})
    assert read_plans(tmp_path) == plans
    assert write_plans(tmp_path, tmp_path / "dr8", {}) is None


def test_all_of_it_can_be_removed(tmp_path: Path) -> None:
    plans = of_survey(tmp_path, [1, 2])
    note_parts(tmp_path, 40)
    for plan in plans.every():
        note_adopted(plan, range(plan.cells))
    assert plans.adopted() == plans.cells
    remove_plans(plans)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize(
    ("parts", "said"), [([3], "3"), ([3, 7, 8, 9], "3,7-9"), ([1, 2, 40], "1-2,40")]
)
def test_numbers_are_as_slurm_takes_them(parts: list[int], said: str) -> None:
    assert numbers(parts) == said
