"""Rows of some galaxies of a catalogue for another one."""

from pathlib import Path

import numpy as np

from tests.made.catalogues import (
    TOY,
    add_galaxies,
    add_predictions,
    add_votes,
    blank,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.store.excerpts import begin_excerpt, insert_rows, rows_of
from zoolens.catalog.store.store import Store


def test_only_what_shows_is_copied(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(6), concentrations=random_concentrations(6)
    )
    with Store.open(path) as store:
        shown = add_predictions(store, random_concentrations(6, seed=3), seed=3)
        store.execute("INSERT INTO superseded VALUES (1, 2, 0)")
        store.execute(f"INSERT INTO outdated VALUES ({shown}, 4, NULL)")
        chosen = np.array([2, 4], np.int64)
        with Store.open(blank(tmp_path / "other.duckdb")) as other:
            runs = begin_excerpt(other, store)
            assert runs == {"ingest": 1, "predict": shown}
            insert_rows(other, [rows_of(store, chosen, np.array([2, 3, 4]), runs)])
            assert other.tree == TOY
            numbers = "SELECT galaxy_id, count(*) FROM {} GROUP BY ALL ORDER BY ALL"
            answers = len(TOY.labels)
            first = TOY.slices[0].stop
            assert other.rows(numbers.format("galaxy")) == [(1, 1), (3, 1)]
            assert other.rows(numbers.format("vote")) == [(1, answers - first), (3, answers)]
            assert other.rows(numbers.format("prediction")) == [(1, answers)]
            assert other.rows("SELECT DISTINCT run_id FROM posterior") == [(shown,)]


def test_catalogues_that_show_other_runs_are_joined(tmp_path: Path) -> None:
    first = catalogue(tmp_path / "a.duckdb", random_counts(2))
    second = blank(tmp_path / "b.duckdb")
    with Store.open(first) as one, Store.open(second) as two:
        add_galaxies(two, 1)
        two.set_tree(TOY)
        add_votes(two, random_counts(2))
        add_predictions(two, random_concentrations(3))
        with Store.open(blank(tmp_path / "other.duckdb")) as other:
            runs = begin_excerpt(other, one)
            parts = [rows_of(store, np.array([1]), np.array([1]), runs) for store in (two, one)]
            insert_rows(other, parts)
            assert other.rows("SELECT DISTINCT run_id FROM vote") == [(1,)]
            assert "prediction" not in parts[0]
