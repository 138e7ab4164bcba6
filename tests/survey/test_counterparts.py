"""Counterparts sought in all pieces, beside those of the whole catalogue."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.made.placed import PIECES, place, survey_of
from tests.made.releases import full_catalogue
from zoolens.catalog.similarity.counterparts import find_many
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.counterparts import (
    best_counterparts,
    described_counterparts,
    named_counterparts,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("min_votes", [None, 12, 1e6])
def test_they_are_those_of_the_whole(tmp_path: Path, min_votes: float | None) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb")
    place(path, mixed=True)
    folder = survey_of(path, tmp_path / "survey")
    with Store.open(path, read_only=True) as store:
        worst = rank_galaxies(store, 15)
        ids, answers = (worst[name].to_numpy() for name in ("galaxy_id", "answer_id"))
        expected = find_many(store, ids.tolist(), answers.tolist(), min_votes=min_votes)
    opened: dict[int, Callable[[], Store]] = {}
    piece = np.full(len(ids), -1)
    for number, one in enumerate(PIECES):
        opened[number] = partial(Store.open, one.path(folder), read_only=True)
        with opened[number]() as store:
            held = store.arrow("SELECT galaxy_id FROM galaxy")["galaxy_id"].to_numpy()
        piece[np.isin(ids, held)] = number
    assert len({*piece.tolist()}) == len(PIECES)
    best = best_counterparts(opened, piece, ids, answers, min_votes)
    assert described_counterparts(opened, best) == expected
    names = [
        tuple(next((c.iauname for c in some), None) for some in (one.observed, one.predicted))
        for one in expected
    ]
    assert named_counterparts(opened, best) == names
    assert (names[0] == (None, None)) == (min_votes == 1e6)
