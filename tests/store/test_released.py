"""What a release reads, against the public views."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import TOY, catalogue, random_counts
from tests.made.release_tables import awkward
from tests.made.releases import EXPLAINED, N, full_catalogue
from zoolens.catalog.store.released import (
    Runs,
    answers_of_tree,
    galaxy_facts,
    galaxy_without_position,
    has_posteriors,
    ledger_of,
    newest_explain_run,
    read_values,
    read_view,
    sorted_rows,
    votes_are_whole,
)
from zoolens.catalog.store.store import Store

IDS = np.array([0, 3, 4, 9, N - 2, N - 1])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = full_catalogue(tmp_path_factory.mktemp("released") / "gz.duckdb")
    with Store.open(path) as opened:
        opened.execute(
            "UPDATE prediction SET fraction_sd = fraction / 9, fraction_lo = fraction / 2, "
            "fraction_hi = (1 + fraction) / 2"
        )
        yield opened


@pytest.fixture(scope="module")
def runs(store: Store) -> Runs:
    predict = store.newest_run("predict")
    return Runs(predict, store.newest_run("score"), newest_explain_run(store, predict))


# Values of answers or questions as a release calls them, and where the views have them.
ANSWERS = {
    "count": ("votes", "count"),
    "total": ("votes", "total"),
    "fraction": ("votes", "fraction"),
    "concentration": ("predictions", "concentration"),
    "pred_frac": ("predictions", "fraction"),
    "sd": ("predictions", "fraction_sd"),
    "lo": ("predictions", "fraction_lo"),
    "hi": ("predictions", "fraction_hi"),
    "reach": ("predictions", "reach"),
    "ce": ("losses", "ce"),
    **{
        name: ("saliency_stats WHERE of = 'concentration'", name)
        for name in (
            *("on_target", "centroid_offset", "entropy"),
            *("increase", "decrease", "peak_x", "peak_y"),
        )
    },
    **{
        name: ("saliency_stats WHERE of = 'fraction'", name)
        for name in ("on_galaxy", "on_neighbours", "on_sky")
    },
}
QUESTIONS = {
    "nll": ("question_losses", "nll"),
    "mutual_information": ("question_losses", "mutual_information"),
}


@pytest.mark.parametrize("name", [*ANSWERS, *QUESTIONS])
def test_matrices_are_the_views(store: Store, runs: Runs, name: str) -> None:
    by_answer = name in ANSWERS
    view, column = {**ANSWERS, **QUESTIONS}[name]
    key = "label" if by_answer else "question"
    keys = TOY.labels if by_answer else [question.name for question in TOY.questions]
    found = read_values(store, TOY, runs, IDS, {name})[name]
    shown = {
        (galaxy, one): value
        for galaxy, one, value in store.rows(f"SELECT galaxy_id, {key}, {column} FROM {view}")
    }
    expected = [[shown.get((galaxy, one)) for one in keys] for galaxy in IDS.tolist()]
    np.testing.assert_array_equal(found, np.array(expected, float))
    assert np.isfinite(found).any()


@pytest.mark.parametrize(
    "view", ["votes", "predictions", "losses", "question_losses", "saliency_stats"]
)
def test_rows_are_those_of_the_view(store: Store, runs: Runs, view: str) -> None:
    columns = [name for name, *_ in store.rows(f"DESCRIBE {view}") if "_id" not in name]
    found = read_view(store, view, columns, runs, IDS)
    key = "question" if view == "question_losses" else "label"
    keys = [question.name for question in TOY.questions] if key == "question" else [*TOY.labels]
    rows = store.arrow(
        f"SELECT galaxy_id, {', '.join(columns)} FROM {view} "
        f"WHERE galaxy_id IN ({', '.join(map(str, IDS))})"
    ).to_pylist()
    rows.sort(key=lambda row: (row.pop("galaxy_id"), keys.index(row[key]), row.get("of")))
    assert found.to_pylist() == rows
    assert len(rows) > 10


@pytest.mark.parametrize("min_votes", [0, 25])
def test_galaxies_have_their_place_in_the_ranking(store: Store, min_votes: float) -> None:
    reader = galaxy_facts(store, min_votes, 7)
    found = [row for batch in reader for row in batch.to_pylist()]
    voted = {
        galaxy
        for galaxy, total in store.rows("SELECT galaxy_id, max(total) FROM votes GROUP BY ALL")
        if total >= min_votes
    }
    assert [row["galaxy_id"] for row in found] == sorted(voted if min_votes else range(N))
    if min_votes:
        assert 0 < len(found) < N
        return
    ranked = {
        galaxy: rest
        for galaxy, *rest in store.rows("SELECT galaxy_id, rank, label, weighted_ce, ce FROM worst")
    }
    for row in found:
        told = [row[name] for name in ("rank", "worst_answer", "worst_weighted_ce", "worst_ce")]
        assert told == ranked.get(row["galaxy_id"], [None] * 4)


def test_the_ledger_holds_what_a_release_is_made_of(store: Store, runs: Runs) -> None:
    ledger = ledger_of(store, runs)
    jobs = [row["job"] for row in ledger]
    assert sorted(jobs) == ["explain", "ingest", "ingest", "predict", "score"]
    assert [row["run_id"] for row in ledger] == sorted(row["run_id"] for row in ledger)
    explained = next(row for row in ledger if row["job"] == "explain")
    assert explained["config"]["predict_run"] == runs.predict
    without = ledger_of(store, Runs(runs.predict, runs.score, None))
    assert [row["job"] for row in without] == [job for job in jobs if job != "explain"]


def test_only_a_run_that_explains_these_predictions_counts(store: Store, runs: Runs) -> None:
    assert runs.explain is not None
    assert len(EXPLAINED) == store.value("SELECT count(DISTINCT galaxy_id) FROM saliency_stats")
    assert newest_explain_run(store, 999) is None
    assert has_posteriors(store, runs.predict)
    assert not has_posteriors(store, 999)


def test_votes_and_positions_are_looked_at(tmp_path: Path) -> None:
    counts = random_counts(4)
    path = catalogue(tmp_path / "gz.duckdb", counts, names=["d", "c", "b", "a"])
    with Store.open(path) as gz:
        assert votes_are_whole(gz)
        assert galaxy_without_position(gz) is None
        gz.execute("UPDATE galaxy SET ra = NULL WHERE iauname = 'c'")
        gz.execute("UPDATE galaxy SET dec = NULL WHERE iauname = 'b'")
        assert galaxy_without_position(gz) == "b"
        gz.execute("UPDATE vote SET count = 0.5 WHERE galaxy_id = 2 AND answer_id = 0")
        assert not votes_are_whole(gz)


def test_the_tree_is_told_in_its_order(store: Store) -> None:
    rows = answers_of_tree(store).to_pylist()
    assert [row["label"] for row in rows] == list(TOY.labels)
    assert [f"{row['question']}_{row['answer']}" for row in rows] == list(TOY.labels)
    after = {question.name: ",".join(question.asked_after) for question in TOY.questions}
    assert all(row["asked_after"] == after[row["question"]] for row in rows)


def test_rows_of_a_file_in_order(store: Store, tmp_path: Path) -> None:
    table = awkward(12).select(["letter", "objid", "votes"])
    pq.write_table(table, tmp_path / "t.parquet")
    reader = sorted_rows(store, str(tmp_path / "t.parquet"), "objid DESC, letter NULLS LAST", 5)
    found = [row for batch in reader for row in batch.to_pylist()]
    expected = sorted(
        table.to_pylist(),
        key=lambda row: (-row["objid"], row["letter"] is None, row["letter"] or ""),
    )
    assert [(row["objid"], row["letter"]) for row in found] == [
        (row["objid"], row["letter"]) for row in expected
    ]
