"""What may be compared, by hand."""

from pathlib import Path
from typing import Any

import pytest

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.survey.agreement import (
    Comparison,
    Results,
    differences,
    with_sources,
    without,
)

from ..made.catalogues import TOY

FOLDER = Path("dr1")
OTHER = DecisionTree("other", TOY.questions[:1])


def _piece(name: str, tree: DecisionTree | None = TOY, **settings: Any) -> Results:
    predict = {"model": "m", "samples": 30, **settings}
    return Results(name, tree, {"predict": predict, "score": {"weights": settings.get("weights")}})


def test_a_job_is_compared_after_what_it_starts_from() -> None:
    assert with_sources(["score", "explain"]) == ("predict", "score", "explain")


def test_pieces_that_are_alike_have_nothing_to_say() -> None:
    bare = Results("d", None, {"predict": None, "score": None})
    assert differences(FOLDER, [_piece("a"), _piece("b"), bare], ["score"]) == []
    assert differences(FOLDER, [], ["score"]) == []


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (_piece("c", model="n", samples=5), "the predictions of c are not as those of a, which "
         "differ in model, samples"),
        (_piece("c", orientations=8), "the predictions of c are not as those of a, which differ in "
         "orientations"),
        (_piece("c", OTHER), "dr1 is of tree toy, but c of other"),
    ],
)  # fmt: skip
def test_the_odd_one_is_named(odd: Results, said: str) -> None:
    for pieces in ([_piece("a"), _piece("b"), odd], [odd, _piece("a"), _piece("b")]):
        assert differences(FOLDER, pieces, ["predict"])[0] == said
    compared = Comparison(FOLDER, ["predict"])
    compared.pieces = pieces
    with pytest.raises(CatalogError, match="ask those pieces by themselves"):
        compared.check()


def test_other_weights_are_other_losses_alone() -> None:
    pieces = [_piece("a"), _piece("b"), _piece("c")]
    odd = Results("d", TOY, {**_piece("d").runs, "score": {"weights": {"bar_no": 5}}})
    assert differences(FOLDER, [*pieces, odd], ["predict"]) == []
    (said,) = differences(FOLDER, [*pieces, odd], ["score"])
    assert said == "the losses of d are not as those of a, which differ in weights"


def test_those_that_lack_something_are_named_where_others_have_it() -> None:
    assert without({"a": True, "b": False}, "score") == "without losses: b of 2 pieces"
    assert without({"a": True, "b": True}, "score") is None
    assert without({"a": False, "b": False}, "score") is None
