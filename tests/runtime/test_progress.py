"""Progress: ends work where Ctrl-C was swallowed, and tells the log of a long job."""

import sys
from math import inf

import pytest

from zoolens.catalog.runtime import progress, signals


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds; nothing has moved yet, and stderr is no terminal."""
    now = [1000.0]
    monkeypatch.setattr(progress, "_now", lambda: now[0])
    monkeypatch.setattr(progress._Log, "_moved", -inf)
    progress.set_quiet(False)
    return now


def _work(clock: list[float], steps: int, seconds: float) -> None:
    with progress.progress("working", steps) as bar:
        for _ in range(steps):
            clock[0] += seconds
            bar.advance()


def test_a_control_c_that_was_swallowed_ends_the_work_at_its_next_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signals, "_received", None)
    done = 0

    def work() -> None:
        nonlocal done
        with progress.progress("working", 9) as bar:
            for step in range(9):
                done += 1
                bar.advance()
                if step == 3:
                    monkeypatch.setattr(signals, "_received", 2)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == 5


def test_a_short_job_tells_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    _work(clock, 100, 0.29)
    clock[0] += 3600  # a notebook that was idle
    _work(clock, 100, 0.29)
    assert capsys.readouterr() == ("", "")


def test_a_long_job_tells_now_and_then(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    _work(clock, 36_000, 1)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == "zoolens: working: 30 of 36,000 (0 %), 1.0 per second, 10 h 0 min left"
    assert 60 < len(lines) < 100, "ten hours are a page"


def test_many_short_steps_are_a_long_job(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(10):
        _work(clock, 2, 4)
    assert capsys.readouterr().err.splitlines() == [
        "zoolens: working: 2 of 2 (100 %), 4.0 s each, 0 s left",
        "zoolens: working: 2 of 2 (100 %), 4.0 s each, 0 s left",
    ]


def test_quiet_is_quiet(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    progress.set_quiet(True)
    try:
        _work(clock, 1000, 1)
        progress.remark("something")
    finally:
        progress.set_quiet(False)
    assert capsys.readouterr() == ("", "")


def test_where_nothing_has_come_through_no_pace_is_told(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress("drawing", 5) as bar:
        clock[0] += 40
        bar.advance(0)
    assert capsys.readouterr().err == "zoolens: drawing: 0 of 5 (0 %)\n"


def test_a_job_of_hours_tells_at_even_times_what_it_does_now(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress("training", 500, done=100, unit=" galaxies", every=60) as bar:
        for step in range(1, 401):
            clock[0] += 1
            bar.advance(1, f"step {step}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "zoolens: step 30: 130 of 500 galaxies (26 %), 1.0 per second, 6 min left"
    ), "what was done before counts, but not for the pace"
    assert [line.split(":")[1] for line in lines] == [f" step {n}" for n in range(30, 400, 60)]


def test_a_terminal_shows_what_is_done_now(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.progress("training", 400, done=100, every=60) as bar:
        bar.advance(50, "epoch 2 of 3, step 30 of 80, loss 2.345, validation 2.401 at best")
    err = capsys.readouterr().err
    assert "epoch 2 of 3, step 30 of 80, loss 2.345, validation 2.401 at best" in err
    assert "150/400" in err


def test_steps_of_a_part_are_steps_of_the_whole(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.progress("the whole", 6) as bar:
        with progress.within(bar):
            _work(clock, 2, 10)
            _work(clock, 3, 10)
        bar.advance(0)
    told = capsys.readouterr().err
    assert "working" not in told
    assert "the whole: 3 of 6 (50 %)" in told
    with progress.progress("alone", 9) as bar:
        assert bar._show is not None
