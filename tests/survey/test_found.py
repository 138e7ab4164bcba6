"""What was found in the pieces of a survey."""

from pathlib import Path

import numpy as np
import pytest

from zoolens.catalog.similarity.places import Hit
from zoolens.catalog.similarity.queries import Source
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import open_survey
from zoolens.catalog.survey.found import BestHits, Found


def test_the_best_of_two_pieces_are_those_of_one_ranking() -> None:
    random = np.random.default_rng(0)
    hits = [
        Hit(number, -float(random.integers(1, 9)), bool(random.integers(2)))
        for number in range(1, 31)
    ]
    best = BestHits(10)
    best.add(hits[::2])
    best.add(hits[1::2])
    ranked = sorted(hits, key=lambda hit: hit.galaxy_id)  # each sort keeps the one before
    ranked = sorted(sorted(ranked, key=lambda hit: hit.score, reverse=True), key=_few)
    assert best.hits == ranked[:10]


def _few(hit: Hit) -> bool:
    return not hit.enough


@pytest.mark.slow
def test_what_pieces_know_is_what_the_whole_knows(full_gz: Path, full_survey: Path) -> None:
    where: dict[int, Path] = {}
    for path in open_survey(full_survey).paths:
        with Store.open(path, read_only=True) as store:
            where |= {number: path for (number,) in store.rows("SELECT galaxy_id FROM galaxies")}
    with Store.open(full_gz, read_only=True) as store:
        whole = Source.of(store)
        ids = np.sort(np.array([*where], np.int64))[::2]
        found = Found(store.tree, where)
        for name in ("observed", "predicted", "totals"):
            known, expected = (getattr(one.known(ids), name) for one in (found, whole))
            np.testing.assert_array_equal(known, expected)
        assert found.names(ids) == whole.names(ids)
        assert found.without_votes(ids).tolist() == whole.without_votes(ids).tolist()
