"""Losses in the store against the functions they come from and against SQL."""

import time
from pathlib import Path

import numpy as np
import pytest

import zoolens.jobs.score
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
from tests.made.processes import killed, started
from zoolens.catalog.errors import CatalogError, TableRefused
from zoolens.catalog.scoring.losses import cross_entropy, dirichlet_multinomial_nll
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow

N, A = 30, 10
OBSERVED_ONES = 1 / np.array([3, 3, 3, 2, 2, 3, 3, 3, 2, 2])  # one vote for every answer


@pytest.fixture
def gz(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(N), concentrations=random_concentrations(N)
    )


def rows(path: Path, sql: str) -> list[dict]:
    with Store.open(path, read_only=True) as store:
        return store.arrow(sql).to_pylist()


def matrix(path: Path, column: str, table: str = "loss", width: int = A) -> np.ndarray:
    key = "answer_id" if table == "loss" else "question_id"
    with Store.open(path, read_only=True) as store:
        values = store.arrow(f"SELECT {column} FROM {table} ORDER BY run_id, galaxy_id, {key}")
    return values[column].to_numpy().reshape(-1, width)


def test_losses_are_those_of_the_functions(gz: Path, tmp_path: Path) -> None:
    weights = tmp_path / "w.yaml"
    weights.write_text("shape_disk: 5\nbar_no: 0\n")
    report = score(gz, weights=str(weights))
    assert (report.galaxies, report.total, report.weighted, report.changed) == (N, N, 2, True)
    counts, concentrations = random_counts(N), random_concentrations(N)
    totals = question_totals(counts)
    with np.errstate(invalid="ignore"):
        observed = counts / totals[:, TOY.question_of]
    predicted = expected_fractions(concentrations)
    ce = cross_entropy(observed, predicted)
    factors = np.array([1, 5, 1, 1, 1, 1, 1, 0, 1, 1])
    np.testing.assert_array_equal(matrix(gz, "observed"), observed)
    np.testing.assert_array_equal(matrix(gz, "predicted"), predicted)
    np.testing.assert_array_equal(matrix(gz, "ce"), ce)
    np.testing.assert_array_equal(matrix(gz, "weight"), np.tile(factors, (N, 1)))
    np.testing.assert_array_equal(matrix(gz, "weighted_ce"), factors * ce)
    np.testing.assert_allclose(
        matrix(gz, "reach_weighted_ce"), TOY.reach(predicted)[:, TOY.question_of] * ce, rtol=1e-6
    )  # reach is stored as float32
    np.testing.assert_array_equal(matrix(gz, "total_votes"), totals[:, TOY.question_of])
    np.testing.assert_array_equal(
        matrix(gz, "nll", "question_loss", 4),
        dirichlet_multinomial_nll(counts, concentrations, TOY),
    )
    np.testing.assert_array_equal(matrix(gz, "total_votes", "question_loss", 4), totals)


def test_sql_gives_the_same_cross_entropy(gz: Path) -> None:
    score(gz)
    far = rows(
        gz,
        """SELECT count(*) AS rows, max(abs(l.ce - (
    CASE v.fraction WHEN 0 THEN 0 ELSE -v.fraction * ln(p.fraction) END +
    CASE v.fraction WHEN 1 THEN 0 ELSE -(1 - v.fraction) * ln(1 - p.fraction) END))) AS off
FROM losses l JOIN votes v USING (galaxy_id, label) JOIN predictions p USING (galaxy_id, label)
WHERE (l.ce IS NULL) = (v.total = 0)""",
    )
    assert far[0]["rows"] == N * A
    assert far[0]["off"] < 1e-12


def test_one_row_per_galaxy_and_answer_in_galaxy_order(
    gz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.jobs.score.SHARD", 7)
    run = score(gz).run_id
    keys = rows(gz, "SELECT galaxy_id, answer_id FROM loss")
    assert [tuple(key.values()) for key in keys] == [(g, a) for g in range(N) for a in range(A)]
    with Store.open(gz, read_only=True) as store:
        assert store.shards(store.run(run)) == 5


def test_again_nothing_changes(gz: Path) -> None:
    first = score(gz)
    second = score(gz)
    assert not second.changed
    assert (second.run_id, second.galaxies, second.total) == (first.run_id, 0, N)
    assert rows(gz, "SELECT count(*) AS n FROM loss") == [{"n": N * A}]


def test_more_predictions_of_a_run_extend_its_losses(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(N))
    concentrations = random_concentrations(N)
    with Store.open(path) as store:
        add_predictions(store, concentrations[::2], galaxy_ids=range(0, N, 2))
    first = score(path)
    assert first.galaxies == first.total == N // 2
    with Store.open(path) as store:
        add_predictions(store, concentrations[1::2], galaxy_ids=range(1, N, 2), shard="more")
    second = score(path)
    assert (second.run_id, second.galaxies, second.total) == (first.run_id, N // 2, N)
    np.testing.assert_array_equal(matrix(path, "predicted"), expected_fractions(concentrations))


@pytest.mark.parametrize("news", ["votes", "predictions"])
def test_news_are_scored_in_a_run_of_their_own(gz: Path, news: str) -> None:
    first = score(gz)
    with Store.open(gz) as store:
        if news == "votes":
            add_votes(store, random_counts(2))
        else:
            add_predictions(store, random_concentrations(N, seed=7), seed=1)
    second = score(gz)
    assert second.run_id > first.run_id
    assert second.galaxies == N
    assert rows(gz, "SELECT DISTINCT run_id FROM losses") == [{"run_id": second.run_id}]


def test_other_weights_are_another_run_and_the_old_stays(gz: Path, tmp_path: Path) -> None:
    weights = tmp_path / "w.csv"
    weights.write_text("label,weight\nbar_no,3\n")
    first, second = score(gz), score(gz, weights=str(weights))
    assert second.run_id > first.run_id
    kept = rows(gz, "SELECT run_id, max(weight) AS w FROM history.losses GROUP BY ALL ORDER BY 1")
    assert kept == [{"run_id": first.run_id, "w": 5.0}, {"run_id": second.run_id, "w": 3.0}]


def test_the_same_weights_from_a_file_are_the_same_run(gz: Path, tmp_path: Path) -> None:
    weights = tmp_path / "w.yaml"
    weights.write_text("bar_weak: 5\nbar_no: 5\nmerging_none: 5\n")  # the toy's of the paper's
    first, second = score(gz, weights="paper"), score(gz, weights=str(weights))
    assert second.run_id == first.run_id
    assert not second.changed
    assert first.weighted == 3
    assert "how-rounded_round" in first.absent
    assert "not in this tree: " in first.summary


def test_only_galaxies_with_votes_and_predictions_are_scored(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(4))
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(3), galaxy_ids=[2, 3, 50])
    assert score(path).total == 2
    assert {row["galaxy_id"] for row in rows(path, "SELECT galaxy_id FROM loss")} == {2, 3}


def test_a_question_with_other_answers_has_votes_but_no_loss(tmp_path: Path) -> None:
    counts = np.ones((1, A))
    totals = question_totals(counts)
    totals[0, 3] = 30
    path = catalogue(
        tmp_path / "gz.duckdb", counts, totals=totals, concentrations=random_concentrations(1)
    )
    score(path)
    assert rows(
        path,
        "SELECT DISTINCT observed, ce, weighted_ce, reach_weighted_ce, total_votes FROM losses "
        "WHERE question = 'merging'",
    ) == [
        {
            "observed": None,
            "ce": None,
            "weighted_ce": None,
            "reach_weighted_ce": None,
            "total_votes": 30.0,
        }
    ]
    nll = rows(path, "SELECT nll, total_votes FROM question_losses WHERE question = 'merging'")
    assert nll == [{"nll": None, "total_votes": 30.0}]


def test_plain_fractions_have_a_loss_but_no_likelihood(tmp_path: Path) -> None:
    counts = np.ones((2, A))
    counts[1, TOY.slices[1]] = 0
    path = catalogue(tmp_path / "gz.duckdb", counts)
    fractions = expected_fractions(random_concentrations(2))
    fractions[:, TOY.slices[2]] = np.nan  # the file has no bars
    fractions[0, TOY.slices[1]] = [0.0, 1.0]  # rounded: volunteers say it is not impossible
    with Store.open(path) as store:
        add_fractions(store, fractions)
    score(path)
    ce = matrix(path, "ce")
    np.testing.assert_array_equal(ce[0], cross_entropy(OBSERVED_ONES, fractions[0]))
    assert np.isposinf(ce[0, TOY.slices[1]]).all()
    assert np.isnan(ce[:, TOY.slices[2]]).all()
    nll = matrix(path, "nll", "question_loss", 4)
    assert nll[1, 1] == 0  # nobody was asked
    assert np.isnan(np.delete(nll.ravel(), 5)).all()


def test_an_infinite_loss_without_weight_does_not_rank(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", np.ones((1, A)))
    fractions = expected_fractions(random_concentrations(1))
    fractions[0, 3:5] = [0, 1]
    weights = tmp_path / "w.yaml"
    weights.write_text("round_yes: 0\nround_no: 0\n")
    with Store.open(path) as store:
        add_fractions(store, fractions)
    score(path, weights=str(weights))
    assert matrix(path, "weighted_ce")[0, 3:5].tolist() == [0, 0]


def test_the_real_votes(data: Path, tmp_path: Path) -> None:
    import pandas as pd

    from zoolens.catalog.trees.published import get_tree

    tree = get_tree("gzd5")
    table = pd.read_csv(data / "gzd5_votes.csv")
    counts = table.reindex(columns=tree.labels, fill_value=0.0).to_numpy(float)
    totals = table[[f"{q.name}_total-votes" for q in tree.questions]].to_numpy(float)
    concentrations = random_concentrations(len(table), 2, tree)
    path = catalogue(
        tmp_path / "gz.duckdb",
        counts,
        totals=totals,
        concentrations=concentrations,
        tree=tree,
        names=table["iauname"].tolist(),
    )
    report = score(path)
    assert report.total == 1088
    assert report.weighted == 14
    assert report.absent == ()
    observed = matrix(path, "observed", width=34)
    expected = table.reindex(columns=[f"{label}_fraction" for label in tree.labels]).to_numpy()
    merging = tree.slices[[q.name for q in tree.questions].index("merging")]
    assert np.isnan(observed[:, merging]).all()  # asked with its older answers
    expected[:, merging] = np.nan
    expected[totals[:, tree.question_of] == 0] = np.nan
    np.testing.assert_allclose(observed, expected, atol=1e-9)
    (merger,) = rows(
        path, "SELECT count(*) AS n, count(ce) AS ce FROM losses WHERE question = 'merging'"
    )
    assert merger == {"n": 4 * 1088, "ce": 0}


def test_what_cannot_be_scored(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    with pytest.raises(CatalogError, match="has no predictions"):
        score(path)
    with pytest.raises(TableRefused, match="neither a preset"):
        score(path, weights="papre")
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(1), galaxy_ids=[99])
    with pytest.raises(CatalogError, match="both votes and predictions"):
        score(path)
    with pytest.raises(CatalogError, match="no catalogue"):
        score(tmp_path / "absent.duckdb")


def test_an_interrupted_run_goes_on_where_it_stopped(
    gz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.jobs.score.SHARD", 4)
    commit = Store.commit
    done: list[object] = []

    def stop_after_three(store: Store, *shard: object) -> None:
        if len(done) == 3:
            raise KeyboardInterrupt
        commit(store, *shard)  # type: ignore[arg-type]
        done.append(shard)

    monkeypatch.setattr(Store, "commit", stop_after_three)
    with pytest.raises(KeyboardInterrupt):
        score(gz)
    monkeypatch.setattr(Store, "commit", commit)
    assert rows(gz, "SELECT count(*) AS n FROM losses") == [{"n": 0}]  # not complete: not shown
    report = score(gz)
    assert (report.galaxies, report.total) == (N - 12, N)
    whole = rows(gz, "SELECT galaxy_id, count(*) AS n FROM losses GROUP BY ALL ORDER BY 1")
    assert whole == [{"galaxy_id": g, "n": A} for g in range(N)]


def score_in_small_shards(path: Path) -> None:
    zoolens.jobs.score.SHARD = 40
    score(path)


def test_killed_at_random_moments_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    many = 3000
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(many), concentrations=random_concentrations(many)
    )
    random = np.random.default_rng()
    kills = 0
    for _ in range(4):
        job = started(score_in_small_shards, path)
        time.sleep(random.uniform(0.1, 0.8))
        kills += killed(job)
    assert kills
    report = score(path)
    assert report.total == many
    assert rows(
        path,
        "SELECT count(*) AS n, count(DISTINCT (galaxy_id, label)) AS keys FROM losses",
    ) == [{"n": many * A, "keys": many * A}]
    assert rows(path, "SELECT count(*) AS n FROM question_losses") == [{"n": many * 4}]


def test_weights_asked_for_again_rank_again(gz: Path) -> None:
    worst = "SELECT weighted_ce / ce AS factor FROM worst"
    score(gz, weights="none")
    assert {row["factor"] for row in rows(gz, worst)} == {1.0}
    first = score(gz, weights="paper")
    again = score(gz, weights="none")
    assert again.changed
    assert again.run_id != first.run_id
    assert again.galaxies == 0
    assert {row["factor"] for row in rows(gz, worst)} == {1.0}
    assert not score(gz, weights="none").changed
