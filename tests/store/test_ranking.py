"""The ranking against one written out in Python, and against the public view."""

import re
import shutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from tests.oracles.ranking import slow_ranking
from zoolens.catalog.errors import CatalogError, Told, UnknownName
from zoolens.catalog.store.checks import offences
from zoolens.catalog.store.ranking import (
    MEASURES,
    all_ranks,
    costliest_answers,
    most_asked,
    rank_galaxies,
    why_none,
)
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score
from zoolens.jobs.worst import worst

N = 40


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    counts, concentrations = random_counts(N), random_concentrations(N)
    counts[20:30], concentrations[20:30] = counts[:10], concentrations[:10]  # equals
    counts[39] = 0  # nobody was asked anything
    names = [f"J{99 - n:02d}" for n in range(N)]  # names do not follow numbers
    path = tmp_path_factory.mktemp("gz") / "gz.duckdb"
    catalogue(path, counts, concentrations=concentrations, names=names)
    score(path)
    return path


def losses(path: Path) -> list[dict[str, Any]]:
    with Store.open(path, read_only=True) as store:
        return store.arrow("SELECT * FROM losses").to_pylist()


def ranked(path: Path, limit: int = 10, **choice: Any) -> pa.Table:
    with Store.open(path, read_only=True) as store:
        return rank_galaxies(store, limit, **choice)


def names_and_labels(rows: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(row["iauname"], row["label"]) for row in rows]


def test_ranking_is_that_of_the_view(gz: Path) -> None:
    ranking = ranked(gz, limit=1000).drop_columns(["galaxy_id", "answer_id"])
    with Store.open(gz, read_only=True) as store:
        view = store.arrow(
            "SELECT rank, iauname, label, total_votes AS votes, observed, predicted, ce, "
            "weighted_ce FROM worst ORDER BY rank"
        )
    assert ranking.equals(view)
    assert ranking["rank"].to_pylist() == list(range(1, N))  # all but the one without votes


@pytest.mark.parametrize("by", MEASURES)
@pytest.mark.parametrize(
    ("min_votes", "label", "question"),
    [
        (0, None, None),
        (10, None, None),
        (5.5, "bar_no", None),
        (0, None, "shape"),
        (0, "round_no", "round"),
    ],
)
def test_ranking_as_written_out(
    gz: Path, by: str, min_votes: float, label: str | None, question: str | None
) -> None:
    rows = [
        row
        for row in losses(gz)
        if row["total_votes"] >= min_votes
        and label in (None, row["label"])
        and question in (None, row["question"])
    ]
    expected = slow_ranking(rows, by, TOY)
    ranking = ranked(gz, limit=12, min_votes=min_votes, label=label, question=question, by=by)
    assert names_and_labels(ranking.to_pylist()) == names_and_labels(expected[:12])
    assert by in ranking.column_names
    assert ranking[by].to_pylist() == [row[by] for row in expected[:12]]


def test_enough_votes_elsewhere_keep_a_galaxy_but_not_the_answer(gz: Path) -> None:
    """The paper's remark: one vote on one question must not throw out the others."""
    ranking = ranked(gz, limit=1000, min_votes=20)
    assert min(ranking["votes"].to_pylist()) >= 20
    assert 0 < len(ranking) < N


_COLUMNS = "run_id, galaxy_id, answer_id, observed, predicted, ce, weighted_ce, total_votes"
_STORED = f"SELECT {_COLUMNS} FROM galaxy_loss ORDER BY ALL"


def test_each_galaxy_has_its_worst_row_stored(gz: Path) -> None:
    slow = """SELECT run_id, galaxy_id, arg_min(answer_id, answer_id) AS answer_id FROM loss l
WHERE weighted_ce = (SELECT max(weighted_ce) FROM loss o
    WHERE o.galaxy_id = l.galaxy_id AND o.run_id = l.run_id) GROUP BY ALL ORDER BY ALL"""
    same = f"""SELECT {_COLUMNS} FROM loss
SEMI JOIN galaxy_loss USING (run_id, galaxy_id, answer_id) ORDER BY ALL"""
    with Store.open(gz, read_only=True) as store:
        stored = store.arrow(_STORED)
        assert stored.select([0, 1, 2]).equals(store.arrow(slow))
        assert stored.equals(store.arrow(same))


def test_a_catalogue_that_was_scored_before_has_them_too(gz: Path, tmp_path: Path) -> None:
    migration = import_module("zoolens.migrations.versions.0005_worst_answers")
    make, fill, count, *_ = migration.STATEMENTS
    path = tmp_path / "gz.duckdb"
    shutil.copy(gz, path)
    with Store.open(path) as store:
        before = store.arrow(_STORED)
        store.execute(
            "UPDATE shard SET rows = rows - (SELECT count(*) FROM galaxy_loss) "
            "WHERE run_id = (SELECT max(run_id) FROM galaxy_loss)"
        )
        for statement in ("DROP TABLE galaxy_loss", make, fill, count):
            store.execute(statement)
        assert store.arrow(_STORED).equals(before)
        assert sum(offences(store).values()) == 0


def test_nothing_left_is_an_empty_ranking(gz: Path) -> None:
    assert len(ranked(gz, min_votes=1e9)) == 0


def test_campaign_suffix_is_accepted(tmp_path: Path) -> None:
    from zoolens.catalog.trees.published import get_tree

    tree = get_tree("gzd5")
    path = catalogue(
        tmp_path / "gz.duckdb",
        random_counts(5, tree),
        concentrations=random_concentrations(5, 1, tree),
        tree=tree,
    )
    score(path)
    assert ranked(path, label="how-rounded-dr5_round").equals(
        ranked(path, label="how-rounded_round")
    )


@pytest.mark.parametrize(
    ("choice", "error", "told"),
    [
        ({"label": "bar_strnog"}, UnknownName, "nearest: bar_strong"),
        ({"question": "bra"}, UnknownName, "nearest: bar"),
        ({"by": "nll; DROP TABLE loss"}, CatalogError, "choose one of weighted_ce"),
        ({"limit": 0}, CatalogError, "1 or more"),
        ({"min_votes": -1}, CatalogError, "0 or more"),
        ({"min_votes": float("nan")}, CatalogError, "0 or more"),
    ],
)
def test_bad_choices(gz: Path, choice: dict[str, Any], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        ranked(gz, **choice)


def test_without_a_score_run(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with pytest.raises(CatalogError, match="zoolens score"):
        ranked(path)


def test_questions_go_by_any_campaigns_name_and_answers_by_their_question(gz: Path) -> None:
    tree = TOY
    question = tree.questions[1]
    plain = ranked(gz, question=question.name)
    assert ranked(gz, question=f"{question.name}-dr5").equals(plain)
    with pytest.raises(CatalogError, match="is no answer to"):
        ranked(gz, question=question.name, label=tree.labels[0])


@pytest.mark.parametrize("min_votes", [0, 10, 25])
def test_every_galaxy_has_its_place(gz: Path, min_votes: float) -> None:
    rows = [row for row in losses(gz) if row["total_votes"] >= min_votes]
    expected = [
        (place, row["galaxy_id"], TOY.answer_id(row["label"]), row["ce"], row["weighted_ce"])
        for place, row in enumerate(slow_ranking(rows, "weighted_ce", TOY), start=1)
    ]
    with Store.open(gz, read_only=True) as store:
        sql, asked = all_ranks(store, min_votes=min_votes)
        found = store.rows(
            f"SELECT rank, galaxy_id, answer_id, ce, weighted_ce FROM ({sql}) ORDER BY rank", asked
        )
    assert found == expected


@pytest.mark.parametrize("min_votes", [0, 15])
def test_the_costliest_answer_of_each_galaxy(gz: Path, min_votes: float) -> None:
    rows = [row for row in losses(gz) if row["total_votes"] >= min_votes]
    expected = {
        row["galaxy_id"]: TOY.answer_id(row["label"])
        for row in slow_ranking(rows, "weighted_ce", TOY)
    }
    with Store.open(gz, read_only=True) as store:
        assert costliest_answers(store, [*range(N), 7, 999], min_votes) == expected


def test_the_costliest_answer_is_one_of_ten_votes_where_there_is_one(gz: Path) -> None:
    rows = losses(gz)
    enough = slow_ranking([r for r in rows if r["total_votes"] >= 10], "weighted_ce", TOY)
    expected = {
        row["galaxy_id"]: TOY.answer_id(row["label"])
        for row in [*slow_ranking(rows, "weighted_ce", TOY), *enough]
    }
    of_all = {r["galaxy_id"]: r["label"] for r in slow_ranking(rows, "weighted_ce", TOY)}
    assert {r["galaxy_id"] for r in enough} < of_all.keys(), "some have fewer on every question"
    assert any(of_all[r["galaxy_id"]] != r["label"] for r in enough)
    with Store.open(gz, read_only=True) as store:
        assert costliest_answers(store, range(N)) == expected


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ({"min_votes": 1000}, "none was asked of 1000 volunteers, at most of "),
        ({"min_votes": 1000, "label": "bar_strong"}, "with a loss (bar_strong) none was asked"),
    ],
)
def test_an_empty_ranking_says_why(gz: Path, choice: dict[str, Any], why: str) -> None:
    with Store.open(gz, read_only=True) as store:
        asked = {name: value for name, value in choice.items() if name != "min_votes"}
        assert why in why_none(most_asked(store, **asked), "run 1", **choice)
    given = {"answer" if name == "label" else name: value for name, value in choice.items()}
    with pytest.warns(Told, match=re.escape(why)):
        assert len(worst(gz, **given)) == 0


def test_where_nothing_is_scored_nothing_is_costliest(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with Store.open(path, read_only=True) as store:
        assert costliest_answers(store, [0, 1]) == {}
