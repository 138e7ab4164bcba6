"""Counterparts against the definition, written out in NumPy; and what has none."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_fractions,
    add_galaxies,
    add_predictions,
    add_votes,
    catalogue,
    expected_fractions,
    question_totals,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import index_path
from zoolens.catalog.similarity.counterparts import (
    find_counterparts,
    find_many,
)
from zoolens.catalog.similarity.exchange import Exchange
from zoolens.catalog.similarity.target import Target
from zoolens.catalog.store.store import Store
from zoolens.jobs.index import index

pytestmark = pytest.mark.slow

N, A = 60, 10


def slow_score(p: np.ndarray, q: np.ndarray, w: np.ndarray) -> float:
    """The paper's sum for one galaxy, answer by answer."""
    total = 0.0
    for p_i, q_i, w_i in zip(p, q, w, strict=True):
        if not np.isnan(p_i):
            total += w_i * (p_i * np.log(q_i) + (1 - p_i) * np.log(1 - q_i))
    return float(total)


@dataclass(frozen=True)
class Toy:
    """What the reference knows of a catalogue: counts (N, A) and predicted fractions (N, A)."""

    path: Path
    counts: np.ndarray
    predicted: np.ndarray

    @property
    def totals(self) -> np.ndarray:
        """Volunteers who were asked each question, (N, Q)."""
        return question_totals(self.counts)

    @property
    def observed(self) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return self.counts / self.totals[:, TOY.question_of]

    @property
    def candidates(self) -> np.ndarray:
        """Vote fractions with half a vote more for every answer."""
        sizes = np.array([s.stop - s.start for s in TOY.slices])[TOY.question_of]
        return (self.counts + 0.5) / (self.totals[:, TOY.question_of] + sizes / 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    counts, concentrations = random_counts(N, most=20), random_concentrations(N)
    counts[40:] = counts[:20]  # equals, to be told apart by number
    path = tmp_path_factory.mktemp("made") / "gz.duckdb"
    catalogue(path, counts, concentrations=concentrations)
    index(path)
    return Toy(path, counts, expected_fractions(concentrations))


def slow_counterparts(
    toy: Toy,
    galaxy: int,
    answer: int,
    k: int,
    *,
    exchange: str = "question",
    min_votes: float | None = None,
    weights: np.ndarray | None = None,
) -> list[list[tuple[int, float]]]:
    """The definition, one galaxy and one place at a time: (number, score) of both kinds."""
    where = TOY.slices[TOY.question_of[answer]]
    part = list(range(where.start, where.stop)) if exchange == "question" else [answer]
    if weights is None:
        weights = np.ones(A)
        weights[part] = 5
    votes = toy.totals[:, TOY.question_of[answer]]
    fewest = 10 if min_votes is None else min_votes
    asked = [g for g in range(len(votes)) if g != galaxy and votes[g] > 0]
    if min_votes is not None:
        asked = [g for g in asked if votes[g] >= fewest]
    lists = []
    for own, other, have in (
        (toy.observed, toy.predicted, toy.candidates),
        (toy.predicted, toy.observed, toy.predicted),
    ):
        query = own[galaxy].copy()
        query[part] = other[galaxy, part]
        # eight digits: sums in another order, so that equals stay equal
        scores = {g: round(slow_score(query, have[g], weights), 8) for g in asked}
        order = sorted(asked, key=lambda g: (votes[g] < fewest, -scores[g], g))
        lists.append([(g, scores[g]) for g in order])
    places: list[list[tuple[int, float]]] = [[], []]
    for _ in range(k):
        taken = {g for some in places for g, _ in some}
        left = [[one for one in some if one[0] not in taken] for some in lists]
        best = [some[:1] for some in left]
        if best[0] and best[1] and best[0][0][0] == best[1][0][0]:
            costs = [
                (False, votes[some[0][0]] >= fewest > votes[some[1][0]], some[0][1] - some[1][1])
                if len(some) > 1
                else (True, True, 0.0)
                for some in left
            ]
            way = 0 if costs[0] < costs[1] else 1
            best[way] = left[way][1:2]
        for kind in (0, 1):
            places[kind] += best[kind]
    return places


@pytest.mark.parametrize("exchange", ["question", "answer"])
@pytest.mark.parametrize("min_votes", [None, 0, 3, 12])
@pytest.mark.parametrize("weighted", [False, True])
def test_counterparts_are_those_of_the_definition(
    made: Toy, exchange: Exchange, min_votes: float | None, weighted: bool
) -> None:
    random = np.random.default_rng(5)
    with Store.open(made.path, read_only=True) as store:
        for galaxy in random.choice(N, 5, replace=False).tolist():
            answer = int(random.choice(np.flatnonzero(~np.isnan(made.observed[galaxy]))))
            weights = random.random(A) + 0.1 if weighted else None
            rules: dict[str, Any] = {
                "exchange": exchange,
                "min_votes": min_votes,
                "weights": weights,
            }
            expected = slow_counterparts(made, galaxy, answer, 7, **rules)
            found = find_counterparts(store, galaxy, answer, k=7, **rules)
            for counterparts, wanted in zip(
                (found.observed, found.predicted), expected, strict=True
            ):
                assert [c.galaxy_id for c in counterparts] == [g for g, _ in wanted]
                assert [c.iauname for c in counterparts] == [f"G{g:04d}" for g, _ in wanted]
                np.testing.assert_allclose(
                    [c.score for c in counterparts], [score for _, score in wanted], atol=1e-7
                )


def test_targets_are_what_was_asked_for_beside_what_is_there(made: Toy) -> None:
    with Store.open(made.path, read_only=True) as store:
        for galaxy, answer in ((0, 0), (7, 8), (31, 1)):
            question = TOY.question_of[answer]
            where = TOY.slices[question]
            for exchange in get_args(Exchange):
                found = find_counterparts(store, galaxy, answer, k=3, exchange=exchange)
                for kinds, own, other, some in (
                    (0, made.observed, made.predicted, found.observed),
                    (1, made.predicted, made.observed, found.predicted),
                ):
                    asked = other[galaxy, where].copy()
                    if exchange == "answer":
                        kept = np.arange(where.start, where.stop) != answer
                        asked[kept] = own[galaxy, where][kept]
                    assert found.asked[kinds] == tuple(asked)
                    for one in some:
                        assert one.votes == made.totals[one.galaxy_id, question]
                        noisy = one.galaxy_id if kinds == 0 else galaxy
                        assert one.target == Target(
                            TOY.questions[question].answers,
                            answer - where.start,
                            tuple(asked),
                            tuple(own[one.galaxy_id, where]),
                            made.totals[noisy, question],
                        )
                if exchange == "question":
                    np.testing.assert_allclose([sum(a or 0 for a in one) for one in found.asked], 1)


def test_the_counterparts_have_the_exchanged_fraction(tmp_path: Path) -> None:
    """Alike in all but the bar: one was voted for as G0 was predicted, one the reverse."""
    base = np.array([8, 2, 0, 4, 4, 0, 0, 0, 5, 5], float)
    voted = {"strong": [20, 0, 0], "no": [0, 0, 20]}
    counts = np.tile(base, (4, 1))
    bars = ["strong", "no", "no", "strong"]  # what volunteers said
    counts[:, TOY.slices[2]] = [voted[bar] for bar in bars]
    alpha = np.full((4, 1, A), 10.0)
    predicted = ["no", "strong", "no", "strong"]  # what the model says
    alpha[:, 0, TOY.slices[2]] = [np.array(voted[bar]) * 4 + 1 for bar in predicted]
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=alpha)
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 0, TOY.answer_id("bar_strong"), k=1)
    # G0: votes strong, model no. Observed counterpart: votes no (G1, G2); predicted
    # counterpart: model strong (G1, G3). Equals by number, and G1 fills one place.
    assert [c.galaxy_id for c in found.observed] == [1]
    assert [c.galaxy_id for c in found.predicted] == [3]


def test_a_galaxy_alone_has_no_counterparts(tmp_path: Path) -> None:
    counts = np.ones((1, A))
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(1))
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 0, 0, k=3)
    assert found.observed == []
    assert found.predicted == []
    lack = "no other galaxy has 10 votes on shape, and predictions"
    assert found.notes == (f"No counterparts: {lack}.",)


def test_the_only_other_galaxy_fills_one_place(tmp_path: Path) -> None:
    counts = np.full((2, A), 9.0)
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(2))
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 0, 0)
    assert [c.galaxy_id for c in found.observed] == [1]
    assert found.predicted == []
    assert found.notes[:2] == (
        "Only 1 other galaxy has 10 votes on shape, and predictions: no more counterparts.",
        "Best in both: G0001, shown as observed; the predicted place has the next best.",
    )


def test_more_counterparts_than_galaxies(made: Toy) -> None:
    galaxy = int(np.flatnonzero(made.counts[:, 0])[0])
    asked = int((made.totals[:, 0] > 0).sum())
    with Store.open(made.path, read_only=True) as store:
        found = find_counterparts(store, galaxy, 0, k=10_000)
    every = [c.galaxy_id for c in (*found.observed, *found.predicted)]
    assert len(every) == len({*every}) == asked - 1
    assert abs(len(found.observed) - len(found.predicted)) <= 1


@pytest.mark.parametrize("min_votes", [None, 3, 12])
def test_many_at_once_find_the_same(made: Toy, min_votes: float | None) -> None:
    asked = [(g, int(TOY.slices[q].start)) for g, q in zip(*np.nonzero(made.totals), strict=True)]
    galaxies, answers = np.array(asked).T
    with Store.open(made.path, read_only=True) as store:
        both = find_many(store, galaxies[::-1], answers[::-1], min_votes=min_votes)[::-1]
        for row, (galaxy, answer) in enumerate(asked):
            if row % 20 == 0:  # each of them takes a while
                assert both[row] == find_counterparts(store, galaxy, answer, min_votes=min_votes)


@pytest.mark.parametrize("approximate", [False, True])
def test_counterparts_have_enough_votes_on_the_question(made: Toy, approximate: bool) -> None:
    index(made.path, approximate=approximate)
    with Store.open(made.path, read_only=True) as store:
        for galaxy, question in [(g, int(np.argmax(made.totals[g]))) for g in range(0, N, 20)]:
            answer = TOY.slices[question].start
            for least in (None, 3, 15):
                found = find_counterparts(
                    store, galaxy, answer, k=5, min_votes=least, approximate=approximate
                )
                wanted = slow_counterparts(made, galaxy, answer, 5, min_votes=least)
                for some, numbers in zip((found.observed, found.predicted), wanted, strict=True):
                    assert [c.galaxy_id for c in some] == [g for g, _ in numbers]
                    assert min(c.votes or 0 for c in some) >= (least or 1)
        nobody = find_counterparts(store, galaxy, answer, min_votes=1e6)
        assert nobody.observed == nobody.predicted == []


def test_those_with_fewer_votes_fill_what_others_leave_and_are_named(tmp_path: Path) -> None:
    counts = np.full((6, A), 9.0)
    counts[3:, TOY.slices[2]] = [[1, 1, 1], [2, 1, 1], [0, 0, 0]]  # of the bar: 3, 4, nobody
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(6))
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 0, TOY.answer_id("bar_weak"), k=3)
        strict = find_counterparts(store, 0, TOY.answer_id("bar_weak"), k=3, min_votes=4)
    first = [c.galaxy_id for c in (found.observed[0], found.predicted[0])]
    assert sorted(first) == [1, 2], "first those with enough votes"
    assert sorted(c.galaxy_id for c in (*found.observed, *found.predicted)) == [1, 2, 3, 4]
    assert sorted(c.galaxy_id for c in (*strict.observed, *strict.predicted)) == [1, 2, 4]
    few = next(note for note in found.notes if "fewer" in note)
    assert few.startswith("Only 2 other galaxies have 10 votes on bar, and predictions; of fewer")
    assert "G0003 (3)" in few
    assert "G0004 (4)" in few
    more = "Only 4 other galaxies have votes on bar, and predictions: no more counterparts."
    assert more in found.notes
    assert (
        "Only 3 other galaxies have 4 votes on bar, and predictions: no more counterparts."
        in strict.notes
    )


def test_nobody_stands_who_was_asked_otherwise_or_not_predicted(tmp_path: Path) -> None:
    """Nor a galaxy of another campaign, which was asked other questions."""
    counts = np.full((6, A), 9.0)
    counts[3, TOY.slices[2]] = 0
    totals = question_totals(counts)
    totals[4, 2] += 5  # asked about bars with other answers
    fractions = expected_fractions(random_concentrations(6))
    fractions[5, TOY.slices[2]] = np.nan
    path = catalogue(tmp_path / "gz.duckdb", counts, totals=totals)
    with Store.open(path) as store:
        add_fractions(store, fractions)
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 0, TOY.answer_id("bar_weak"), k=5)
        elsewhere = find_counterparts(store, 0, 0, k=5)
    assert sorted(c.galaxy_id for c in (*found.observed, *found.predicted)) == [1, 2]
    assert len(elsewhere.observed) + len(elsewhere.predicted) == 5


def test_an_answer_without_a_prediction_is_not_exchanged(tmp_path: Path) -> None:
    """As in published tables that leave out some answers of a question."""
    counts = random_counts(9, seed=4) + 5
    fractions = expected_fractions(random_concentrations(9))
    fractions[:, 0] = np.nan
    path = catalogue(tmp_path / "gz.duckdb", counts)
    with Store.open(path) as store:
        add_fractions(store, fractions)
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 4, 1)
    observed = counts[4, :3] / counts[4, :3].sum()
    assert found.asked == ((None, *fractions[4, 1:3]), (None, *observed[1:]))


def test_the_best_that_is_not_close_is_said(tmp_path: Path) -> None:
    counts = np.full((3, A), 20.0)
    alpha = np.full((3, 1, A), 10.0)
    alpha[0, 0, TOY.slices[3]] = [90, 10]  # 0.9 merger is asked for, and all say 0.5
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=alpha)
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 0, TOY.answer_id("merging_merger"))
    told = "The best observed counterpart of 2 is not close: merger 0.50, asked for 0.90."
    assert told in found.notes
    assert not any("The best predicted" in note for note in found.notes)


def test_what_cannot_be_exchanged(tmp_path: Path) -> None:
    counts = np.ones((3, A))
    counts[0, TOY.slices[1]] = 0
    totals = question_totals(counts)
    totals[0, 3] += 5  # merging asked with other answers
    path = catalogue(tmp_path / "gz.duckdb", counts, totals=totals)
    with Store.open(path) as store:
        fractions = expected_fractions(random_concentrations(2))
        fractions[0, TOY.slices[2]] = np.nan  # the model has no bars
        add_fractions(store, fractions, galaxy_ids=[0, 1])
    index(path)
    with Store.open(path, read_only=True) as store:
        for label, told in (
            ("round_yes", "G0000 have no fraction of round_yes"),
            ("merging_none", "G0000 have no fraction of merging_none"),
            ("bar_weak", "G0000 has no prediction of bar_weak"),
        ):
            with pytest.raises(CatalogError, match=told):
                find_counterparts(store, 0, TOY.answer_id(label))
        with pytest.raises(CatalogError, match="G0002 has no prediction"):
            find_counterparts(store, 2, 0)
        with pytest.raises(CatalogError, match="weight 0"):
            find_counterparts(store, 0, 0, weights=np.zeros(A))
        assert len(find_counterparts(store, 0, 0, k=5).observed) == 1  # G2 has no prediction


def test_an_answer_that_no_model_has_counts_nothing(tmp_path: Path) -> None:
    """All-NaN columns, as GZ2's odd features, which Zoobot's models lack."""
    counts = random_counts(30)
    counts[:, TOY.slices[0]] += 1
    fractions = expected_fractions(random_concentrations(30))
    weights = np.ones(A)
    weights[TOY.slices[3]] = 0
    found = []
    for name in ("whole", "lacking"):
        path = catalogue(tmp_path / f"{name}.duckdb", counts)
        with Store.open(path) as store:
            add_fractions(store, fractions)
        index(path)
        with Store.open(path, read_only=True) as store:
            found.append(find_counterparts(store, 4, 0, k=5, weights=weights).predicted)
        fractions[:, TOY.slices[3]] = np.nan
        weights = np.ones(A)
    assert [c.galaxy_id for c in found[0]] == [c.galaxy_id for c in found[1]]
    np.testing.assert_allclose([c.score for c in found[0]], [c.score for c in found[1]])


def test_without_an_index_it_says_how_to_build_one(tmp_path: Path) -> None:
    counts = np.ones((3, A))
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(3))
    with (
        Store.open(path, read_only=True) as store,
        pytest.raises(CatalogError, match="zoolens index"),
    ):
        find_counterparts(store, 0, 0)


@pytest.mark.parametrize("news", ["votes", "predictions", "more predictions"])
def test_an_outdated_index_is_not_searched(tmp_path: Path, news: str) -> None:
    path = catalogue(tmp_path / "gz.duckdb", np.ones((3, A)))
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(2), galaxy_ids=[0, 1])
    index(path)
    with Store.open(path) as store:
        find_counterparts(store, 0, 0)
        if news == "votes":
            add_votes(store, np.ones((1, A)))
        else:
            seed = 1 if news == "predictions" else 0
            add_predictions(
                store, random_concentrations(1), galaxy_ids=[2], seed=seed, shard="more"
            )
        with pytest.raises(CatalogError, match=r"zoolens index|has no prediction"):
            find_counterparts(store, 0, 0)


@pytest.mark.parametrize("kind", ["observed", "predicted"])
def test_a_damaged_index_is_not_parsed(tmp_path: Path, kind: str) -> None:
    counts = np.ones((3, A))
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(3))
    index(path)
    file = index_path(path, kind)
    whole = bytearray(file.read_bytes())
    whole[8] ^= 0xFF
    for damaged in (bytes(whole), bytes(whole[: len(whole) // 2]), b""):
        file.write_bytes(damaged)
        with (
            Store.open(path, read_only=True) as store,
            pytest.raises(CatalogError, match="zoolens index"),
        ):
            find_counterparts(store, 0, 0)


def test_galaxies_without_votes_change_no_counterparts(tmp_path: Path) -> None:
    """And are shown beside those that are predicted alike, with votes or without."""
    counts, concentrations = random_counts(N, most=6), random_concentrations(2 * N)
    found = []
    for bare in (0, N):
        path = tmp_path / f"{bare}.duckdb"
        catalogue(path, counts)
        with Store.open(path) as store:
            add_galaxies(store, bare)
            add_predictions(store, concentrations[: N + bare])
        index(path)
        with Store.open(path, read_only=True) as store:
            ids = np.flatnonzero(question_totals(counts)[:, 0] > 0)[:4]
            asked = np.zeros(len(ids), np.int64)
            some = [find_counterparts(store, int(one), 0, k=3) for one in ids]
            few = [find_counterparts(store, int(one), 0, k=3, min_votes=3) for one in ids]
            found.append((some, few, find_many(store, ids.tolist(), asked.tolist())))
    assert found[0] == found[1]
    with Store.open(path, read_only=True) as store:
        alike = find_counterparts(store, N + 3, 0, k=2 * N)
    assert not alike.exchanged
    assert not alike.observed
    predicted = expected_fractions(concentrations)
    weights = np.array([5.0] + [1.0] * (A - 1))
    scores = [slow_score(predicted[N + 3], one, weights) for one in predicted]
    expected = [number for number in np.argsort(-np.array(scores)) if number != N + 3]
    assert [one.galaxy_id for one in alike.predicted] == expected
