"""Contests time their ways in turn, keep what they took, and check what they did."""

import json
from pathlib import Path

import pytest

from benchmarks import contest
from benchmarks.contest import Contest, Way


def test_ways_take_turns_after_warming_up() -> None:
    calls: list[str] = []
    seconds = contest.run(
        Contest(
            "work",
            {
                "a": Way(lambda: calls.append("a")),
                "b": Way(lambda: calls.append("b"), before=lambda: calls.append("(b)")),
                "slow": Way(lambda: calls.append("slow"), repeats=0),
                "once": Way(lambda: calls.append("once"), repeats=1),
            },
            repeats=2,
        )
    )
    warm = ["a", "(b)", "b", "once"]
    assert calls == [*warm, "a", "(b)", "b", "slow", "once", "a", "(b)", "b"]
    assert {name: len(spent) for name, spent in seconds.items()} == {
        "a": 2,
        "b": 2,
        "slow": 1,
        "once": 1,
    }


def test_other_results_are_told() -> None:
    def check(results: object) -> None:
        assert results == {"a": 1, "b": 2}
        raise AssertionError("b differs")

    with pytest.raises(AssertionError, match="b differs"):
        contest.run(Contest("work", {"a": Way(lambda: 1), "b": Way(lambda: 2)}, check=check))


def test_what_is_kept_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contest, "RESULTS", tmp_path / "results" / "bench.jsonl")
    each = Contest("work", {"ours": Way(str, items=100), "slow": Way(str, items=10)})
    seconds = {"ours": [0.010, 0.030, 0.020], "slow": [0.1, 0.1]}
    contest.keep(each, seconds)
    contest.keep(each, seconds)
    rows = [json.loads(line) for line in contest.RESULTS.read_text().splitlines()]
    assert [row["way"] for row in rows] == ["ours", "slow"] * 2
    assert rows[1]["seconds"] == [0.1, 0.1]
    assert {"commit", "machine", "versions", "items", "contest"} < set(rows[0])
    contest.show([(each, seconds)])
    shown = capsys.readouterr().out
    assert "20 ms" in shown
    assert "10 ms to 30 ms" in shown
    assert "50.0" in shown  # a tenth of the work in five times the time
    assert "slow (extrapolated)" in shown
