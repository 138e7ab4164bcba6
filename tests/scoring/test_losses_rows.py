"""Rows of the tables of losses, by hand and against NumPy."""

import math

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, catalogue, question_totals, random_counts
from zoolens.catalog.scoring.losses_rows import answer_losses, galaxy_losses, question_losses
from zoolens.catalog.store.matrices import Votes, read_votes
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema

N, A = 5, len(TOY.labels)
COUNTS = random_counts(N, seed=2)
RANDOM = np.random.default_rng(0)
PREDICTED, REACH, WEIGHTS = RANDOM.random((N, A)), RANDOM.random((N, A)), RANDOM.random(A)


@pytest.fixture(scope="module")
def votes(tmp_path_factory: pytest.TempPathFactory) -> Votes:
    path = catalogue(tmp_path_factory.mktemp("votes") / "gz.duckdb", COUNTS)
    with Store.open(path, read_only=True) as store:
        return read_votes(store, TOY, np.arange(N))


def matrix(rows: pa.Table, name: str) -> np.ndarray:
    return np.array(rows[name].to_pylist(), float).reshape(N, A)


def test_losses_of_answers_are_numpys(votes: Votes) -> None:
    rows = answer_losses(votes, PREDICTED, REACH, WEIGHTS)
    assert rows.schema.equals(arrow_schema("loss"))
    assert rows["galaxy_id"].to_pylist() == np.repeat(range(N), A).tolist()
    assert rows["answer_id"].to_pylist() == [*range(A)] * N
    totals = question_totals(COUNTS)[:, TOY.question_of]
    with np.errstate(invalid="ignore"):
        y = COUNTS / totals
    ce = -(y * np.log(PREDICTED) + (1 - y) * np.log(1 - PREDICTED))
    assert np.isnan(ce).any()
    for name, expected in (
        ("observed", y),
        ("ce", ce),
        ("weighted_ce", WEIGHTS * ce),
        ("reach_weighted_ce", REACH * ce),
        ("total_votes", totals),
        ("weight", np.broadcast_to(WEIGHTS, (N, A))),
    ):
        np.testing.assert_allclose(matrix(rows, name), expected, rtol=1e-12, err_msg=name)
        np.testing.assert_array_equal(rows[name].is_null().to_numpy(), np.isnan(expected).ravel())


def test_what_has_no_weight_costs_nothing_even_where_the_loss_is_infinite(votes: Votes) -> None:
    never = np.where(COUNTS > 0, 0.0, 1.0)  # certain of what did not happen
    weights = np.ones(A)
    weights[0] = 0
    rows = answer_losses(votes, never, np.zeros((N, A)), weights)
    asked = question_totals(COUNTS)[:, TOY.question_of] > 0
    assert np.isposinf(matrix(rows, "ce")[asked]).all()
    weighted = matrix(rows, "weighted_ce")
    assert (weighted[asked[:, 0], 0] == 0).all()
    assert np.isposinf(weighted[:, 1:][asked[:, 1:]]).all()
    assert (matrix(rows, "reach_weighted_ce")[asked] == 0).all()


def test_a_galaxy_has_its_costliest_answer_the_first_of_equals(votes: Votes) -> None:
    rows = answer_losses(votes, PREDICTED, REACH, WEIGHTS)
    cost = np.full((N, A), np.nan)
    cost[0, [4, 2, 7]] = 3.0, 1.0, 3.0  # equals
    cost[2, 9] = 0.0
    cost[3, [1, 5]] = 5.0, math.inf
    place = rows.schema.get_field_index("weighted_ce")
    rows = rows.set_column(place, "weighted_ce", pa.array(cost.ravel(), from_pandas=True))
    found = galaxy_losses(rows, A)
    left_out = {"weight", "reach_weighted_ce"}
    assert found.column_names == [name for name in rows.column_names if name not in left_out]
    assert found["galaxy_id"].to_pylist() == [0, 2, 3]
    assert found["answer_id"].to_pylist() == [4, 9, 5]


def test_losses_of_questions_keep_their_places(votes: Votes) -> None:
    nll = np.arange(N * 4, dtype=float).reshape(N, 4)
    nll[1, 2] = np.nan
    rows = question_losses(votes, nll)
    assert rows.schema.equals(arrow_schema("question_loss"))
    assert rows["galaxy_id"].to_pylist() == np.repeat(range(N), 4).tolist()
    assert rows["question_id"].to_pylist() == [0, 1, 2, 3] * N
    expected: list[float | None] = [*map(float, range(N * 4))]
    expected[6] = None
    assert rows["nll"].to_pylist() == expected
    assert rows["total_votes"].to_pylist() == question_totals(COUNTS).ravel().tolist()
