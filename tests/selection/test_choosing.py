"""The selection against one written out in Python, from the public views."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made.catalogues import (
    TOY,
    add_fractions,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.selection.acquisition import Scores, read_scores
from zoolens.catalog.selection.choosing import Pick, choose, read_quotas
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow

N = 60
QUESTIONS = [question.name for question in TOY.questions]


def give_images(store: Store, galaxy_ids: Sequence[int]) -> None:
    """Rows of images that nobody opens."""
    run = store.begin("ingest", {"images": list(galaxy_ids)})
    rows = [
        {"galaxy_id": i, "source": f"/{i}.png", "format": "PNG", "height": 9, "width": 9}
        | {"sha256": "00" * 32}
        for i in galaxy_ids
    ]
    table = pa.Table.from_pylist(rows).append_column("member", pa.nulls(len(rows), pa.string()))
    store.commit(run, "images", {"image": table})
    store.finish(run)


def inform(store: Store, values: Mapping[tuple[int, int], float | None]) -> None:
    """Set the mutual information by galaxy and question."""
    for (galaxy, question), value in values.items():
        store.execute(
            "UPDATE question_prediction SET mutual_information = ? "
            "WHERE galaxy_id = ? AND question_id = ?",
            [value, galaxy, question],
        )


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Sixty galaxies: some are equals, lack votes, an image or a question's information."""
    counts, concentrations = random_counts(N), random_concentrations(N)
    counts[30:40], concentrations[30:40] = counts[:10], concentrations[:10]  # equals
    counts[50:] = 0  # nobody was asked anything
    names = [f"J{99 - n:02d}" for n in range(N)]  # names do not follow numbers
    path = tmp_path_factory.mktemp("gz") / "gz.duckdb"
    catalogue(path, counts, concentrations=concentrations, names=names)
    random = np.random.default_rng(5)
    information = random.gamma(0.5, 0.1, (N, len(QUESTIONS)))
    information[30:40] = information[:10]
    values: dict[tuple[int, int], float | None] = {
        (g, q): information[g, q] for g in range(N) for q in range(len(QUESTIONS))
    }
    for galaxy in range(0, N, 7):
        values[galaxy, galaxy % len(QUESTIONS)] = None
    with Store.open(path) as store:
        inform(store, values)
        give_images(store, [i for i in range(N) if i % 6])
    score(path)
    with Store.open(path, read_only=True) as store:
        yield store


def slow_scores(
    store: Store, by: str, min_votes: float, max_votes: float | None
) -> dict[tuple[str, str], float]:
    """What galaxies are worth, by name and question."""
    most = np.inf if max_votes is None else max_votes
    votes = {
        (row["iauname"], row["question"]): row["total"]
        for row in store.arrow("SELECT * FROM votes").to_pylist()
    }
    found: dict[tuple[str, str], float] = {}
    if by == "loss":
        for row in store.arrow("SELECT * FROM losses").to_pylist():
            key = row["iauname"], row["question"]
            if row["weighted_ce"] is not None and min_votes <= row["total_votes"] <= most:
                found[key] = max(found.get(key, 0.0), row["weighted_ce"])
        return found
    reach = {
        (row["iauname"], row["question"]): row["reach"]
        for row in store.arrow("SELECT * FROM predictions").to_pylist()
    }
    sql = """SELECT iauname, question_id, mutual_information FROM question_prediction
    JOIN galaxy USING (galaxy_id)"""
    for row in store.arrow(sql).to_pylist():
        key = row["iauname"], QUESTIONS[row["question_id"]]
        if row["mutual_information"] is not None and votes.get(key, 0) <= most:
            found[key] = reach[key] * row["mutual_information"]
    return found


def slow_choice(
    worth: Mapping[tuple[str, str], float],
    with_image: set[str],
    by: str,
    budget: int,
    quotas: Mapping[str, int],
    usable: Callable[[str], bool],
) -> list[tuple[str, str, bool]]:
    """Name, question, and whether by quota, of the galaxies of a selection."""
    chosen: list[tuple[str, str, bool]] = []
    names = sorted({name for name, _ in worth if name in with_image and usable(name)})

    def take(score_of: Callable[[str], float], most: int, question: str | None) -> None:
        left = [name for name in names if name not in {row[0] for row in chosen}]
        ranked = sorted((-score_of(name), name) for name in left if score_of(name) > 0)
        for _, name in ranked[:most]:
            best = max(QUESTIONS, key=lambda q: (worth.get((name, q), 0.0), -QUESTIONS.index(q)))
            chosen.append((name, question or best, question is not None))

    def of_all(name: str) -> float:
        values = [worth.get((name, question), 0.0) for question in QUESTIONS]
        return float(sum(values)) if by == "mutual_information" else max(values)

    for question, count in quotas.items():
        take(lambda name, q=question: worth.get((name, q), 0.0), count, question)  # type: ignore[misc]
    take(of_all, budget - len(chosen), None)
    return chosen


def named(store: Store, picks: Sequence[Pick]) -> list[tuple[str, str, bool]]:
    rows = store.arrow("SELECT galaxy_id, iauname FROM galaxies").to_pylist()
    names = {row["galaxy_id"]: row["iauname"] for row in rows}
    return [(names[p.galaxy_id], QUESTIONS[p.question], p.by_quota) for p in picks]


def everything(picks: Sequence[Pick]) -> Iterator[bool]:
    return (True for _ in picks)


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
    picks = choose(scores, budget, quotas, TOY, use)
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
    picks = choose(scores, 1000, {}, TOY, everything)
    with_image = {i for i in range(N) if i % 6}
    assert [pick.galaxy_id for pick in picks] == [i for i in ranked if i in with_image]


def test_galaxies_without_votes_are_there_to_be_asked_about(gz: Store) -> None:
    picks = choose(read_scores(gz), 1000, {}, TOY, everything)
    assert {i for i in range(50, N) if i % 6} <= {pick.galaxy_id for pick in picks}
    unasked = choose(read_scores(gz, max_votes=0), 1000, {}, TOY, everything)
    assert 0 < len(unasked) < len(picks)


def test_the_newest_predictions_are_ranked(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(4), concentrations=random_concentrations(4)
    )
    with Store.open(path) as store:
        give_images(store, range(4))
        run = add_predictions(store, random_concentrations(2), galaxy_ids=[3, 1], seed=9)
        inform(store, {(1, 0): 0.2})
        scores = read_scores(store)
        picks = choose(scores, 9, {}, TOY, everything)
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
        with pytest.raises(CatalogError, match="score above 0 for bar; leave out its quota"):
            read_scores(store, quotas=["bar"])
        assert [p.galaxy_id for p in choose(read_scores(store), 9, {}, TOY, everything)] == [2]


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

    assert [p.galaxy_id for p in choose(scores, budget, {}, TOY, use)] == expected
