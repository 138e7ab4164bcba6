"""What more votes on a galaxy are worth, against the public views."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_fractions,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.selections import best_of, everything, give_images, inform
from tests.oracles.selection import slow_scores
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.selection.acquisition import Scores, read_scores
from zoolens.catalog.selection.choosing import choose
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"by": "entropy"}, "choose one of mutual_information, loss"),
        ({"max_votes": -1}, "0 or more"),
        ({"max_votes": float("nan")}, "0 or more"),
        ({"by": "loss", "min_votes": float("nan")}, "0 or more"),
        ({"min_votes": 3}, "needs no votes"),
        ({"by": "loss", "min_votes": 1e9}, "other --min-votes"),
    ],
)
def test_bad_choices(gz: Store, choice: dict[str, Any], told: str) -> None:
    with pytest.raises(CatalogError, match=told):
        read_scores(gz, **choice)


def test_the_newest_predictions_are_ranked(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(4), concentrations=random_concentrations(4)
    )
    with Store.open(path) as store:
        give_images(store, range(4))
        run = add_predictions(store, random_concentrations(2), galaxy_ids=[3, 1], seed=9)
        inform(store, {(1, 0): 0.2})
        scores = read_scores(store)
        picks = choose(best_of(scores), 9, {}, everything)
        assert scores.run_id == run
        assert [pick.galaxy_id for pick in picks] == [1, 3]


def test_without_mutual_information_the_way_out_is_told(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(4))
    with Store.open(path) as store:
        give_images(store, range(4))
        with pytest.raises(CatalogError, match="zoolens predict"):
            read_scores(store)
        add_fractions(store, np.full((4, len(TOY.labels)), 0.4))  # published fractions
        with pytest.raises(CatalogError, match="--samples above 0, or select --by loss"):
            read_scores(store)
        add_predictions(store, random_concentrations(4, samples=1))
        for value in (0.0, None):  # dropout off
            inform(store, {(g, q): value for g in range(4) for q in range(4)})
            with pytest.raises(CatalogError, match="--samples above 0"):
                read_scores(store)
        inform(store, {(2, 1): 0.5})
        assert [p.galaxy_id for p in choose(best_of(read_scores(store)), 9, {}, everything)] == [2]


@pytest.mark.parametrize(
    ("by", "min_votes", "max_votes"),
    [
        ("mutual_information", 0, None),
        ("mutual_information", 0, 20),
        ("loss", 0, None),
        ("loss", 3, 25.5),
    ],
)
def test_scores_are_those_of_the_views(
    gz: Store, by: str, min_votes: float, max_votes: float | None
) -> None:
    worth = slow_scores(gz, by, min_votes, max_votes)
    questions = [question.name for question in TOY.questions]
    scores = read_scores(gz, by, quotas=["bar"], min_votes=min_votes, max_votes=max_votes)
    known = gz.arrow("SELECT galaxy_id, image FROM galaxies ORDER BY iauname").to_pylist()
    assert scores.galaxy_id.tolist() == [row["galaxy_id"] for row in known]
    assert scores.has_image.tolist() == [row["image"] is not None for row in known]
    names = gz.arrow("SELECT iauname FROM galaxies ORDER BY iauname")["iauname"].to_pylist()
    for place, name in enumerate(names):
        own = [worth.get((name, question), 0.0) for question in questions]
        total = sum(own) if by == "mutual_information" else max(own)
        assert scores.total[place] == pytest.approx(total)
        assert scores.question[place] == (np.argmax(own) if max(own) > 0 else -1)
        assert scores.of["bar"][place] == pytest.approx(own[questions.index("bar")])


def test_what_lacks_an_image_is_counted_where_it_is_worth_anything() -> None:
    has, total = np.array([True, False, False, False]), np.array([1.0, 2.0, 0.0, 3.0])
    scores = Scores(1, np.arange(4), has, total, np.zeros(4, np.int16), {})
    assert scores.without_image == 2
