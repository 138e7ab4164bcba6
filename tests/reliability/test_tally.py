import json
from pathlib import Path

import pytest

from reliability.campaigns import JOBS
from reliability.cases import Case, Outcome, Verdict, failed
from reliability.tally import DOCUMENT, RESULTS, Tally, markdown, written


def _tally() -> Tally:
    tally = Tally("kills", 5)
    tally.add(Case("kills", "score", 0, 5), Verdict(Outcome.HELD, events=3))
    tally.add(Case("kills", "score", 1, 5), Verdict(Outcome.HELD, events=0))
    tally.add(Case("kills", "index", 0, 5), failed("left: x.part", 2))
    tally.add(Case("kills", "index", 1, 5), failed("without a kill", 0))
    return tally


def test_events_are_counted_and_failures_kept(tmp_path: Path) -> None:
    tally = _tally()
    assert tally.events == 6
    kept = json.loads(tally.keep({"commit": "abc"}, tmp_path).read_text())
    assert kept["counts"] == {"score": {"held": 3}, "index": {"FAILED": 3}}
    assert [each["case"] for each in kept["failures"]] == ["kills/index/0", "kills/index/1"]
    assert kept["seed"] == 5


def test_counts_become_a_table_of_the_document(tmp_path: Path) -> None:
    _tally().keep({}, tmp_path)
    assert markdown(tmp_path).splitlines() == [
        "| kills | held | FAILED |",
        "|---|---|---|",
        "| score | 3 | 0 |",
        "| index | 0 | 3 |",
        "| **6** | **3** | **3** |",
        "",
    ]
    text = written("before\n<!-- counts -->\nold\n<!-- end of counts -->\nafter\n", tmp_path)
    assert text.startswith("before\n<!-- counts -->\n| kills")
    assert text.endswith("<!-- end of counts -->\nafter\n")


def test_the_document_has_the_counts_that_were_kept() -> None:
    text = DOCUMENT.read_text()
    assert text == written(text), "docs/reliability.md is out of date; do: make reliability"


@pytest.mark.parametrize(("campaign", "least"), [("kills", 300), ("flips", 600), ("inputs", 5000)])
def test_so_many_events_were_kept_and_none_failed(campaign: str, least: int) -> None:
    kept = json.loads((RESULTS / f"{campaign}.json").read_text())
    assert {*kept["counts"]} == {*JOBS[campaign]}
    assert kept["failures"] == []
    assert all(Outcome.FAILED not in counts for counts in kept["counts"].values())
    assert sum(sum(counts.values()) for counts in kept["counts"].values()) >= least
