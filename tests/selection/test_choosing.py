"""The selection against one written out in Python, from the public views."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import (
    TOY,
)
from tests.made.selections import best_of, everything
from tests.oracles.selection import slow_choice, slow_scores
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.selection.acquisition import Scores, read_scores
from zoolens.catalog.selection.choosing import Pick, choose, read_quotas
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow

N = 60
QUESTIONS = [question.name for question in TOY.questions]


def named(store: Store, picks: Sequence[Pick]) -> list[tuple[str, str, bool]]:
    rows = store.arrow("SELECT galaxy_id, iauname FROM galaxies").to_pylist()
    names = {row["galaxy_id"]: row["iauname"] for row in rows}
    return [(names[p.galaxy_id], QUESTIONS[p.question], p.by_quota) for p in picks]


@pytest.mark.parametrize("refuse_every", [None, 2, 3])
@pytest.mark.parametrize(
    ("by", "min_votes", "max_votes"),
    [
        ("mutual_information", 0, None),
        ("mutual_information", 0, 20),
        ("mutual_information", 0, 0),
        ("loss", 0, None),
        ("loss", 10, None),
        ("loss", 3, 25.5),
    ],
)
@pytest.mark.parametrize(
    ("budget", "quotas"),
    [
        (1, {}),
        (12, {}),
        (500, {}),
        (12, {"bar": 4, "shape": 3}),
        (12, {"shape": 3, "bar": 4}),
        (10, {"merging": 10}),
        (500, {"round": 400, "bar": 90}),
    ],
)
def test_selection_as_written_out(
    gz: Store,
    by: str,
    min_votes: float,
    max_votes: float | None,
    budget: int,
    quotas: dict[str, int],
    refuse_every: int | None,
) -> None:
    rows = gz.arrow("SELECT iauname, image FROM galaxies").to_pylist()
    with_image = {row["iauname"] for row in rows if row["image"] is not None}
    asked: list[str] = []

    def usable(name: str) -> bool:
        return refuse_every is None or int(name[1:]) % refuse_every > 0

    def use(picks: Sequence[Pick]) -> Iterator[bool]:
        for name, _, _ in named(gz, picks):
            asked.append(name)
            yield usable(name)

    worth = slow_scores(gz, by, min_votes, max_votes)
    expected = slow_choice(worth, with_image, by, budget, quotas, usable)
    scores = read_scores(gz, by, quotas=list(quotas), min_votes=min_votes, max_votes=max_votes)
    picks = choose(best_of(scores), budget, quotas, use)
    assert named(gz, picks) == expected
    assert len(asked) == len(set(asked))  # nobody is asked twice, or when there are enough
    assert sum(map(usable, asked)) == len(picks) <= budget
    for pick, (name, question, by_quota) in zip(picks, expected, strict=True):
        if by_quota or by == "loss":
            assert pick.score == pytest.approx(worth[name, question])
        else:
            assert pick.score == pytest.approx(sum(worth.get((name, q), 0) for q in QUESTIONS))
    without = {name for (name, _), value in worth.items() if value > 0} - with_image
    assert scores.without_image == len(without)


def test_loss_is_ranked_as_by_the_ranking(gz: Store) -> None:
    ranked = rank_galaxies(gz, 1000, min_votes=5)["galaxy_id"].to_pylist()
    scores = read_scores(gz, "loss", min_votes=5)
    picks = choose(best_of(scores), 1000, {}, everything)
    with_image = {i for i in range(N) if i % 6}
    assert [pick.galaxy_id for pick in picks] == [i for i in ranked if i in with_image]


def test_galaxies_without_votes_are_there_to_be_asked_about(gz: Store) -> None:
    picks = choose(best_of(read_scores(gz)), 1000, {}, everything)
    assert {i for i in range(50, N) if i % 6} <= {pick.galaxy_id for pick in picks}
    unasked = choose(best_of(read_scores(gz, max_votes=0)), 1000, {}, everything)
    assert 0 < len(unasked) < len(picks)


def test_quotas_are_read_in_order() -> None:
    assert list(read_quotas(["merging=2", "bar=3"], TOY, 5).items()) == [("merging", 2), ("bar", 3)]
    assert read_quotas([], TOY, 5) == {}


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        (["bra=1"], UnknownName, "no question 'bra' in tree toy; nearest: bar"),
        (["bar=3", "shape=3"], CatalogError, "quotas are 6 galaxies, above the budget of 5"),
        (["bar=1", "bar=2"], CatalogError, "two quotas for bar"),
        *(
            ([text], CatalogError, "write QUESTION=N")
            for text in ("bar", "bar=", "=3", "bar=0", "bar=-1", "bar=1.5", "bar=²", "", "3")
        ),
    ],
)
def test_bad_quotas(given: list[str], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        read_quotas(given, TOY, 5)


levels = st.lists(st.integers(0, 3), min_size=1, max_size=25)


@given(levels, st.integers(1, 30), st.sets(st.integers(0, 24)), st.sets(st.integers(0, 24)))
def test_equals_go_by_place_and_no_place_is_lost(
    values: list[int], budget: int, refused: set[int], without_image: set[int]
) -> None:
    """Many equals, many refusals: the best that can be used, and no others."""
    n = len(values)
    scores = Scores(
        run_id=1,
        galaxy_id=np.arange(n),
        has_image=~np.isin(np.arange(n), list(without_image)),
        total=np.array(values, float),
        question=np.zeros(n, np.int16),
        of={},
    )
    ranked = sorted((-value, i) for i, value in enumerate(values) if value > 0)
    expected = [i for _, i in ranked if i not in refused and i not in without_image][:budget]

    def use(picks: Sequence[Pick]) -> Iterator[bool]:
        return (pick.galaxy_id not in refused for pick in picks)

    assert [p.galaxy_id for p in choose(best_of(scores), budget, {}, use)] == expected
