"""Which runs have maps of which galaxies, and their blobs as they went in."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.made.catalogues import (
    TOY,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.rows import map_rows
from zoolens.catalog.store.maps import (
    explanation_of,
    explanations,
    explanations_of,
    has_maps,
    newest_explanation,
    question_blobs,
    read_maps,
    stored_map,
)
from zoolens.catalog.store.store import Run, Store

N = 6
# By seed: the galaxies of a run, whose predictions it explains, whether it is complete.
SHOWN, OTHERS = 2, 99
RUNS = {
    0: ([0, 1, 2], SHOWN, True),
    1: ([2, 4], SHOWN, True),
    2: ([1, 5], SHOWN, False),
    3: ([0, 5], OTHERS, True),
}
BAR = slice(5, 8)  # which no model here has


def maps(seed: int) -> tuple[np.ndarray, np.ndarray]:
    ids = RUNS[seed][0]
    random = np.random.default_rng(seed)
    mean = random.normal(size=(len(ids), len(TOY.labels), 3, 2)).astype(np.float32)
    mean[:, BAR] = np.nan
    return mean, abs(mean) / 2


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = catalogue(tmp_path_factory.mktemp("maps") / "gz.duckdb", random_counts(N))
    with Store.open(path) as made:
        assert add_predictions(made, random_concentrations(N)) == SHOWN
        for seed, (ids, predict_run, complete) in RUNS.items():
            run = made.begin("explain", {"predict_run": predict_run, "seed": seed})
            made.commit(run, "one", {"saliency_map": map_rows(ids, *maps(seed), TOY)})
            if complete:
                made.finish(run)
        # maps for comparison are no explanation of what is shown
        compared = made.begin("evaluate", {"predict_run": SHOWN})
        made.commit(compared, "one", {"saliency_map": map_rows([0, 3, 4], *maps(0), TOY)})
        made.finish(compared)
        yield made


def run_of(store: Store, seed: int) -> Run:
    return next(r for r in store.complete_runs("explain") if r.config["seed"] == seed)


def test_the_newest_complete_run_of_each_galaxy(store: Store) -> None:
    first, second = run_of(store, 0), run_of(store, 1)
    expected = {0: first, 1: first, 2: second, 3: None, 4: second, 5: None}
    assert {galaxy: explanation_of(store, galaxy) for galaxy in range(N)} == expected
    assert newest_explanation(store, 0) == first
    assert newest_explanation(store, 3) == second, "without one, the run that shows"
    found = explanations(store, np.arange(N))
    assert [(run, ids.tolist()) for run, ids in found] == [(first, [0, 1]), (second, [2, 4])]
    assert explanations(store, np.array([3, 5])) == []
    expected_of_shown = {galaxy: run for galaxy, run in expected.items() if run is not None}
    assert explanations_of(store, range(N), SHOWN) == expected_of_shown
    others = run_of(store, 3)
    assert explanations_of(store, [0, 2, 5], OTHERS) == {0: others, 5: others}
    assert explanations_of(store, [], SHOWN) == {}


def test_without_explanations_it_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = catalogue(tmp_path_factory.mktemp("none") / "gz.duckdb", random_counts(1))
    with (
        Store.open(path, read_only=True) as empty,
        pytest.raises(CatalogError, match="zoolens explain"),
    ):
        newest_explanation(empty, 0)


@pytest.mark.parametrize("sd", [False, True])
def test_blobs_are_those_that_went_in(store: Store, sd: bool) -> None:
    run = run_of(store, 1)
    values = maps(1)[sd]
    seen = []
    for galaxy, question, row in question_blobs(store, run, np.array([2, 3, 4]), [0, 1, 2], sd=sd):
        where = TOY.slices[question]
        expected = values[RUNS[1][0].index(galaxy), where]
        found = np.frombuffer(row["blob"], row["dtype"])
        np.testing.assert_array_equal(found, expected.ravel())
        assert (row["answers"], row["height"], row["width"]) == expected.shape
        assert stored_map(store, run, galaxy, question, sd=sd) == row
        seen.append((galaxy, question))
    assert sorted(seen) == [(2, 0), (2, 1), (4, 0), (4, 1)]  # of `bar` there is none
    assert stored_map(store, run, 2, 2) is None
    assert stored_map(store, run, 0, 0) is None
    assert list(question_blobs(store, run, np.array([2]), [])) == []
    assert [has_maps(store, run, galaxy) for galaxy in range(N)] == [
        galaxy in RUNS[1][0] for galaxy in range(N)
    ]


def test_all_maps_of_galaxies_in_order(store: Store) -> None:
    rows = read_maps(store, run_of(store, 0).run_id, np.array([1, 2, 4])).to_pylist()
    assert [(row["galaxy_id"], row["question_id"]) for row in rows] == [
        (galaxy, question) for galaxy in (1, 2) for question in (0, 1, 3)
    ]
    mean, sd = maps(0)
    for row in rows:
        where = TOY.slices[row["question_id"]]
        assert row["mean"] == mean[row["galaxy_id"], where].tobytes()
        assert row["sd"] == sd[row["galaxy_id"], where].tobytes()
        assert (row["height"], row["width"]) == (3, 2)
