"""Counterparts against the definition, written out in NumPy; and what has none."""

from pathlib import Path

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
from zoolens.catalog.similarity.counterparts import counterparts_of_many, find_counterparts
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


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray]:
    counts, concentrations = random_counts(N, most=6), random_concentrations(N)
    counts[40:] = counts[:20]  # equals, to be told apart by number
    path = tmp_path_factory.mktemp("made") / "gz.duckdb"
    catalogue(path, counts, concentrations=concentrations)
    index(path)
    return path, counts, expected_fractions(concentrations)


@pytest.mark.parametrize("weighted", [False, True])
def test_counterparts_are_those_of_the_definition(
    made: tuple[Path, np.ndarray, np.ndarray], weighted: bool
) -> None:
    path, counts, predicted = made
    totals = question_totals(counts)[:, TOY.question_of]
    with np.errstate(invalid="ignore"):
        observed = counts / totals
    sizes = np.array([s.stop - s.start for s in TOY.slices])[TOY.question_of]
    candidates = (counts + 0.5) / (totals + sizes / 2)
    random = np.random.default_rng(5)
    with Store.open(path, read_only=True) as store:
        for galaxy in random.choice(N, 10, replace=False):
            answer = int(random.choice(np.flatnonzero(~np.isnan(observed[galaxy]))))
            weights = random.random(A) + 0.1 if weighted else np.ones(A)
            as_voted, as_predicted = observed[galaxy].copy(), predicted[galaxy].copy()
            as_voted[answer] = predicted[galaxy, answer]
            as_predicted[answer] = observed[galaxy, answer]
            if not weighted:
                weights[answer] = 5
            found = find_counterparts(
                store, int(galaxy), answer, k=7, weights=weights if weighted else None
            )
            for query, among, counterparts in (
                (as_voted, candidates, found.observed),
                (as_predicted, predicted, found.predicted),
            ):
                # eight digits: sums in another order, so that equals stay equal
                scores = [round(slow_score(query, q, weights), 8) for q in among]
                order = sorted(set(range(N)) - {int(galaxy)}, key=lambda g: (-scores[g], g))
                assert [c.galaxy_id for c in counterparts] == order[:7]
                assert [c.iauname for c in counterparts] == [f"G{g:04d}" for g in order[:7]]
                np.testing.assert_allclose(
                    [c.score for c in counterparts], [scores[g] for g in order[:7]], atol=1e-7
                )


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
    # counterpart: model strong (G1, G3). Equals by number.
    assert [c.galaxy_id for c in found.observed] == [1]
    assert [c.galaxy_id for c in found.predicted] == [1]


def test_a_galaxy_alone_has_no_counterparts(tmp_path: Path) -> None:
    counts = np.ones((1, A))
    path = catalogue(tmp_path / "gz.duckdb", counts, concentrations=random_concentrations(1))
    index(path)
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, 0, 0, k=3)
    assert found.observed == []
    assert found.predicted == []


def test_more_counterparts_than_galaxies(made: tuple[Path, np.ndarray, np.ndarray]) -> None:
    path, counts, _ = made
    galaxy = int(np.flatnonzero(counts[:, 0])[0])
    with Store.open(path, read_only=True) as store:
        found = find_counterparts(store, galaxy, 0, k=10_000)
    assert len(found.observed) == len(found.predicted) == N - 1


@pytest.mark.parametrize("approximate", [False, True])
def test_counterparts_have_enough_votes_on_the_question(
    made: tuple[Path, np.ndarray, np.ndarray], approximate: bool
) -> None:
    path, counts, _ = made
    totals = question_totals(counts)
    asked = [(g, int(np.argmax(totals[g]))) for g in range(N) if totals[g].any()]
    with Store.open(path, read_only=True) as store:
        for least in (3, 5):
            answers = np.array([TOY.slices[q].start for _, q in asked])
            galaxies = np.array([g for g, _ in asked])
            many = counterparts_of_many(store, galaxies, answers, min_votes=least)
            for row, (galaxy, question) in enumerate(asked):
                answer = int(answers[row])
                every = find_counterparts(store, galaxy, answer, k=N)
                some = find_counterparts(
                    store, galaxy, answer, k=5, min_votes=least, approximate=approximate
                )
                for kind in ("observed", "predicted"):
                    enough = [
                        c for c in getattr(every, kind) if totals[c.galaxy_id, question] >= least
                    ]
                    assert getattr(some, kind) == enough[:5]
                assert many[0][row] == some.observed[0].galaxy_id
                assert many[1][row] == some.predicted[0].galaxy_id
        nobody = find_counterparts(store, *map(int, (galaxies[0], answers[0])), min_votes=1e6)
        assert nobody.observed == nobody.predicted == []
        found = counterparts_of_many(store, galaxies, answers, min_votes=1e6)
        assert {*found[0], *found[1]} == {-1}


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
            ids = np.flatnonzero(question_totals(counts)[:, 0] > 0)[:9]
            asked = np.zeros(len(ids), np.int64)
            some = [find_counterparts(store, int(one), 0, k=3) for one in ids]
            few = [find_counterparts(store, int(one), 0, k=3, min_votes=3) for one in ids]
            best = counterparts_of_many(store, ids, asked)
            found.append((some, few, [numbers.tolist() for numbers in best]))
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
