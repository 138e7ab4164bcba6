"""Counterparts and similar galaxies are those that `zoolens similar` and the index give."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table

from tests.made.catalogues import TOY
from tests.made.surveys import cut
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.serve.products.choices import product_of
from zoolens.catalog.serve.products.making import make
from zoolens.catalog.similarity.exact import observed_candidates, predicted_candidates, similarity
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.matrices import read_predictions, read_votes
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece, read_survey
from zoolens.jobs.index import index
from zoolens.jobs.similar import similar

pytestmark = pytest.mark.slow

GALAXY = "J000003.00+000003.0"
UNVOTED = "J000029.00+000029.0"


def _answered(path: Path, scratch: Path, galaxy: str, what: str, **chosen: str) -> dict[str, Any]:
    made = make(path, product_of(galaxy, what, chosen), 1, scratch, scratch / "kept")
    found: dict[str, Any] = json.loads(made.body, parse_constant=pytest.fail)
    return found


@pytest.mark.parametrize("exchange", ["question", "answer"])
def test_counterparts_are_those_of_the_command(
    full_gz: Path, tmp_path: Path, exchange: Any
) -> None:
    found = _answered(
        full_gz, tmp_path, GALAXY, "counterparts", answer="bar_weak", exchange=exchange, k="3"
    )
    wanted = similar(full_gz, GALAXY, answer="bar_weak", exchange=exchange, k=3)
    assert [row["iauname"] for row in found["rows"]] == wanted.table["iauname"].to_pylist()
    assert found["notes"] == [*wanted.notes]
    assert found["label"] == wanted.answer


def test_weights_that_are_chosen_count(full_gz: Path, tmp_path: Path) -> None:
    label = similar(full_gz, GALAXY).answer
    question = TOY.questions[TOY.question_of[TOY.answer_id(label)]].name
    other = next(one.name for one in TOY.questions if one.name != question)
    usual, heavy = (
        _answered(full_gz, tmp_path, GALAXY, "counterparts", **{f"weight.{other}": weight})
        for weight in ("1", "50")
    )
    assert usual["label"] == label
    assert usual["weights"][question] == 5
    assert heavy["weights"] == {**usual["weights"], other: 50}
    assert [row["score"] for row in usual["rows"]] != [row["score"] for row in heavy["rows"]]
    plain = _answered(full_gz, tmp_path, GALAXY, "counterparts", question=question)
    assert plain["rows"] == usual["rows"]
    with pytest.raises(UnknownName, match="no question 'barr'"):
        _answered(full_gz, tmp_path, GALAXY, "counterparts", **{"weight.barr": "2"})


@pytest.mark.parametrize("kind", ["observed", "predicted"])
def test_similar_galaxies_are_the_best_of_all(full_gz: Path, tmp_path: Path, kind: str) -> None:
    rows = _answered(full_gz, tmp_path, GALAXY, "similar", k="4", **{"weight.bar": "3"})["rows"]
    found = [(row["iauname"], row["score"]) for row in rows if row["alike"] == kind]
    weights = np.where(TOY.question_of == TOY.question_id("bar"), 3.0, 1.0)
    with Store.open(full_gz, read_only=True) as store:
        (number,) = galaxy_ids(store, [GALAXY])
        ids = np.arange(28)  # which have both
        votes = read_votes(store, TOY, ids)
        fractions, _ = read_predictions(store, TOY, store.newest_run("predict"), ids)
        names = dict(store.rows("SELECT galaxy_id, iauname FROM galaxy"))
    own = (votes.observed if kind == "observed" else fractions)[number]
    others = (
        observed_candidates(votes.tree_counts, TOY)
        if kind == "observed"
        else predicted_candidates(fractions)
    )
    scores = similarity(own, others, weights)
    order = [at for at in np.argsort(-scores, kind="stable").tolist() if at != number][:4]
    assert [name for name, _ in found] == [names[at] for at in order]
    assert [score for _, score in found] == pytest.approx([scores[at] for at in order], rel=1e-5)


def test_a_survey_answers_as_the_whole(full_gz: Path, tmp_path: Path) -> None:
    survey = cut(full_gz, tmp_path / "dr1", [Piece(0, pixel) for pixel in range(12)])
    for path in read_survey(survey).paths:
        index(path)
    assert _answered(survey, tmp_path, GALAXY, "similar") == _answered(
        full_gz, tmp_path, GALAXY, "similar"
    )
    assert _answered(survey, tmp_path, GALAXY, "votes.json")["piece"].startswith("Norder=")
    with pytest.raises(UnknownName, match="nearest: J0000"):
        _answered(survey, tmp_path, "J00000x", "similar")


def test_tables_come_in_the_formats_of_tap(full_gz: Path, tmp_path: Path) -> None:
    asked = product_of(GALAXY, "similar", {"RESPONSEFORMAT": "votable/td", "k": "2"})
    made = make(full_gz, asked, 1, tmp_path, tmp_path / "kept")
    assert made.name.endswith("-similar.vot")
    table = Table.read(io.BytesIO(made.body), format="votable")
    assert len(table) == 4
    assert table["score"].description.startswith("similarity")


def test_a_galaxy_without_anything_to_compare_is_said(full_gz: Path, tmp_path: Path) -> None:
    for what in ("similar", "counterparts"):
        with pytest.raises(CatalogError, match=r"neither votes nor|has no loss|no prediction"):
            _answered(full_gz, tmp_path, UNVOTED, what)
    every = {f"weight.{question.name}": "0" for question in TOY.questions}
    for what in ("similar", "counterparts"):
        with pytest.raises(CatalogError, match="weight 0; raise one"):
            _answered(full_gz, tmp_path, GALAXY, what, **every)
