"""Parts are the same whatever is done already."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.parts.cells import cells, read_cells
from zoolens.catalog.store.store import Store

from ..jobs.test_predict import imaged

_FACTS = "SELECT galaxy_id, iauname, image, image_member, image_sha256 FROM galaxies"


@given(numbers=st.sets(st.integers(0, 10**6), max_size=60), size=st.integers(1, 9), data=st.data())
def test_a_galaxy_is_in_the_same_part_whatever_waits(
    numbers: set[int], size: int, data: st.DataObject
) -> None:
    every = np.array(sorted(numbers), np.int64)
    waits = data.draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every)))
    waiting = every[np.array(waits, bool)]
    whole = [set(every[i : i + size].tolist()) for i in range(0, len(every), size)]
    expected = [sorted(part & set(waiting.tolist())) for part in whole]
    found = [part.tolist() for part in cells(every, waiting, size)]
    assert found == [part for part in expected if part]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_galaxies_are_read_part_by_part(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.catalog.parts.cells._READ", 4)
    every = np.arange(12, dtype=np.int64)
    waiting = np.setdiff1d(every, [1, 2, 7])
    with Store.open(imaged(tmp_path / "gz.duckdb", len(every))) as store:
        parts = cells(every, waiting, size)
        found = [*read_cells(store, parts)]
        facts = {row[0]: row for row in store.rows(_FACTS)}
    assert [[galaxy.galaxy_id for galaxy in part] for part in found] == [p.tolist() for p in parts]
    for galaxy in (galaxy for part in found for galaxy in part):
        assert tuple(galaxy) == facts[galaxy.galaxy_id]
