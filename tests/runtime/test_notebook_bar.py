"""A notebook's line of progress: there while somebody watches, gone with the work."""

import re
import sys
from typing import Any

import IPython
import IPython.display
import pytest

from zoolens.catalog.runtime import notebook_bar, progress


class _Handle:
    def __init__(self, shown: list[str]) -> None:
        self._shown = shown

    def update(self, html: Any) -> None:
        self._shown.append(html.data)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands below the cell, one after the other, of a front end whose user can be asked."""
    lines: list[str] = []

    def display(html: Any, *, display_id: bool) -> _Handle:
        assert display_id
        lines.append(html.data)
        return _Handle(lines)

    monkeypatch.setattr(IPython.display, "display", display)
    _run_by(monkeypatch, asks=True)
    progress.set_quiet(False)
    return lines


def _run_by(monkeypatch: pytest.MonkeyPatch, *, asks: bool) -> None:
    kernel = type("Kernel", (), {"_allow_stdin": asks})()
    shell = type("Shell", (), {"kernel": kernel})()
    monkeypatch.setitem(sys.modules, "ipykernel", IPython)
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)


def _work(steps: int) -> None:
    with progress.progress("a < b", steps, done=2) as bar:
        for _ in range(steps - 2):
            bar.advance()


def test_it_counts_and_is_gone_at_the_end(
    shown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(notebook_bar, "_now", lambda: float(next(now)))
    _work(6)
    assert re.fullmatch(r'<progress max="6" value="2"></progress> a &lt; b: 2 of 6', shown[0])
    assert 'value="5"></progress> a &lt; b: 5 of 6, ' in shown[3]
    assert shown[3].endswith(" s left")
    assert shown[-1] == ""
    assert capsys.readouterr() == ("", "")


def test_a_page_is_not_drawn_at_every_step(
    shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_bar, "_now", lambda: 1.0)
    _work(5000)
    assert len(shown) == 2


def test_work_that_fails_leaves_no_line(shown: list[str]) -> None:
    with pytest.raises(ValueError, match="no"), progress.progress("working", 3):
        raise ValueError("no")
    assert shown[-1] == ""


def test_executed_without_a_front_end_it_is_quiet(
    shown: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run_by(monkeypatch, asks=False)
    monkeypatch.setattr(progress, "_now", lambda: 1e9)
    _work(5000)
    assert shown == []
    assert capsys.readouterr() == ("", "")


def test_outside_a_notebook_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert not notebook_bar.in_kernel()
    assert not notebook_bar.is_watched()
