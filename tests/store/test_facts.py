"""Facts of every answer, against the public views."""

from collections.abc import Iterator

import pytest

from tests.made.catalogues import (
    TOY,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.store.facts import facts_of
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Six galaxies, four of them predicted and scored; then predicted again, not scored."""
    path = catalogue(tmp_path_factory.mktemp("facts") / "gz.duckdb", random_counts(6))
    with Store.open(path) as made:
        add_predictions(made, random_concentrations(4), galaxy_ids=[0, 1, 3, 5])
    score(path)
    with Store.open(path) as made:
        add_predictions(made, random_concentrations(2, seed=8), galaxy_ids=[1, 2], seed=8)
        yield made


def view(store: Store, sql: str, galaxy: int) -> dict[str, tuple[object, ...]]:
    rows = store.rows(f"SELECT label, {sql} AND galaxy_id = ?", [galaxy])
    return {label: tuple(values) for label, *values in rows}


@pytest.mark.parametrize("predict_run", [2, None])
def test_they_are_those_of_the_views(store: Store, predict_run: int | None) -> None:
    wanted = [3, 1, 2, 4]
    score_run = None if predict_run is None else store.complete_runs("score")[-1].run_id
    found = facts_of(store, wanted, predict_run=predict_run, score_run=score_run)
    assert list(found) == wanted
    run = store.newest_run("predict") if predict_run is None else predict_run
    for galaxy in wanted:
        facts = found[galaxy]
        assert [fact.label for fact in facts] == list(TOY.labels)
        assert [f"{fact.question}_{fact.answer}" for fact in facts] == list(TOY.labels)
        votes = view(store, "count, total, fraction FROM votes WHERE true", galaxy)
        predicted = view(
            store,
            f"fraction, fraction_lo, fraction_hi FROM history.predictions WHERE run_id = {run}",
            galaxy,
        )
        losses = view(store, "ce FROM history.losses WHERE true", galaxy)
        for fact in facts:
            assert (fact.count, fact.total, fact.observed) == votes[fact.label]
            nothing = (None, None, None)
            assert (fact.predicted, fact.lo, fact.hi) == predicted.get(fact.label, nothing)
            # a loss of another prediction than the one told is no fact
            scored = predict_run is not None and fact.label in losses
            assert (fact.ce,) == (losses[fact.label] if scored else (None,))
    told = [fact.ce for facts in found.values() for fact in facts if fact.ce is not None]
    assert (len(told) > 0) == (predict_run is not None)


def test_nobody_has_no_facts(store: Store) -> None:
    assert facts_of(store, []) == {}
