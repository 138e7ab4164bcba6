"""The ranking against one written out in Python, and against the public view."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.store.ranking import MEASURES
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score
from zoolens.jobs.verify import verify
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


def slow_ranking(rows: list[dict[str, Any]], by: str) -> list[tuple[str, str]]:
    """Name and label of each galaxy's worst answer, worst galaxy first."""
    largest: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda r: TOY.answer_id(r["label"])):
        if row[by] is not None:
            best = largest.get(row["iauname"])
            if best is None or row[by] > best[by]:
                largest[row["iauname"]] = row
    ranked = sorted(largest.values(), key=lambda r: (-r[by], r["iauname"]))
    return [(row["iauname"], row["label"]) for row in ranked]


def names_and_labels(table: Any) -> list[tuple[str, str]]:
    return list(zip(table["iauname"].to_pylist(), table["label"].to_pylist(), strict=True))


def test_ranking_is_that_of_the_view(gz: Path) -> None:
    ranking = worst(gz, limit=1000)
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
    expected = slow_ranking(rows, by)
    ranking = worst(gz, limit=12, min_votes=min_votes, answer=label, question=question, by=by)
    assert names_and_labels(ranking) == expected[:12]
    assert by in ranking.column_names
    values = ranking[by].to_numpy()
    assert (np.diff(values) <= 0).all()


def test_enough_votes_elsewhere_keep_a_galaxy_but_not_the_answer(gz: Path) -> None:
    """The paper's remark: one vote on one question must not throw out the others."""
    ranking = worst(gz, limit=1000, min_votes=20)
    assert min(ranking["votes"].to_pylist()) >= 20
    assert 0 < len(ranking) < N


def test_each_galaxy_has_its_worst_row_stored(gz: Path) -> None:
    """Also in a catalogue that was scored before there was such a table."""
    slow = """SELECT run_id, galaxy_id, arg_min(answer_id, answer_id) FROM loss l
WHERE weighted_ce = (SELECT max(weighted_ce) FROM loss o
    WHERE o.galaxy_id = l.galaxy_id AND o.run_id = l.run_id) GROUP BY ALL ORDER BY ALL"""
    columns = "run_id, galaxy_id, answer_id, observed, predicted, ce, weighted_ce, total_votes"
    stored = f"SELECT {columns} FROM galaxy_loss ORDER BY ALL"
    with Store.open(gz) as store:
        before = store.arrow(stored)
        assert before.select([0, 1, 2]).to_pydict() == dict(
            zip(
                ["run_id", "galaxy_id", "answer_id"],
                store.arrow(slow).to_pydict().values(),
                strict=True,
            )
        )
        assert before.equals(
            store.arrow(
                f"SELECT {columns} FROM loss SEMI JOIN galaxy_loss USING (run_id, galaxy_id, "
                "answer_id) ORDER BY ALL"
            )
        )
        store.execute(
            "UPDATE shard SET rows = rows - (SELECT count(*) FROM galaxy_loss) "
            "WHERE run_id = (SELECT max(run_id) FROM galaxy_loss)"
        )
        for statement in (
            "DROP TABLE galaxy_loss",
            "DROP TABLE superseded_image",
            "ALTER TABLE run DROP COLUMN asked_at",
            "UPDATE alembic_version SET version_num = '0004'",
        ):
            store.execute(statement)
    with Store.open(gz) as store:
        assert store.arrow(stored).equals(before)
    assert verify(gz).errors == 0


def test_nothing_left_is_an_empty_ranking(gz: Path) -> None:
    assert len(worst(gz, min_votes=1e9)) == 0


def test_campaign_suffix_is_accepted(tmp_path: Path) -> None:
    from zoolens.catalog.decision_tree import get_tree

    tree = get_tree("gzd5")
    path = catalogue(
        tmp_path / "gz.duckdb",
        random_counts(5, tree),
        concentrations=random_concentrations(5, 1, tree),
        tree=tree,
    )
    score(path)
    assert worst(path, answer="how-rounded-dr5_round").equals(
        worst(path, answer="how-rounded_round")
    )


@pytest.mark.parametrize(
    ("choice", "error", "told"),
    [
        ({"answer": "bar_strnog"}, UnknownName, "nearest: bar_strong"),
        ({"question": "bra"}, UnknownName, "nearest: bar"),
        ({"by": "nll; DROP TABLE loss"}, CatalogError, "choose one of weighted_ce"),
        ({"limit": 0}, CatalogError, "1 or more"),
        ({"min_votes": -1}, CatalogError, "0 or more"),
        ({"min_votes": float("nan")}, CatalogError, "0 or more"),
    ],
)
def test_bad_choices(gz: Path, choice: dict[str, Any], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        worst(gz, **choice)


def test_without_a_score_run(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    with pytest.raises(CatalogError, match="zoolens score"):
        worst(path)


def test_questions_go_by_any_campaigns_name_and_answers_by_their_question(gz: Path) -> None:
    tree = TOY
    question = tree.questions[1]
    plain = worst(gz, question=question.name)
    assert worst(gz, question=f"{question.name}-dr5").equals(plain)
    with pytest.raises(CatalogError, match="is no answer to"):
        worst(gz, question=question.name, answer=tree.labels[0])
