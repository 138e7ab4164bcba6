"""Which votes and images stand after ingests of the same galaxies, one after another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, blank
from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest, held_tree
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.tables import arrow_schema

OTHER = DecisionTree("other", (Question("colour", ("red", "blue")),))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(blank(tmp_path / "gz.duckdb")) as opened:
        yield opened


def write(
    store: Store, run: Run, votes: dict[tuple[int, int], float], images: dict[int, str]
) -> None:
    """Votes by galaxy and answer, images by galaxy; galaxies that are new come with them."""
    known = {number for (number,) in store.rows("SELECT galaxy_id FROM galaxy")}
    new = sorted({galaxy for galaxy, _ in votes} - known)
    rows: dict[str, list[dict[str, Any]]] = {
        "galaxy": [{"galaxy_id": number, "iauname": f"G{number}"} for number in new],
        "vote": [
            {"galaxy_id": galaxy, "answer_id": answer, "count": count, "total": 50.0}
            for (galaxy, answer), count in sorted(votes.items())
        ],
        "image": [
            {"galaxy_id": galaxy, "source": source, "format": "PNG", "height": 9, "width": 9}
            | {"sha256": "ff"}
            for galaxy, source in sorted(images.items())
        ],
    }
    tables = {
        name: pa.Table.from_pylist(
            of, schema=pa.schema([f for f in arrow_schema(name) if f.name not in ("ra", "dec")])
        )
        for name, of in rows.items()
    }
    store.commit(run, "all", tables)


def ingest(store: Store, name: str, votes: dict[tuple[int, int], float], **images: str) -> Run:
    """What a job does: a run that is not yet complete is filled and finished."""
    run = begin_ingest(store, {"votes": name}, {}, TOY)
    if not run.complete:
        write(store, run, votes, {int(galaxy[1:]): source for galaxy, source in images.items()})
        with store.transaction():
            finish_ingest(store, run)
    return run


def votes_shown(store: Store) -> dict[tuple[int, int], float]:
    rows = store.rows("SELECT galaxy_id, answer_id, count FROM votes JOIN answers USING (label)")
    return {(galaxy, answer): count for galaxy, answer, count in rows}


def images_shown(store: Store) -> dict[int, str]:
    return dict(store.rows("SELECT galaxy_id, image FROM galaxies WHERE image IS NOT NULL"))


# answers 0 to 2 are of the first question, 3 and 4 of the second
A = {(1, 0): 10.0, (1, 1): 5.0, (1, 3): 4.0, (2, 0): 7.0}
B = {(1, 0): 20.0, (1, 2): 1.0, (3, 4): 8.0}


def test_votes_are_replaced_question_by_question_and_images_by_galaxy(store: Store) -> None:
    ingest(store, "A", A, g1="a/1", g2="a/2")
    assert votes_shown(store) == A
    assert images_shown(store) == {1: "a/1", 2: "a/2"}
    ingest(store, "B", B, g1="b/1", g3="b/3")
    # of galaxy 1 the first question is B's, the second A's still
    assert votes_shown(store) == {**B, (1, 3): 4.0, (2, 0): 7.0}
    assert images_shown(store) == {1: "b/1", 2: "a/2", 3: "b/3"}


def test_the_same_votes_are_news_once_others_replaced_them(store: Store) -> None:
    first = ingest(store, "A", A, g1="a/1")
    assert ingest(store, "A", A, g1="a/1").run_id == first.run_id, "nothing came in between"
    ingest(store, "B", B, g1="b/1")
    again = ingest(store, "A", A, g1="a/1")
    assert again.run_id != first.run_id
    assert votes_shown(store) == {**A, (3, 4): 8.0}
    assert images_shown(store) == {1: "a/1"}
    last = ingest(store, "B", B, g1="b/1")
    assert votes_shown(store) == {**B, (1, 3): 4.0, (2, 0): 7.0}
    assert images_shown(store) == {1: "b/1"}
    assert ingest(store, "B", B, g1="b/1").run_id == last.run_id


def test_what_another_ingest_left_unfinished_is_deleted(store: Store) -> None:
    ingest(store, "A", A, g1="a/1")
    left = begin_ingest(store, {"votes": "B"}, {}, TOY)
    write(store, left, B, {1: "b/1"})
    assert votes_shown(store) == A
    assert begin_ingest(store, {"votes": "B"}, {}, TOY) == left, "it resumes"
    assert store.shards(left) == 1
    begin_ingest(store, {"votes": "C"}, {}, TOY)
    for table in ("run", "shard", "galaxy", "vote", "image"):
        assert store.value(f"SELECT count(*) FROM {table} WHERE run_id = ?", [left.run_id]) == 0
    assert votes_shown(store) == A
    assert images_shown(store) == {1: "a/1"}


def test_a_tree_is_held_once_votes_are_shown(store: Store) -> None:
    begun = begin_ingest(store, {"votes": "A"}, {}, TOY)
    assert held_tree(store) is None
    other = begin_ingest(store, {"votes": "colours"}, {}, OTHER)
    assert store.tree == OTHER, "nothing was shown of the other one"
    assert begun.run_id not in {number for (number,) in store.rows("SELECT run_id FROM run")}
    finish_ingest(store, other)
    assert held_tree(store) == OTHER
    with pytest.raises(CatalogError, match="is of tree other, not toy"):
        begin_ingest(store, {"votes": "A"}, {}, TOY)
