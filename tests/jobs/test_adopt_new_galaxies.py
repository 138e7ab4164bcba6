"""Predictions bring the galaxies and the tree of a catalogue that has none."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import zoolens.jobs.adopt
from tests.made.catalogues import blank, random_concentrations
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogError, TableRefused
from zoolens.catalog.formats import reading
from zoolens.catalog.predictions import matching
from zoolens.catalog.store.galaxies import number_after
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.adopt import adopt, check
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

N = 7
TREE = get_tree("gzd5")


def friendly(path: Path, *, order: Any = range(N), **changes: dict[int, Any]) -> Path:
    """Fractions in GZ DESI's friendly layout, which names no campaign; changes by column, row."""
    alpha = random_concentrations(N, 1, TREE)[:, 0].astype(float)
    columns: dict[str, Any] = {
        "dr8_id": [f"4{i}_{i}" for i in range(N)],
        "ra": np.arange(N) * 10.0,
        "dec": np.arange(N) - 3.0,
    }
    for where in TREE.slices:
        fractions = alpha[:, where] / alpha[:, where].sum(axis=1, keepdims=True)
        for k, label in enumerate(TREE.labels[where]):
            columns[f"{label}_fraction"] = fractions[:, k]
    frame = pd.DataFrame(columns).iloc[list(order)].reset_index(drop=True)
    for name, cells in changes.items():
        frame[name] = frame[name].astype(object)
        for row, cell in cells.items():
            frame.loc[row, name] = cell
    frame.to_csv(path, index=False)
    return path


def table(path: Path, sql: str) -> list[dict[str, Any]]:
    with Store.open(path, read_only=True) as store:
        return store.arrow(sql).to_pylist()


@pytest.mark.parametrize("empty", [True, False])
def test_a_table_fills_a_catalogue(tmp_path: Path, empty: bool) -> None:
    gz = tmp_path / "gz.duckdb"
    if empty:
        blank(gz)
    path = friendly(tmp_path / "p.csv", order=[2, 0, 1, 3, 4, 5, 6])
    report = adopt(gz, path, id_column="dr8_id", tree="gzd5")
    assert (report.galaxies, report.total, report.rejects) == (N, N, 0)
    assert report.notes == (f"{N} galaxies were new and made from that table",)
    galaxies = table(gz, "SELECT iauname, ra, dec FROM galaxies ORDER BY galaxy_id")
    assert [g["iauname"] for g in galaxies] == [
        "42_2",
        "40_0",
        "41_1",
        "43_3",
        *(f"4{i}_{i}" for i in (4, 5, 6)),
    ]
    assert galaxies[0] == {"iauname": "42_2", "ra": 20.0, "dec": -1.0}
    rows = table(gz, "SELECT * FROM predictions ORDER BY galaxy_id")
    stated = pd.read_csv(path, index_col="dr8_id")
    assert len(rows) == N * 34
    for row in rows:
        assert row["fraction"] == stated.loc[row["iauname"], f"{row['label']}_fraction"]
        assert row["fraction_lo"] is None, "none is invented"
    assert verify(gz).errors == 0
    again = adopt(gz, path, id_column="dr8_id")
    assert (again.run_id, again.changed, again.notes) == (report.run_id, False, ())


def test_rows_that_are_refused_bring_no_galaxy(tmp_path: Path) -> None:
    gz = tmp_path / "gz.duckdb"
    path = friendly(tmp_path / "p.csv", dr8_id={1: "40_0", 2: "NaN"}, ra={3: 361.0}, dec={0: 89.0})
    report = adopt(gz, path, id_column="dr8_id", tree="gzd5")
    assert (report.galaxies, report.total) == (4, 4)
    rejects = table(gz, 'SELECT run_id, "row", kind FROM rejects ORDER BY "row", run_id')
    assert [tuple(row.values()) for row in rejects] == [
        (2, 2, "duplicated identifier"),
        (2, 3, "missing identifier"),
        (1, 4, "position out of range"),
        (2, 4, "unknown galaxy"),
    ]
    galaxies = table(gz, "SELECT iauname, dec FROM galaxies ORDER BY galaxy_id")
    assert [row["iauname"] for row in galaxies] == ["40_0", "44_4", "45_5", "46_6"]
    assert galaxies[0]["dec"] == 89.0, "the first row's"


@pytest.mark.parametrize("stop", ["galaxies-000002", "part 2"])
def test_killed_anywhere_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    monkeypatch.setattr(reading, "_ROWS", 2)
    monkeypatch.setattr(zoolens.jobs.adopt, "SHARD", 2)
    whole, cut = tmp_path / "whole.duckdb", tmp_path / "cut.duckdb"
    path = tmp_path / "p.parquet"
    pd.read_csv(friendly(tmp_path / "p.csv")).to_parquet(path)
    adopt(whole, path, id_column="dr8_id", tree="gzd5")
    commit = Store.commit

    def full_disk(self: Store, run: Any, name: str, tables: Any) -> None:
        if name == stop:
            raise KeyboardInterrupt
        commit(self, run, name, tables)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", full_disk)
        with pytest.raises(KeyboardInterrupt):
            adopt(cut, path, id_column="dr8_id", tree="gzd5")
    assert not [*tmp_path.glob(".cut*")], "no temporary folder is left"
    adopt(cut, path, id_column="dr8_id", tree="gzd5")
    for sql in (
        "SELECT * FROM galaxies ORDER BY galaxy_id",
        "SELECT * FROM predictions ORDER BY galaxy_id, label",
        "SELECT run_id, job, status FROM runs",
    ):
        assert table(cut, sql) == table(whole, sql)


def test_a_survey_in_a_small_catalogue_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "MOST_TOLD", 3)
    gz = tmp_path / "gz.duckdb"
    few = friendly(tmp_path / "few.csv", order=[1, 4])
    adopt(gz, few, id_column="dr8_id", tree="gzd5")
    report = adopt(gz, friendly(tmp_path / "all.csv"), id_column="dr8_id")
    assert (report.galaxies, report.rejects) == (2, 1)
    (reject,) = table(gz, "SELECT * FROM rejects")
    assert reject["reason"] == (
        "unknown galaxy: 5 rows are of galaxies that the catalogue does not have, the first of "
        "them row 1, 40_0"
    )


def test_columns_that_were_not_read_are_named(tmp_path: Path) -> None:
    gz = tmp_path / "gz.duckdb"
    path = friendly(tmp_path / "p.csv")
    frame = pd.read_csv(path)
    frame.assign(clumps_yes_fraction=0.5, clumps_no_fraction=0.5, z=0.1).to_csv(path, index=False)
    report = adopt(gz, path, id_column="dr8_id", tree="gzd5")
    said = (
        "unknown column: 2 columns look like predictions and are not of the tree: "
        "clumps_yes_fraction, clumps_no_fraction"
    )
    assert report.notes[-1] == said
    assert table(gz, "SELECT key, reason FROM rejects") == [
        {"key": "clumps_yes_fraction", "reason": said}
    ]


def test_a_table_that_fits_two_trees_makes_no_catalogue(tmp_path: Path) -> None:
    gz, path = tmp_path / "gz.duckdb", tmp_path / "p.csv"
    answers = ("smooth", "featured-or-disk", "artifact")
    columns = ",".join(f"smooth-or-featured_{answer}_fraction" for answer in answers)
    path.write_text(f"dr8_id,{columns}\n1,0.5,0.25,0.25\n")
    with pytest.raises(CatalogError, match=r"fits the trees gzd5, .* choose one with --tree"):
        adopt(gz, path)
    assert not gz.exists()
    assert check(path, None, named="gzd8").name == "gzd8"
    path.write_text("dr8_id,bar_strong_fraction\n1,0.5\n")
    with pytest.raises(TableRefused, match="predicts nothing of tree candels"):
        check(path, DecisionTree("candels", (Question("clumpy", ("yes", "no")),)))


def test_galaxies_of_a_piece_of_a_survey_follow_its_number(tmp_path: Path) -> None:
    gz = blank(tmp_path / "gz.duckdb")
    with Store.open(gz) as store:
        number_after(store, 2**32)
    adopt(gz, friendly(tmp_path / "table.csv"))
    found = table(gz, "SELECT galaxy_id FROM galaxies ORDER BY galaxy_id")
    assert [row["galaxy_id"] for row in found] == [2**32 + 1 + i for i in range(N)]
    assert verify(gz).errors == 0
