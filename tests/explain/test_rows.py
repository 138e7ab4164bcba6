"""Rows of saliency against the maps that they are of."""

import numpy as np

from tests.made.catalogues import TOY
from tests.made.covered import covered
from zoolens.catalog.explain.rows import in_galaxy_order, map_rows, statistic_rows
from zoolens.catalog.saliency.arithmetic import map_statistics
from zoolens.catalog.store.tables import arrow_schema

LACKING = TOY.slices[2]  # `bar`, which the model does not have
MEAN = np.random.default_rng(4).normal(size=(2, len(TOY.labels), 3, 5)).astype(np.float32)
MEAN[:, LACKING] = np.nan
SD = np.abs(MEAN / 2).astype(np.float32)


def test_a_row_holds_all_maps_of_a_question() -> None:
    rows = map_rows([7, 3], MEAN, SD, TOY)
    assert rows.schema.equals(arrow_schema("saliency_map"))
    keys = [*zip(rows["galaxy_id"].to_pylist(), rows["question_id"].to_pylist(), strict=True)]
    assert keys == [(7, 0), (7, 1), (7, 3), (3, 0), (3, 1), (3, 3)]
    for row, (galaxy, question) in zip(rows.to_pylist(), keys, strict=True):
        where = TOY.slices[question]
        assert (row["answers"], row["height"], row["width"]) == (where.stop - where.start, 3, 5)
        for name, maps in (("mean", MEAN), ("sd", SD)):
            found = np.frombuffer(row[name], "<f4").reshape(-1, 3, 5)
            np.testing.assert_array_equal(found, maps[[7, 3].index(galaxy), where])


def test_statistics_are_those_of_each_map_and_null_without_a_segment() -> None:
    galaxy, neighbours = 0.5 * np.random.default_rng(1).random((2, 3, 5))
    where = covered([galaxy, None], (3, 5), neighbours)
    rows = statistic_rows([7, 3], "concentration", MEAN, where)
    assert rows.schema.equals(arrow_schema("saliency_stat"))
    answers = [k for k in range(len(TOY.labels)) if not LACKING.start <= k < LACKING.stop]
    assert rows["galaxy_id"].to_pylist() == [7] * len(answers) + [3] * len(answers)
    assert rows["answer_id"].to_pylist() == answers * 2
    expected = map_statistics(MEAN[0, answers], galaxy, neighbours)
    for name, values in expected.items():
        found = rows[name].to_numpy()[: len(answers)]
        np.testing.assert_array_equal(found, values.astype(found.dtype), err_msg=name)
    assert rows["on_target"].is_null().to_pylist() == [False] * len(answers) + [True] * len(answers)
    missing = {name for name in rows.column_names if rows[name].null_count}
    assert missing == {"on_target", "predicted", "baseline"}, "no share is"
    assert rows["on_sky"].to_numpy().min() > 0


def test_a_galaxys_rows_stand_together() -> None:
    where = covered([None, None], (3, 5))
    expected = np.random.default_rng(2).random(MEAN.shape[:2])
    rows = in_galaxy_order(
        [
            statistic_rows([3, 7], "concentration", MEAN, where),
            statistic_rows([3, 7], "fraction", MEAN / 100, where, expected, expected / 2),
        ]
    )
    answers = [k for k in range(len(TOY.labels)) if not LACKING.start <= k < LACKING.stop]
    n = len(answers)
    assert rows["galaxy_id"].to_pylist() == [3] * 2 * n + [7] * 2 * n
    assert rows["of"].to_pylist() == (["concentration"] * n + ["fraction"] * n) * 2
    assert rows["answer_id"].to_pylist() == answers * 4
    told = rows["predicted"].to_numpy().reshape(2, 2, n)
    assert np.isnan(told[:, 0]).all()
    np.testing.assert_array_equal(told[:, 1], expected[:, answers])
    from_where = rows["baseline"].to_numpy().reshape(2, 2, n)
    assert np.isnan(from_where[:, 0]).all()
    np.testing.assert_array_equal(from_where[:, 1], expected[:, answers] / 2)


def test_no_galaxies_no_rows() -> None:
    none = MEAN[:0]
    assert map_rows([], none, none, TOY).schema.equals(arrow_schema("saliency_map"))
    assert len(map_rows([], none, none, TOY)) == 0
    assert len(statistic_rows([], "fraction", none, covered([], (3, 5)))) == 0
