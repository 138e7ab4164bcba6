"""Who may be a counterpart, against loops over the votes."""

from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    catalogue,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.similarity.candidates import ENOUGH, FEWER, Candidates, candidates_of
from zoolens.catalog.store.store import Store

N = 30


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("candidates") / "gz.duckdb"
    return catalogue(path, random_counts(N, most=20), concentrations=random_concentrations(N))


@pytest.mark.parametrize("min_votes", [None, 0, 4, 15, 99])
def test_they_were_asked_by_enough(path: Path, min_votes: float | None) -> None:
    totals = question_totals(random_counts(N, most=20))[:, 2]
    held = np.arange(0, N, 2)  # as if the others had no predictions
    with Store.open(path, read_only=True) as store:
        run = store.newest_run("predict")
        found = candidates_of(store, run, held, TOY.answer_id("bar_weak"), min_votes)
    fewest = 10 if min_votes is None else min_votes
    everyone = np.arange(N + 5)
    for tier, wanted in (
        (ENOUGH, [n for n in held if totals[n] > 0 and totals[n] >= fewest]),
        (FEWER, [n for n in held if 0 < totals[n] < fewest and min_votes is None]),
    ):
        assert np.flatnonzero(found.among(everyone, tier)).tolist() == wanted
    enough, every = found.others(int(held[0]))
    asked = [n for n in held[1:] if totals[n] > 0]
    assert enough == sum(totals[n] >= fewest for n in asked)
    assert every == (len(asked) if min_votes is None else enough)


def test_a_galaxy_beyond_all_candidates_is_none() -> None:
    found = Candidates(np.array([0, 1, 2**40]), np.array([0, ENOUGH, FEWER], np.uint8), 10)
    assert found.among(np.array([2**40, 1, 7]), ENOUGH).tolist() == [False, True, False]
    assert found.others(7) == (1, 2)
    assert found.others(1) == (0, 1)
