"""Whether pieces show what was made alike."""

from pathlib import Path
from typing import Any

import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.survey.alike import check_alike, check_trees
from zoolens.catalog.trees.published import get_tree

A, B = Path("a.duckdb"), Path("b.duckdb")
CONFIG: dict[str, Any] = {"samples": 3, "view": {"size": 64}, "predict_run": 2, "votes": [1]}


def test_what_follows_from_the_piece_may_differ() -> None:
    other = {**CONFIG, "predict_run": 7, "votes": [], "origin": {"model": "b"}}
    tables = {"predictions_sha256": "bb", "table_sha256": "cc"}
    check_alike("score", [(A, "ff", CONFIG), (B, "ff", {**other, **tables})])
    check_alike("score", [])


@pytest.mark.parametrize(
    ("model", "config", "words"),
    [
        ("00", CONFIG, r"b.duckdb shows losses by another model than a.duckdb"),
        (None, CONFIG, "another model"),
        ("ff", {**CONFIG, "samples": 5}, r"with other settings than a.duckdb \(samples\)"),
        ("ff", {**CONFIG, "precision": "bfloat16"}, r"\(precision\)"),
        ("ff", {"samples": 3}, r"\(view\)"),
    ],
)
def test_the_first_that_differs_is_named(
    model: str | None, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(CatalogError, match=words) as caught:
        check_alike("score", [(A, "ff", CONFIG), (B, model, config)])
    assert "\n" not in str(caught.value)


def test_trees_are_the_same() -> None:
    check_trees([(A, TOY), (B, TOY)])
    with pytest.raises(CatalogError, match=r"b.duckdb is of decision tree gzd5, a.duckdb of toy"):
        check_trees([(A, TOY), (B, get_tree("gzd5"))])
    with pytest.raises(CatalogError, match="of decision tree None"):
        check_trees([(A, TOY), (B, None)])
