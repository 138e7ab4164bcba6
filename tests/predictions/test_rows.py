"""Rows of the prediction tables against the matrices that they are of."""

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, expected_fractions, random_concentrations
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows, question_rows
from zoolens.catalog.store.tables import arrow_schema

ALPHA = random_concentrations(3)
ALPHA[1, :, TOY.slices[2]] = np.nan  # a question that the model lacks
IDS, A = [7, 2, 9], len(TOY.labels)


def test_each_galaxy_has_all_answers_in_order() -> None:
    rows = prediction_rows(IDS, summarise(ALPHA, TOY))
    assert rows.schema.names == arrow_schema("prediction").names
    assert rows["galaxy_id"].to_pylist() == [7] * A + [2] * A + [9] * A
    assert rows["answer_id"].to_pylist() == [*range(A)] * 3
    fractions = np.array(rows["fraction"].to_pylist(), float).reshape(3, A)
    np.testing.assert_allclose(fractions, expected_fractions(ALPHA), rtol=1e-6)
    assert rows["concentration"].type == pa.float32()
    means = np.array(rows["concentration"].to_pylist(), float).reshape(3, A)
    np.testing.assert_allclose(means, ALPHA.mean(axis=1), rtol=1e-6)


def test_what_is_missing_is_null_and_nothing_else() -> None:
    missing = np.zeros((3, A), bool)
    missing[1, TOY.slices[2]] = True
    rows = prediction_rows(IDS, summarise(ALPHA, TOY))
    for name in ("concentration", "fraction", "fraction_sd", "fraction_lo", "fraction_hi"):
        np.testing.assert_array_equal(rows[name].is_null().to_numpy(), missing.ravel())


def test_questions_come_in_order() -> None:
    summary = summarise(ALPHA, TOY)
    rows = question_rows(IDS, summary)
    assert rows["galaxy_id"].to_pylist() == [7] * 4 + [2] * 4 + [9] * 4
    assert rows["question_id"].to_pylist() == [0, 1, 2, 3] * 3
    expected = [None if np.isnan(x) else x for x in summary.information.ravel().tolist()]
    assert rows["mutual_information"].to_pylist() == expected
    assert [place for place, value in enumerate(expected) if value is None] == [6]


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8"])
def test_samples_are_kept_as_little_endian_float32(dtype: str) -> None:
    alpha = random_concentrations(3)
    rows = posterior_rows(IDS, alpha.astype(dtype))
    assert rows["galaxy_id"].to_pylist() == IDS
    assert (rows["samples"][0].as_py(), rows["answers"][0].as_py()) == alpha.shape[1:]
    for row, expected in zip(rows["concentrations"].to_pylist(), alpha, strict=True):
        np.testing.assert_array_equal(np.frombuffer(row, "<f4").reshape(alpha.shape[1:]), expected)
