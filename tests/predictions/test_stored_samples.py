"""Stored samples against what was put in, of one model and of several."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens import open as open_catalogue
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.predictions.posterior import of_each_model, question_totals, spread_of_models
from zoolens.catalog.store.store import Store

N, T = 5, 6
ALPHA = random_concentrations(N, T)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(N))
    with Store.open(path) as store:
        add_predictions(store, ALPHA)
    return path


def test_samples_come_back_in_the_order_asked_for(path: Path) -> None:
    found = open_catalogue(path).samples(["G0003", "G0001", "G0003"])
    np.testing.assert_array_equal(found, ALPHA[[3, 1, 3], None])
    np.testing.assert_array_equal(open_catalogue(path).samples("G0002"), ALPHA[[2], None])


def test_those_of_several_models_are_apart(path: Path) -> None:
    with Store.open(path) as store:
        add_predictions(store, ALPHA, models=[{}, {}, {}])
    found = open_catalogue(path).samples([f"G{n:04d}" for n in range(N)])
    assert found.shape == (N, 3, 2, len(TOY.labels))
    np.testing.assert_array_equal(found[:, 1], ALPHA[:, 2:4])
    # what each model expects, and from that the spread that predictions have
    expected = (found / question_totals(found.astype(np.float64), TOY)).mean(axis=2)
    alpha = ALPHA.astype(np.float64)
    fractions = alpha / question_totals(alpha, TOY)
    np.testing.assert_allclose(expected.std(axis=1), spread_of_models(fractions, 3), atol=1e-7)
    np.testing.assert_array_equal(of_each_model(ALPHA, 3), found)


def test_what_is_not_there_is_said(path: Path) -> None:
    with pytest.raises(UnknownName, match="G9999"):
        open_catalogue(path).samples(["G9999"])
    with Store.open(path) as store:
        store.execute("DELETE FROM posterior WHERE galaxy_id = 0")
    found = open_catalogue(path).samples(["G0000", "G0001"])
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
    with pytest.raises(CatalogError, match="no samples of these galaxies"):
        open_catalogue(path).samples("G0000")
