"""One galaxy to look at: its numbers are the store's, and it shows whatever is missing."""

import re
from pathlib import Path

import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.explain.one_galaxy import one_galaxy
from zoolens.catalog.store.facts import facts_of
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = catalogue(
        tmp_path / "gz.duckdb",
        random_counts(3, seed=1),
        concentrations=random_concentrations(3, 1),
    )
    score(path, weights="none")
    return path


def test_it_shows_what_is_known(path: Path) -> None:
    with Store.open(path, read_only=True) as store:
        shown = one_galaxy(store, "G0001")
        assert shown.facts == facts_of(store, [1])[1]
    table = shown.table
    assert table["label"].tolist() == [fact.label for fact in shown.facts]
    dearest = max(shown.facts, key=lambda fact: fact.ce or 0)
    assert shown.costliest == dearest.label
    assert repr(shown).startswith(f"galaxy G0001: {shown.costliest}, ")
    html = shown._repr_html_()
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    asked = table.groupby("question")["total"].max()
    assert len(rows) == len(table[table["question"].map(asked) > 0])
    (marked,) = [row for row in rows if "▸" in row]
    assert f">{dearest.predicted:.2f}<" in marked
    assert f">{dearest.observed:.2f}<" in marked
    assert "<img" not in html
    assert "<script" not in html


def test_without_votes_or_predictions_it_shows_what_there_is(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "votes.duckdb", random_counts(1))
    with Store.open(path, read_only=True) as store:
        shown = one_galaxy(store, "G0000")
    assert shown.costliest is None
    assert repr(shown) == "galaxy G0000"
    assert "▸" not in shown._repr_html_()


def test_an_unknown_galaxy_is_told(path: Path) -> None:
    with (
        Store.open(path, read_only=True) as store,
        pytest.raises(UnknownName, match="no galaxy 'X'"),
    ):
        one_galaxy(store, "X")
