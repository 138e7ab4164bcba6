"""The difference of two releases against pandas."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.releases import full_catalogue
from tests.oracles.differences import changed_by_pandas
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.store import Store
from zoolens.jobs.release import release
from zoolens.jobs.release_diff import diff
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow

TITLE = Title("Toy", "1")


def cut(gz: Path, out: Path, columns: tuple[str, ...] = ()) -> Path:
    release(gz, out, TITLE, Cut(counterparts=0, formats=[], columns=columns))
    return out


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two releases: other losses and ranks, two galaxies gone, one new."""
    folder = tmp_path_factory.mktemp("pair")
    gz = full_catalogue(folder / "gz.duckdb")
    before = cut(gz, folder / "a")
    with Store.open(gz) as store:
        store.execute("UPDATE loss SET ce = ce + 0.5 WHERE galaxy_id < 7 AND answer_id = 3")
        store.execute("UPDATE loss SET ce = 'inf' WHERE galaxy_id = 9 AND answer_id = 1")
        store.execute("UPDATE galaxy SET ra = NULL WHERE galaxy_id IN (2, 4)")
        store.execute("UPDATE galaxy SET iauname = 'J9' WHERE galaxy_id = 20")
    return before, cut(gz, folder / "b")


def by_pandas(before: Path, after: Path) -> dict[str, tuple[int, float | None]]:
    return changed_by_pandas(
        *(pd.read_parquet(cut / "galaxies.parquet") for cut in (before, after))
    )


def test_columns_and_how_much_they_changed(pair: tuple[Path, Path]) -> None:
    rows = diff(*pair).table.to_pylist()
    found = {
        row["column"]: (row["galaxies"], row["largest"])
        for row in rows
        if row["change"] == "values"
    }
    expected = by_pandas(*pair)
    assert {"ra", "round_yes_ce", "shape_disk_ce"} <= set(expected)
    assert found.keys() == expected.keys()
    for name, (count, largest) in expected.items():
        assert found[name] == (count, pytest.approx(largest)), name
    assert [(r["column"], r["change"], r["galaxies"], r["example"]) for r in rows[:2]] == [
        ("iauname", "removed", 1, "J000020.00+000020.0"),
        ("iauname", "added", 1, "J9"),
    ]


def test_every_value_that_changed(pair: tuple[Path, Path]) -> None:
    rows = diff(*pair, galaxies=True).table.to_pylist()
    counts = pd.Series([row["column"] for row in rows if row["change"] == "value"]).value_counts()
    assert counts.to_dict() == {name: count for name, (count, _) in by_pandas(*pair).items()}
    (one,) = [r for r in rows if r["iauname"] == "J000000.00+000000.0" and "yes_ce" in r["column"]]
    assert one["difference"] == pytest.approx(0.5)
    assert float(one["after"]) - float(one["before"]) == pytest.approx(0.5)
    assert [r["iauname"] for r in rows if r["change"] == "added"] == ["J9"]
    assert [r["iauname"] for r in rows] == sorted(r["iauname"] for r in rows)


def test_a_release_does_not_differ_from_itself(pair: tuple[Path, Path]) -> None:
    for galaxies in (False, True):
        assert not len(diff(pair[0], pair[0], galaxies=galaxies).table)


def test_columns_that_only_one_has(pair: tuple[Path, Path], tmp_path: Path) -> None:
    few = cut(pair[0].parent / "gz.duckdb", tmp_path / "few", ("dec",))
    changes = {row["column"]: row["change"] for row in diff(pair[1], few).table.to_pylist()}
    assert changes["round_yes"] == "removed"
    back = {row["column"]: row["change"] for row in diff(few, pair[1]).table.to_pylist()}
    assert back["round_yes"] == "added"
    assert "dec" not in changes


def test_what_cannot_be_compared_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="is no release"):
        diff(pair[0], tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "release.json").write_text('{"version": "1"}')
    with pytest.raises(CatalogError, match="incomplete"):
        diff(pair[0], other)
    (other / "galaxies.parquet").write_text("no table")
    with pytest.raises(CatalogError, match="no Parquet file"):
        diff(pair[0], other)
    twice = pa.table({"iauname": ["J1", "J1"], "ra": np.zeros(2)})
    pq.write_table(twice, other / "galaxies.parquet")
    with pytest.raises(CatalogError, match="J1 twice"):
        diff(pair[0], other)
