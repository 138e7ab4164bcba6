"""Plans: what is written comes back, in any cut; what is damaged or foreign is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts import planning
from zoolens.catalog.parts.plan import (
    PLAN,
    Cell,
    Plan,
    PlannedRun,
    read_plan,
    sha256_of_plan,
)
from zoolens.catalog.parts.planning import write_plan

RUN = PlannedRun("gz.duckdb", "i" * 64, "predict", {"seed": 1}, "m" * 64, {"model": "a"}, None)


@dataclass(frozen=True)
class Recipe:
    job: ClassVar[str] = "predict"
    table: ClassVar[str] = "prediction"
    batch_size: int = 2

    def settings(self) -> dict[str, Any]:
        return {"seed": 1}

    def prepared(self) -> Any:
        raise NotImplementedError


def made(folder: Path, sizes: list[int]) -> tuple[Plan | None, list[list[Galaxy]]]:
    """A plan of cells of so many galaxies, and these."""
    parts, number = [], 0
    for size in sizes:
        members = ["x", None]
        parts.append(
            [
                Galaxy(number + i, f"J{number + i}é", "a.tar", members[i % 2], "f")
                for i in range(size)
            ]
        )
        number += size
    return write_plan(folder, Recipe(), "1.0", RUN, parts), parts


def whole_plan(folder: Path) -> list[Cell]:
    plan = read_plan(folder)
    assert plan is not None
    return [cell for block in plan.read(range(plan.cells)) for cell in block]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=9),
    ends=st.tuples(*[st.integers(0, 9)] * 2),
)
def test_any_cells_are_read(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], ends: tuple[int, int]
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_BLOCK", 3)
        plan, parts = made(folder, sizes)
    assert plan is not None
    assert plan == read_plan(folder)
    assert (plan.cells, plan.galaxies) == (len(parts), sum(sizes))
    wanted = range(min(ends), min(max(ends), len(parts)))
    found = [cell for block in plan.read(wanted) for cell in block]
    assert found == [(cell, parts[cell]) for cell in wanted]


def test_what_it_says_comes_back(tmp_path: Path) -> None:
    plan, _ = made(tmp_path, [2])
    assert plan is not None
    assert (plan.run, plan.job, plan.settings, plan.code) == (RUN, "predict", {"seed": 1}, "1.0")
    assert {file.name for file in tmp_path.iterdir()} == {PLAN, plan.file}
    assert read_plan(tmp_path / "absent") is None


def test_any_byte_that_changes_is_noticed(tmp_path: Path) -> None:
    plan, _ = made(tmp_path, [2, 2])
    assert plan is not None
    for name in (PLAN, plan.file):
        whole = (tmp_path / name).read_bytes()
        for place in range(0, len(whole), 41):
            changed = bytearray(whole)
            changed[place] ^= 1
            (tmp_path / name).write_bytes(changed)
            with pytest.raises(CatalogError, match=r"damaged|of format|is no plan"):
                whole_plan(tmp_path)
        (tmp_path / name).write_bytes(whole)


def _elsewhere(told: Any) -> None:
    told["file"] = "../galaxies.blocks"


def _overlapping(told: Any) -> None:
    told["blocks"][0]["first"] = 1


def _endless(told: Any) -> None:
    told["blocks"][0]["length"] = 2**80


def _no_object(told: Any) -> None:
    told["run"]["config"] = []


def _more(told: Any) -> None:
    told["run"]["sql"] = "DROP"


def _nothing(told: Any) -> None:
    told["blocks"] = []


@pytest.mark.parametrize(
    "change", [_elsewhere, _overlapping, _endless, _no_object, _more, _nothing]
)
def test_a_plan_that_nobody_wrote_is_refused(tmp_path: Path, change: Callable[[Any], None]) -> None:
    made(tmp_path, [2])
    content = json.loads((tmp_path / PLAN).read_text())
    change(content["plan"])
    content["sha256"] = sha256_of_plan(content["plan"])
    (tmp_path / PLAN).write_text(json.dumps(content))
    with pytest.raises(CatalogError, match="is no plan"):
        read_plan(tmp_path)


def test_one_of_a_later_version_is_refused(tmp_path: Path) -> None:
    made(tmp_path, [2])
    content = json.loads((tmp_path / PLAN).read_text())
    (tmp_path / PLAN).write_text(json.dumps({**content, "format": 2}))
    with pytest.raises(CatalogError, match="is a plan of format 2, this Zoolens knows 1"):
        read_plan(tmp_path)
