"""Which galaxies are explained, for which answer, beside which counterparts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_images,
    add_votes,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.explain.choice import Choice, Subject, Which, choose, find_subjects
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.similarity.exchange import Exchange
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.jobs.index import index
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow

N = 12


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Twelve galaxies, `merging` asked of each but the first; one more without predictions."""
    counts = random_counts(N, seed=3)
    counts[1:, TOY.slices[3]] = [2, 1]
    counts[0, TOY.slices[3]] = 0
    path = tmp_path_factory.mktemp("choice") / "gz.duckdb"
    catalogue(path, counts, concentrations=random_concentrations(N))
    with Store.open(path) as opened:
        add_votes(opened, np.ones((1, len(TOY.labels))))
        image = {"format": "PNG", "height": 9, "width": 9, "sha256": "00" * 32}
        add_images(opened, [{"galaxy_id": i, "source": f"/{i}.png", **image} for i in (5, 2)])
    score(path)
    index(path)
    with Store.open(path, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize(
    "given", [{}, {"worst": 2, "everything": True}, {"names": ["G0001"], "worst": 1}]
)
def test_one_way_of_saying_which(given: dict[str, Any]) -> None:
    with pytest.raises(CatalogError, match="names of galaxies, the worst N, or all"):
        Which(**given)


def test_the_worst_under_a_condition(store: Store) -> None:
    names = [row["iauname"] for row in rank_galaxies(store, 4, min_votes=2).to_pylist()]
    condition = f"iauname <> '{names[0]}'"
    found = choose(store, Which(worst=2, min_votes=2, where=condition))
    ranked = rank_galaxies(store, 3, min_votes=2).to_pylist()[1:]
    assert [choice.galaxy_id for choice in found] == [row["galaxy_id"] for row in ranked]
    with pytest.raises(CatalogError, match="among the worst galaxies: say how many"):
        Which(names=names[:1], where=condition)
    with pytest.raises(CatalogError, match="has iauname = 'none'; loosen"):
        choose(store, Which(worst=2, where="iauname = 'none'"))


@pytest.mark.parametrize("answer", [None, "merging_none"])
def test_the_worst_are_those_of_the_ranking(store: Store, answer: str | None) -> None:
    ranking = rank_galaxies(store, 4, min_votes=2, label=answer)
    expected = [Choice(row["galaxy_id"], row["answer_id"]) for row in ranking.to_pylist()]
    assert len(expected) == 4
    assert choose(store, Which(worst=4, min_votes=2, answer=answer)) == expected


def test_names_keep_their_order_and_count_once(store: Store) -> None:
    costliest = {row["galaxy_id"]: row["answer_id"] for row in rank_galaxies(store, N).to_pylist()}
    found = choose(store, Which(names=["G0007", "G0012", "G0001", "G0007"]))
    assert found == [Choice(7, costliest[7]), Choice(12, None), Choice(1, costliest[1])]
    named = choose(store, Which(names=["G0003"], answer="bar_no"))
    assert named == [Choice(3, TOY.labels.index("bar_no"))]


def test_everything_is_what_has_an_image(store: Store) -> None:
    assert [c.galaxy_id for c in choose(store, Which(everything=True))] == [2, 5]


def test_what_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(CatalogError, match="at most of 38; ask for fewer votes"):
        choose(store, Which(worst=3, min_votes=1e9))
    with pytest.raises(UnknownName, match="no galaxy 'G99'"):
        choose(store, Which(names=["G99"]))
    with pytest.raises(UnknownName, match="no answer 'bar_maybe'"):
        choose(store, Which(worst=1, answer="bar_maybe"))
    with pytest.raises(
        CatalogError, match=r"no answer of G0012 has a loss.*name the answer to draw"
    ):
        find_subjects(store, [Choice(12, None)])


def test_subjects_have_the_best_counterparts_or_a_note(store: Store) -> None:
    answer = TOY.labels.index("merging_none")
    whole, unasked, unpredicted = find_subjects(store, [Choice(n, answer) for n in (4, 0, 12)])
    best = find_counterparts(store, 4, answer)
    assert whole == Subject(4, answer, best.observed[0], best.predicted[0], best.notes)
    assert whole.observed is not None
    assert whole.observed.target is not None
    assert "Only 0 other galaxies have 10 votes on merging" in whole.notes[0]
    others = [best.observed[0].galaxy_id, best.predicted[0].galaxy_id]
    assert whole.galaxies == [4, *others]
    for subject, lack in ((unasked, "votes"), (unpredicted, "prediction")):
        note = f"No counterparts: the galaxy has no {lack} to exchange for this answer."
        assert subject.notes == (note,)
        assert subject.galaxies == [subject.galaxy_id]


def test_a_galaxy_named_is_drawn_for_an_answer_of_enough_votes(store: Store) -> None:
    sql = """SELECT max_by(answer_id, weighted_ce) FROM loss WHERE galaxy_id = 7
    AND total_votes >= ?"""
    fewest = {store.value(sql, [n]): n for n in range(40, 0, -1)}
    assert len({*fewest} - {None}) > 1
    for answer, n in fewest.items():
        assert choose(store, Which(names=["G0007"], min_votes=n)) == [Choice(7, answer)]
    with pytest.raises(CatalogError, match="G0007 has a loss of 99 votes or more to choose it by"):
        find_subjects(store, choose(store, Which(names=["G0007"], min_votes=99)), min_votes=99)


def test_counterparts_drawn_have_enough_votes(store: Store) -> None:
    answer = TOY.labels.index("bar_no")
    totals = dict(store.rows("SELECT galaxy_id, total FROM votes WHERE label = 'bar_no'"))
    galaxy = max(range(N), key=lambda n: totals[n])
    fewest = sorted(totals[n] for n in range(N))[-3]
    (subject,) = find_subjects(store, [Choice(galaxy, answer)], min_votes=fewest)
    best = find_counterparts(store, galaxy, answer, min_votes=fewest)
    assert (subject.observed, subject.predicted) == (best.observed[0], best.predicted[0])
    others = {n for n in range(N) if totals[n] >= fewest} - {galaxy}
    assert {*subject.galaxies} == {galaxy, *others}, "there are just two with so many votes"
    (alone,) = find_subjects(store, [Choice(galaxy, answer)], min_votes=99)
    note = "No counterparts: no other galaxy has 99 votes on bar, and predictions."
    assert alone.notes == (note,)


def test_what_is_exchanged_is_chosen(store: Store) -> None:
    answer = TOY.labels.index("shape_disk")
    for exchange in get_args(Exchange):
        (subject,) = find_subjects(store, [Choice(4, answer)], exchange=exchange)
        best = find_counterparts(store, 4, answer, exchange=exchange)
        assert (subject.observed, subject.predicted) == (best.observed[0], best.predicted[0])
    with pytest.raises(CatalogError, match="no exchange of 'all'; choose question or answer"):
        Which(worst=1, exchange="all")  # type: ignore[arg-type]


def test_a_galaxy_alone_has_none(tmp_path: Path) -> None:
    counts = np.ones((1, len(TOY.labels)))
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(1))
    with (
        Store.open(path, read_only=True) as store,
        pytest.raises(CatalogError, match="zoolens index"),
    ):
        find_subjects(store, [Choice(0, 0)])
    index(path)
    with Store.open(path, read_only=True) as store:
        (alone,) = find_subjects(store, [Choice(0, 0)])
    note = "No counterparts: no other galaxy has 10 votes on shape, and predictions."
    assert alone == Subject(0, 0, None, None, (note,))


def test_one_name_is_one_galaxy_and_not_its_letters() -> None:
    assert Which("G0003").names == ("G0003",)
