"""Rows of saliency against the maps that they are of."""

import numpy as np

from tests.made.catalogues import TOY
from zoolens.catalog.explain.rows import map_rows, statistic_rows
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
    covered = np.random.default_rng(1).random((3, 5))
    rows = statistic_rows([7, 3], MEAN, [covered, None])
    assert rows.schema.equals(arrow_schema("saliency_stat"))
    answers = [k for k in range(len(TOY.labels)) if not LACKING.start <= k < LACKING.stop]
    assert rows["galaxy_id"].to_pylist() == [7] * len(answers) + [3] * len(answers)
    assert rows["answer_id"].to_pylist() == answers * 2
    expected = map_statistics(MEAN[0, answers], covered)
    for name, values in expected.items():
        found = rows[name].to_numpy()[: len(answers)]
        np.testing.assert_array_equal(found, values.astype(found.dtype), err_msg=name)
    assert rows["on_target"].is_null().to_pylist() == [False] * len(answers) + [True] * len(answers)
    assert rows["peak_x"].null_count == 0


def test_no_galaxies_no_rows() -> None:
    none = MEAN[:0]
    assert map_rows([], none, none, TOY).schema.equals(arrow_schema("saliency_map"))
    assert len(map_rows([], none, none, TOY)) == 0
    assert len(statistic_rows([], none, [])) == 0
