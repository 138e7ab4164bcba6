"""Rows of estimates say what the samples are."""

import numpy as np

from zoolens.catalog.predictions.estimates import estimate_rows
from zoolens.catalog.store.tables import arrow_schema

SAMPLES = np.array([[[0.2, 0.8], [0.4, 0.6]], [[1.0, 0.0], [1.0, 0.0]]], np.float32)  # (N, T, L)


def test_a_row_for_each_galaxy_and_name() -> None:
    rows = estimate_rows([7, 9], ["a", "b"], SAMPLES, dropout=True)
    assert rows.schema.equals(arrow_schema("estimate"))
    assert rows["galaxy_id"].to_pylist() == [7, 7, 9, 9]
    assert rows["name"].to_pylist() == ["a", "b", "a", "b"]
    np.testing.assert_allclose(rows["value"], [0.3, 0.7, 1, 0], atol=1e-7)
    np.testing.assert_allclose(rows["value_sd"], [0.1, 0.1, 0, 0], atol=1e-7)
    # 5 % and 95 % of the way between two samples
    np.testing.assert_allclose(rows["value_lo"], [0.21, 0.61, 1, 0], atol=1e-7)
    np.testing.assert_allclose(rows["value_hi"], [0.39, 0.79, 1, 0], atol=1e-7)


def test_without_dropout_no_spread_is_claimed() -> None:
    rows = estimate_rows([7, 9], ["a", "b"], SAMPLES[:, :1], dropout=False)
    for column in ("value_sd", "value_lo", "value_hi"):
        assert rows[column].null_count == 4
    assert rows["value"].null_count == 0


def test_no_galaxies_give_no_rows() -> None:
    rows = estimate_rows([], ["a", "b"], np.empty((0, 3, 2)), dropout=True)
    assert len(rows) == 0
    assert rows.schema.equals(arrow_schema("estimate"))
