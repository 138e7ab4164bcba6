"""Counterparts sought in all pieces, beside those of the whole catalogue."""

from pathlib import Path

import pytest

from tests.made.placed import PIECES, place, survey_of
from tests.made.releases import full_catalogue
from zoolens.catalog.similarity.counterparts import find_many
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.best_counterparts import best_counterparts

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
    home: dict[int, Path] = {}
    paths = [piece.path(folder) for piece in PIECES]
    for one in paths:
        with Store.open(one, read_only=True) as store:
            home |= {number: one for (number,) in store.rows("SELECT galaxy_id FROM galaxy")}
    asked = {number: home[number] for number in ids.tolist()}
    assert len({*asked.values()}) == len(PIECES)
    best = best_counterparts(paths, asked, ids, answers, min_votes)
    assert best.described() == expected
    names = [
        tuple(next((c.iauname for c in some), None) for some in (one.observed, one.predicted))
        for one in expected
    ]
    assert best.named() == names
    assert (names[0] == (None, None)) == (min_votes == 1e6)
    assert best.where.items() <= home.items()
