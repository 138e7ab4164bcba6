"""What the page is told before it draws."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.made.catalogues import TOY, catalogue, random_counts
from zoolens.catalog.serve.opening import looked_over
from zoolens.catalog.serve.page.about import about
from zoolens.catalog.serve.settings import Settings

_NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def _about(path: Path, **settings: Any) -> dict[str, Any]:
    looked = looked_over(path, memory=1 << 28)
    found: dict[str, Any] = json.loads(about(path.name, looked, _NOW, Settings(**settings)))
    return found


@pytest.fixture(scope="module")
def said(full_gz: Path) -> dict[str, Any]:
    return _about(full_gz)


def test_the_tree_is_told_question_by_question(said: dict[str, Any]) -> None:
    assert said["questions"] == [
        {
            "name": question.name,
            "after": list(question.asked_after),
            "answers": [
                {"name": answer, "label": label}
                for answer, label in zip(question.answers, question.labels, strict=True)
            ],
        }
        for question in TOY.questions
    ]


def test_views_have_the_columns_that_a_query_can_ask(said: dict[str, Any]) -> None:
    views = {view["name"]: view for view in said["views"]}
    assert views["worst"]["filled"]
    assert not views["estimates"]["filled"]
    assert [one["name"] for one in views["answers"]["columns"]][:2] == ["answer_id", "question"]
    (count,) = (one for one in views["votes"]["columns"] if one["name"] == "count")
    assert count["written"] == '"count"'
    assert "mean" not in [one["name"] for one in views["saliency"]["columns"]], "of bytes"


def test_what_there_is(said: dict[str, Any]) -> None:
    kept = {name: said[name] for name in ("galaxies", "positions", "images", "maps", "index")}
    assert kept == {"galaxies": 30, "positions": 30, "images": False, "maps": True, "index": True}
    assert (said["catalogue"], said["as_of"]) == ("gz.duckdb", "2026-01-02 03:04 UTC")
    assert (said["first"], said["token"], said["told"]) == ("worst", False, [])
    jobs = [one["job"] for one in said["runs"]]
    assert sorted(jobs) == ["explain", "index", "ingest", "predict", "score"]
    assert jobs.index("predict") < jobs.index("score") < jobs.index("index"), "as they ended"


def test_without_predictions_or_votes_there_is_another_first_view(tmp_path: Path) -> None:
    voted = catalogue(tmp_path / "voted.duckdb", random_counts(3))
    assert _about(voted, token="secret")["first"] == "galaxies"
    assert _about(voted, token="secret")["token"] is True
    assert _about(voted)["index"] is False


def test_a_survey_is_told_as_a_whole(full_survey: Path, said: dict[str, Any]) -> None:
    survey = _about(full_survey)
    for name in ("galaxies", "positions", "questions", "first"):
        assert survey[name] == said[name]
    worst = next(view for view in survey["views"] if view["name"] == "worst")
    assert worst["columns"][-1]["name"] == "piece"
