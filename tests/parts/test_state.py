"""What is noted of a plan comes back."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.state import adopted, note_adopted, note_parts, parts_asked_for

from .test_plan import made


@given(cells=st.sets(st.integers(0, 11)))
def test_adopted_cells_come_back(tmp_path_factory: pytest.TempPathFactory, cells: set[int]) -> None:
    plan, _ = made(tmp_path_factory.mktemp("parts"), [1] * 12)
    assert plan is not None
    assert adopted(plan) == set()
    note_adopted(plan, {0, 5})
    note_adopted(plan, cells)
    assert adopted(plan) == cells


@pytest.mark.parametrize(
    "text",
    ["", "{", "7", "[[0]]", "[[1, 0]]", "[[0, 99]]", "[[0, 1], [0, 1]]", '["ab"]', "[[-1, 1]]"],
)
def test_a_note_that_nobody_wrote_is_refused(tmp_path: Path, text: str) -> None:
    plan, _ = made(tmp_path, [1] * 12)
    assert plan is not None
    note_adopted(plan, {0})
    (file,) = tmp_path.glob("adopted-*.json")
    file.write_text(text)
    with pytest.raises(CatalogError, match="is damaged; delete it, and adopt again"):
        adopted(plan)


def test_another_plan_in_the_folder_has_none(tmp_path: Path) -> None:
    plan, _ = made(tmp_path, [1, 1])
    assert plan is not None
    note_adopted(plan, {0})
    (tmp_path / "plan.json").unlink()
    other, _ = made(tmp_path, [1, 1, 1])
    assert other is not None
    assert adopted(other) == set()


def test_the_last_number_of_parts_counts(tmp_path: Path) -> None:
    assert parts_asked_for(tmp_path) is None
    for of in (40, 7, 40):
        note_parts(tmp_path, of)
        assert parts_asked_for(tmp_path) == of
        os.utime(tmp_path / f".of-{of}", (of, of))
    (tmp_path / ".of-x").touch()
    assert parts_asked_for(tmp_path) == 40
    with pytest.raises(CatalogError, match="could not be written"):
        note_parts(tmp_path / "absent", 3)
