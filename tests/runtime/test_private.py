"""What may be shown to strangers."""

import os
import sys
from pathlib import Path

import pytest

from zoolens.catalog.runtime.private import without_places


def test_places_are_taken_out_of_whatever_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home of mine"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")
    catalog = Path("my survey.duckdb")
    found = {
        "said": [
            f"{catalog} is damaged",
            f"{home}/work/{catalog}: no",
            f"see {home}/notes.txt",
            f'no room for "{home}/work/{catalog}.wal"; see {home}/work/secret/notes.txt: 3',
            f"restore {catalog}.",
            f"no '{home / 'work'}' there",
            "/data/secret/x.csv, row 3",
            f"{sys.prefix}/lib",
        ],
        "count": 3,
    }
    told = without_places(found, {catalog: "CATALOGUE"})
    assert told == {
        "said": [
            "CATALOGUE is damaged",
            "CATALOGUE: no",
            "see <home>",
            'no room for "CATALOGUE.wal"; see <here>: 3',
            "restore CATALOGUE.",
            "no '<here>' there",
            "<path>, row 3",
            "<python>/lib",
        ],
        "count": 3,
    }


@pytest.mark.parametrize(
    "harmless", ["5/7 of it", "GZ2/featured", "https://example.org/a/b", "3 and/or 4", "a / b"]
)
def test_what_is_no_path_stays(harmless: str) -> None:
    assert without_places(harmless, {}) == harmless


def test_a_root_or_a_point_as_a_place_stands_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getcwd", lambda: "/")
    assert without_places("a/b. c", {Path(): "CATALOGUE"}) == "a/b. c"
