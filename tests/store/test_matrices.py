"""Matrices read from the store equal the arrays that went in and the public views."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.made.catalogues import (
    TOY,
    add_fractions,
    add_predictions,
    add_votes,
    catalogue,
    expected_fractions,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.store.every_galaxy import EveryGalaxy
from zoolens.catalog.store.facts import facts_of
from zoolens.catalog.store.matrices import (
    compared_galaxies,
    predictions_state,
    read_posteriors,
    read_predictions,
    read_votes,
    voted_galaxies,
    votes_state,
)
from zoolens.catalog.store.released import Runs, read_values
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("ids", [[], [3], [3, 4, 5], [0, 7, 8, 19]])
def test_what_goes_in_comes_out(tmp_path: Path, ids: list[int]) -> None:
    counts, concentrations = random_counts(20), random_concentrations(20)
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=concentrations)
    wanted = np.array(ids, np.int64)
    with Store.open(path, read_only=True) as store:
        run = store.newest_run("predict")
        votes = read_votes(store, TOY, wanted)
        fractions, reach = read_predictions(store, TOY, run, wanted)
        posteriors = list(read_posteriors(store, run, wanted))
    np.testing.assert_array_equal(votes.counts, counts[wanted])
    np.testing.assert_array_equal(votes.totals, question_totals(counts)[wanted])
    expected = expected_fractions(concentrations)[wanted]
    np.testing.assert_array_equal(fractions, expected)
    np.testing.assert_allclose(reach, TOY.reach(expected)[:, TOY.question_of], rtol=1e-7)
    if ids:
        where, alpha = posteriors[0]
        np.testing.assert_array_equal(alpha, concentrations[wanted[where]])
        assert sorted(where.tolist()) == list(range(len(ids)))
    else:
        assert posteriors == []


def test_observed_fractions_are_those_of_the_votes_view(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(20))
    with Store.open(path, read_only=True) as store:
        observed = read_votes(store, TOY, voted_galaxies(store)).observed
        view = store.arrow(
            "SELECT fraction FROM votes JOIN answers USING (label) ORDER BY galaxy_id, answer_id"
        )
    np.testing.assert_array_equal(observed.ravel(), view["fraction"].to_numpy())
    assert np.isnan(observed).any()


def test_a_question_with_other_answers_has_no_fraction(tmp_path: Path) -> None:
    counts = np.ones((1, 10))
    totals = question_totals(counts)
    totals[0, 3] += 1  # one volunteer chose an answer that the tree does not have
    totals[0, 1] += 0.001  # rounding of weighted votes
    path = catalogue(tmp_path / "gz.duckdb", counts, totals=totals)
    with Store.open(path, read_only=True) as store:
        votes = read_votes(store, TOY, voted_galaxies(store))
    assert np.isnan(votes.observed[0, TOY.slices[3]]).all()
    assert np.isnan(votes.tree_counts[0, TOY.slices[3]]).all()
    assert votes.counts[0, TOY.slices[3]].tolist() == [1, 1]
    np.testing.assert_allclose(votes.observed[0, TOY.slices[1]], 1 / 2.001)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_reader_has_a_fraction_where_there_were_other_answers(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = random_counts(6, seed=seed % 1000)
    others = random.integers(0, 3, (6, len(TOY.questions)))
    path = tmp_path / f"{seed}.duckdb"
    path.unlink(missing_ok=True)
    catalogue(path, counts, totals=question_totals(counts) + others)
    asked = question_totals(counts)[:, TOY.question_of]
    with np.errstate(invalid="ignore"):
        expected = np.where(others[:, TOY.question_of] > 0, np.nan, counts / asked)
    with Store.open(path, read_only=True) as store:
        ids = voted_galaxies(store)
        read = {
            "matrices": read_votes(store, TOY, ids).observed,
            "view": store.arrow(
                "SELECT fraction FROM votes JOIN answers USING (label) "
                "ORDER BY galaxy_id, answer_id"
            )["fraction"]
            .to_numpy()
            .reshape(6, -1),
            "facts": [[f.observed for f in facts] for facts in facts_of(store, ids).values()],
            "release": read_values(store, TOY, Runs(0, 0, None), ids, {"fraction"})["fraction"],
        }
        selected = EveryGalaxy.read(store)
        votes = [selected.asked(where.start, q) for q, where in enumerate(TOY.slices)]
    for reader, found in read.items():
        np.testing.assert_array_equal(np.array(found, float), expected, err_msg=reader)
    np.testing.assert_array_equal(
        np.transpose(votes), np.where(others > 0, 0, question_totals(counts))
    )


def test_replaced_votes_and_interrupted_runs_do_not_count(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    with Store.open(path) as store:
        old = read_votes(store, TOY, voted_galaxies(store))
        # question 0 of galaxy 1 asked anew
        store.execute("INSERT INTO superseded VALUES (1, 1, 0)")
        run = store.begin("ingest", {"votes_sha256": "again"})
        again = pa.table(
            {
                "galaxy_id": pa.array([1, 1, 1], pa.int64()),
                "answer_id": pa.array([0, 1, 2], pa.int32()),
                "count": [7.0, 0.0, 1.0],
                "total": [8.0, 8.0, 8.0],
            }
        )
        store.commit(run, "votes", {"vote": again})
        store.finish(run)
        begun = store.begin("ingest", {"votes_sha256": "half"})
        half = again.set_column(0, "galaxy_id", pa.array([9, 9, 9], pa.int64()))
        store.commit(begun, "votes", {"vote": half})
        new = read_votes(store, TOY, voted_galaxies(store))
    assert new.galaxy_id.tolist() == [0, 1, 2]
    assert new.counts[1, :3].tolist() == [7, 0, 1]
    assert new.totals[1, 0] == 8
    np.testing.assert_array_equal(new.counts[1, 3:], old.counts[1, 3:])
    np.testing.assert_array_equal(new.counts[[0, 2]], old.counts[[0, 2]])


def test_only_galaxies_with_both_are_compared(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(6))
    with Store.open(path) as store:
        run = add_predictions(store, random_concentrations(3), galaxy_ids=[1, 4, 77])
        assert compared_galaxies(store, run).tolist() == [1, 4]
        assert voted_galaxies(store).tolist() == list(range(6))


def test_missing_answers_are_nan_and_plain_fractions_have_no_posterior(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(4))
    fractions = expected_fractions(random_concentrations(4))
    fractions[:, TOY.slices[2]] = np.nan
    with Store.open(path) as store:
        run = add_fractions(store, fractions)
        ids = voted_galaxies(store)
        found, reach = read_predictions(store, TOY, run, ids)
        assert list(read_posteriors(store, run, ids)) == []
    np.testing.assert_array_equal(found, fractions)
    assert not np.isnan(reach).any()  # nothing is asked after a bar


def test_posteriors_of_different_numbers_of_samples(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    concentrations = random_concentrations(3)
    with Store.open(path) as store:
        run = add_predictions(store, concentrations[[0, 2]], galaxy_ids=[0, 2])
        one = concentrations[1, :1].tobytes()
        store.execute("INSERT INTO posterior VALUES (?, 1, 1, 10, ?)", [run, one])
        batches = list(read_posteriors(store, run, voted_galaxies(store)))
    assert [(where.tolist(), alpha.shape) for where, alpha in batches] == [
        ([1], (1, 1, 10)),
        ([0, 2], (2, 3, 10)),
    ]
    np.testing.assert_array_equal(batches[0][1], concentrations[[1], :1])
    np.testing.assert_array_equal(batches[1][1], concentrations[[0, 2]])


def test_state_changes_with_votes_and_predictions_alone(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(4))
    with Store.open(path) as store:
        votes = votes_state(store)
        run = add_predictions(store, random_concentrations(2), galaxy_ids=[0, 1])
        predictions = predictions_state(store, run)
        images = store.begin("ingest", {"images": "only"})
        store.finish(images)
        assert votes_state(store) == votes
        add_predictions(store, random_concentrations(2), galaxy_ids=[2, 3], shard="more")
        assert predictions_state(store, run) != predictions
        add_votes(store, random_counts(1))
        assert votes_state(store) != votes
