"""Samples and maps that are not what they were, found by what follows from them."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from tests.made.covered import covered
from zoolens.catalog.explain.rows import map_rows, statistic_rows
from zoolens.catalog.store.derived_checks import altered_maps, altered_posteriors
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow
BAR = slice(5, 8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Six galaxies with samples, two of them with maps, of `bar` none."""
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(6), concentrations=random_concentrations(6)
    )
    maps = np.random.default_rng(0).normal(size=(2, len(TOY.labels), 3, 3)).astype(np.float32)
    maps[:, BAR] = np.nan
    with Store.open(path) as store:
        run = store.begin("explain", {})
        tables = {
            "saliency_map": map_rows([1, 4], maps, abs(maps), TOY),
            "saliency_stat": statistic_rows(
                [1, 4], "concentration", maps, covered([np.ones((3, 3)), None], (3, 3))
            ),
        }
        store.commit(run, "one", tables)
        store.finish(run)
    return path


def altered(path: Path) -> tuple[int, int]:
    with Store.open(path, read_only=True) as store:
        return altered_posteriors(store), altered_maps(store)


def change(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def scaled(path: Path, table: str, blob: str, galaxy: int, factor: float) -> None:
    """Multiply all numbers of a galaxy's blobs."""
    with duckdb.connect(str(path)) as connection:
        where = f"FROM {table} WHERE galaxy_id = {galaxy}"
        key = "question_id" if table == "saliency_map" else "galaxy_id"
        for number, held in connection.execute(f"SELECT {key}, {blob} {where}").fetchall():
            other = (np.frombuffer(held, "<f4") * np.float32(factor)).tobytes()
            connection.execute(
                f"UPDATE {table} SET {blob} = ? WHERE galaxy_id = {galaxy} AND {key} = {number}",
                [other],
            )


def test_what_was_written_agrees(path: Path) -> None:
    assert altered(path) == (0, 0)


@pytest.mark.parametrize(("factor", "found"), [(1.01, 1), (0.0, 1), (1 + 1e-6, 0)])
def test_altered_samples_are_found_and_rounding_is_not(
    path: Path, factor: float, found: int
) -> None:
    scaled(path, "posterior", "concentrations", 3, factor)
    assert altered(path) == (found, 0)


@pytest.mark.parametrize(("factor", "found"), [(1.01, 3), (1 + 1e-6, 0)])
def test_altered_maps_are_found_by_question(path: Path, factor: float, found: int) -> None:
    scaled(path, "saliency_map", "mean", 4, factor)
    assert altered(path) == (0, found)


def test_samples_that_are_no_numbers_are_found(path: Path) -> None:
    change(
        path,
        "UPDATE posterior SET concentrations = repeat('\\xFF', octet_length(concentrations)"
        "::INT)::BLOB WHERE galaxy_id = 4",
    )
    assert altered(path) == (1, 0)


def test_means_and_sums_that_were_changed_are_found(path: Path) -> None:
    change(path, "UPDATE prediction SET concentration = 1 WHERE galaxy_id < 2 AND answer_id = 0")
    change(path, "UPDATE saliency_stat SET decrease = decrease - 1 WHERE answer_id IN (0, 8)")
    assert altered(path) == (2, 4)
