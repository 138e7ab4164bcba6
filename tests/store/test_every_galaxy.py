"""Columns of every galaxy, against the public views."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import (
    TOY,
    add_images,
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.store.every_galaxy import EveryGalaxy, informed
from zoolens.catalog.store.ingests import finish_ingest
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow

N = 20
IMAGE = {"source": "a", "format": "PNG", "height": 1, "width": 1, "sha256": "f"}


def votes(galaxies: list[int]) -> pa.Table:
    """Votes on the first question alone."""
    return pa.table(
        {
            "galaxy_id": np.repeat(galaxies, 3),
            "answer_id": pa.array([0, 1, 2] * len(galaxies), pa.int32()),
            "count": [3.0] * 3 * len(galaxies),
            "total": [9.0] * 3 * len(galaxies),
        }
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Names that do not follow numbers, votes of some asked anew, an ingest that never ended."""
    path = tmp_path_factory.mktemp("every") / "gz.duckdb"
    names = [f"J{(7 * n) % N:02d}" for n in range(N)]
    catalogue(path, random_counts(N), names=names)
    with Store.open(path) as made:
        add_predictions(made, random_concentrations(12), galaxy_ids=range(3, 15))
        add_images(made, [{"galaxy_id": number, **IMAGE} for number in (2, 5, 19)])
        again = made.begin("ingest", {"again": True})
        made.commit(again, "votes", {"vote": votes([4, 9])})
        finish_ingest(made, again)
    score(path)
    with Store.open(path) as made:
        half = made.begin("ingest", {"half": True})
        galaxy = pa.table({"galaxy_id": [77], "iauname": ["J00a"]})
        image = {"galaxy_id": 7, **IMAGE}
        tables = {
            "galaxy": galaxy,
            "vote": votes([0, 77]),
            "image": pa.Table.from_pylist([image], schema=arrow_schema("image")),
        }
        made.commit(half, "all", tables)
        yield made


@pytest.fixture
def every(store: Store) -> EveryGalaxy:
    return EveryGalaxy.read(store)


def view(store: Store, column: str, rows: str) -> list[float]:
    """A column of some rows of a view, of all galaxies by number, 0 where there is none."""
    found = store.rows(
        f"SELECT coalesce(v.{column}, 0) FROM galaxies g "
        f"LEFT JOIN ({rows}) v ON v.galaxy_id = g.galaxy_id ORDER BY g.galaxy_id"
    )
    return [value for (value,) in found]


def test_galaxies_are_those_that_are_shown(store: Store, every: EveryGalaxy) -> None:
    assert every.number.tolist() == list(range(N))
    names = dict(store.rows("SELECT galaxy_id, iauname FROM galaxies"))
    assert [names[n] for n in every.number[every.by_name].tolist()] == sorted(names.values())
    assert every.nothing().tolist() == [0.0] * N


def test_images_are_those_of_the_view(store: Store, every: EveryGalaxy) -> None:
    rows = store.rows("SELECT image IS NOT NULL FROM galaxies ORDER BY galaxy_id")
    assert every.with_image().tolist() == [has for (has,) in rows]
    assert every.with_image().sum() == 3


@pytest.mark.parametrize("answer", range(len(TOY.labels)))
def test_values_of_answers_are_those_of_the_views(
    store: Store, every: EveryGalaxy, answer: int
) -> None:
    label, question = TOY.labels[answer], int(TOY.question_of[answer])
    of = f"label = '{label}'"
    run = store.newest_run("predict")
    reach = view(store, "reach", f"FROM predictions WHERE {of}")
    assert every.reach(run, answer).tolist() == reach
    asked = view(store, "total", f"FROM votes WHERE {of}")
    assert every.asked(answer, question).tolist() == asked
    scored = store.newest_run("score")
    for fewest, most in ((0, np.inf), (10, 20)):
        rows = f"FROM losses WHERE {of} AND total_votes BETWEEN {fewest} AND '{most}'::DOUBLE"
        expected = view(store, "weighted_ce", rows)
        assert every.weighted_ce(scored, answer, fewest, most).tolist() == expected


@pytest.mark.parametrize("question", range(len(TOY.questions)))
def test_mutual_information_is_that_of_the_view(
    store: Store, every: EveryGalaxy, question: int
) -> None:
    name = TOY.questions[question].name
    run = store.newest_run("predict")
    expected = view(store, "mutual_information", f"FROM question_losses WHERE question = '{name}'")
    assert every.mutual_information(run, question).tolist() == expected
    assert sum(value > 0 for value in expected) == 12


def test_a_run_is_informed_where_it_has_some_mutual_information(store: Store) -> None:
    assert informed(store, store.newest_run("predict"))
    assert not informed(store, store.newest_run("score"))
    assert not informed(store, 999)
