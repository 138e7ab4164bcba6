"""What changed between two tables of galaxies, against pandas and by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.vote_tables import text_of_bytes
from tests.oracles.differences import changed_by_pandas
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release import difference
from zoolens.catalog.release.difference import Difference

NAN = float("nan")


def release_of(folder: Path, table: pa.Table | dict[str, Any]) -> Path:
    """A folder with no more of a release than its galaxies."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "release.json").write_text('{"version": "1"}')
    if isinstance(table, dict):
        table = pa.table(table)
    pq.write_table(table, folder / "galaxies.parquet")
    return folder


BEFORE = {
    "iauname": ["d", "b", "a", "c"],
    "ra": [4.0, 2.0, 1.0, NAN],
    "rank": pa.array([4, None, 1, 3], pa.int64()),
    "image": ["", "x", "y", "z"],
    "gone": [0.0] * 4,
    "kind": pa.array([1, 2, 3, 4], pa.int32()),
}
AFTER = {
    "kind": pa.array([1.0, 2.0, 3.0, 4.0], pa.float64()),
    "iauname": ["a", "b", "c", "e"],
    "ra": [1.5, 2.0, NAN, 9.0],
    "rank": pa.array([3, 7, 3, 8], pa.int64()),
    "image": ["Y", "x", "z", ""],
    "new": [True] * 4,
}


@pytest.fixture
def pair(tmp_path: Path) -> Difference:
    return Difference(release_of(tmp_path / "a", BEFORE), release_of(tmp_path / "b", AFTER))


def test_by_column_by_hand(pair: Difference) -> None:
    assert [tuple(row.values()) for row in pair.by_column().to_pylist()] == [
        ("iauname", "removed", 1, None, None, "d"),
        ("iauname", "added", 1, None, None, "e"),
        ("ra", "values", 1, 0.5, 0.5, "a"),
        ("rank", "values", 2, 2.0, 2.0, "a"),  # of b there was none before
        ("image", "values", 1, None, None, "a"),
        ("gone", "removed", None, None, None, None),
        ("kind", "type", None, None, None, "int32 to double"),
        ("new", "added", None, None, None, None),
    ]


def test_by_galaxy_by_hand(pair: Difference) -> None:
    assert [tuple(row.values()) for row in pair.by_galaxy().to_pylist()] == [
        ("a", "value", "ra", "1", "1.5", 0.5),
        ("a", "value", "rank", "1", "3", 2.0),
        ("a", "value", "image", "y", "Y", None),
        ("b", "value", "rank", None, "7", None),
        ("d", "removed", None, None, None, None),
        ("e", "added", None, None, None, None),
    ]


def test_too_many_values_are_not_listed(pair: Difference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difference, "MOST_VALUES", 4)
    assert len(pair.by_galaxy()) == 6
    monkeypatch.setattr(difference, "MOST_VALUES", 3)
    with pytest.raises(CatalogError, match="more than 3 values changed; compare by column"):
        pair.by_galaxy()


_CELLS = st.sampled_from([None, NAN, 0.0, -0.0, 1.0, -2.5, float("inf"), -float("inf")])


@given(rows=st.lists(st.tuples(_CELLS, _CELLS), min_size=1, max_size=12), shift=st.integers(0, 3))
@pytest.mark.slow
def test_values_are_those_that_pandas_finds(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, Any]], shift: int
) -> None:
    folder = tmp_path_factory.mktemp("pair")
    names = [f"J{number}" for number in range(len(rows))]
    order = np.roll(np.arange(len(rows)), shift).tolist()  # galaxies are matched by name
    tables: list[dict[str, Any]] = [
        {"iauname": names, "x": pa.array([before for before, _ in rows], pa.float64())},
        {
            "iauname": [names[place] for place in order],
            "x": pa.array([rows[place][1] for place in order], pa.float64()),
        },
    ]
    a, b = (release_of(folder / name, table) for name, table in zip("ab", tables, strict=True))
    found = {
        row["column"]: (row["galaxies"], row["largest"])
        for row in Difference(a, b).by_column().to_pylist()
    }
    frames = [pd.read_parquet(folder / name / "galaxies.parquet") for name in "ab"]
    assert found == changed_by_pandas(*frames)


@pytest.mark.parametrize("column", ["iauname", "image"])
def test_text_that_is_not_utf8_is_refused(tmp_path: Path, column: str) -> None:
    good = {"iauname": ["a", "b"], "image": ["x", "y"]}
    bad = {**good, column: text_of_bytes(b"a", b"\xe9")}
    first, second = release_of(tmp_path / "1", good), release_of(tmp_path / "2", bad)
    with pytest.raises(CatalogError, match=f"row 2, column {column}: not UTF-8 text"):
        Difference(first, second).by_galaxy()
