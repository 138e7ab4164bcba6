"""The ranking of estimates against labels, held to NumPy."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made.catalogues import blank
from zoolens.catalog.errors import CatalogError, Told, UnknownName
from zoolens.catalog.predictions.estimates import estimate_rows
from zoolens.catalog.store.estimates import rank_estimates
from zoolens.catalog.store.store import Store

N = 7


def estimated(
    path: Path, samples: np.ndarray, names: Sequence[str], output: str, *, dropout: bool = True
) -> Store:
    """An open catalogue of galaxies with estimates; samples (N, T, L)."""
    store = Store.open(blank(path))
    rows = ", ".join(f"({i}, 'G{i:04d}', NULL, NULL, 1)" for i in range(len(samples)))
    store.execute(f"INSERT INTO galaxy VALUES {rows}")
    run = store.begin("estimate", {"names": list(names), "output": output})
    made = estimate_rows(range(len(samples)), names, samples, dropout=dropout)
    store.commit(run, "all", {"estimate": made})
    store.finish(run)
    return store


def label(store: Store, kind: str, values: Sequence[Any]) -> None:
    """Give the galaxies a column `mine` of their own; None for no label."""
    rows = ", ".join(f"({i}, CAST(? AS {kind}))" for i in range(len(values)))
    store.execute("CREATE OR REPLACE TABLE labels (galaxy_id BIGINT, mine " + kind + ")")
    store.execute(f"INSERT INTO labels VALUES {rows}", list(values))
    store.execute("CREATE OR REPLACE VIEW own AS SELECT galaxy_id, mine FROM labels")


@pytest.fixture
def probabilities() -> np.ndarray:
    return np.random.default_rng(0).dirichlet([0.5, 1, 1], (N, 4))


@pytest.mark.parametrize("kind", ["VARCHAR", "INTEGER", "DOUBLE"])
def test_classes_rank_by_cross_entropy(
    tmp_path: Path, probabilities: np.ndarray, kind: str
) -> None:
    names = ["ring", "disc", "other"]
    truth = np.array([0, 1, 2, 0, 1, 2, 0])
    with estimated(tmp_path / "gz.duckdb", probabilities, names, "probability") as store:
        label(store, kind, [names[i] if kind == "VARCHAR" else int(i) for i in truth])
        found = rank_estimates(store, "mine", 4).to_pylist()
    mean = probabilities.mean(axis=1)
    ce = -np.log(mean[np.arange(N), truth])
    order = np.argsort(-ce)[:4]
    assert [row["iauname"] for row in found] == [f"G{i:04d}" for i in order]
    assert [row["ce"] for row in found] == pytest.approx(ce[order])
    assert [row["label"] for row in found] == [names[truth[i]] for i in order]
    assert [row["estimated"] for row in found] == [names[mean[i].argmax()] for i in order]
    assert [row["probability"] for row in found] == pytest.approx(mean[order].max(axis=1))
    assert [row["rank"] for row in found] == [1, 2, 3, 4]


def test_a_class_held_impossible_comes_first(tmp_path: Path) -> None:
    samples = np.array([[[0.4, 0.6]], [[1.0, 0.0]]])
    with estimated(tmp_path / "gz.duckdb", samples, ["a", "b"], "probability") as store:
        label(store, "BOOLEAN", [True, True])
        found = rank_estimates(store, "mine", 10)
    assert found["iauname"].to_pylist() == ["G0001", "G0000"]
    assert found["ce"].to_pylist() == [np.inf, pytest.approx(-np.log(0.6))]


def test_labels_that_are_no_class_are_told(tmp_path: Path, probabilities: np.ndarray) -> None:
    with estimated(tmp_path / "gz.duckdb", probabilities, "abc", "probability") as store:
        label(store, "VARCHAR", ["a", "b", None, "spiral", "A", "c", "a"])
        with pytest.warns(Told, match=r"labels of 2 galaxies are no class .* such as 'A'"):
            assert len(rank_estimates(store, "mine", 10)) == 4
        label(store, "DOUBLE", [0.0, 1.0, 0.5, 3.0, None, None, None])
        with pytest.warns(Told, match="labels of 2 galaxies are no class"):
            assert len(rank_estimates(store, "mine", 10)) == 2


def test_values_rank_by_error_or_by_deviation(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    samples = random.normal(0, random.uniform(0.01, 1, (N, 1, 1)), (N, 5, 1))
    truth = random.normal(0, 1, N)
    value, sd = samples.mean(axis=1)[:, 0], samples.std(axis=1)[:, 0]
    error = np.abs(value - truth)
    with estimated(tmp_path / "gz.duckdb", samples, ["z"], "value") as store:
        label(store, "DOUBLE", [*truth[:-1].tolist(), float("nan")])
        for by, expected in ((None, error), ("error", error), ("deviation", error / sd)):
            found = rank_estimates(store, "mine", 10, by=by)
            order = np.argsort(-expected[:-1])
            assert found["iauname"].to_pylist() == [f"G{i:04d}" for i in order]
            np.testing.assert_allclose(found[by or "error"], expected[order])
            np.testing.assert_allclose(found["value_sd"], sd[order])


def test_without_dropout_there_is_no_deviation(tmp_path: Path) -> None:
    values = np.arange(3.0).reshape(3, 1, 1)
    with estimated(tmp_path / "gz.duckdb", values, ["z"], "value", dropout=False) as store:
        label(store, "INTEGER", [0, 0, 0])
        assert rank_estimates(store, "mine", 10)["error"].to_pylist() == [2, 1, 0]
        assert len(rank_estimates(store, "mine", 10, by="deviation")) == 0


def test_what_cannot_be_ranked_is_refused(tmp_path: Path, probabilities: np.ndarray) -> None:
    none = pytest.raises(CatalogError, match="has no estimates; do first: zoolens predict")
    with Store.open(blank(tmp_path / "none.duckdb")) as store, none:
        rank_estimates(store, "mine", 10)
    with estimated(tmp_path / "a.duckdb", probabilities[..., :1], ["z"], "value") as store:
        with pytest.raises(UnknownName, match="no column 'mine' of your own"):
            rank_estimates(store, "mine", 10)
        label(store, "VARCHAR", ["a"] * N)
        with pytest.raises(UnknownName, match=r"no column 'mien' of your own.*nearest: mine"):
            rank_estimates(store, "mien", 10)
        with pytest.raises(CatalogError, match="mine holds VARCHAR and no numbers"):
            rank_estimates(store, "mine", 10)
        with pytest.raises(CatalogError, match="no ranking by 'ce'; choose one of error"):
            rank_estimates(store, "mine", 10, by="ce")
        with pytest.raises(CatalogError, match="1 or more"):
            rank_estimates(store, "mine", 0)
