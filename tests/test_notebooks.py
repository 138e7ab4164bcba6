"""The notebooks of docs/notebooks: each is run as a reader runs it, and what it claims holds."""

import re
from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(
    path for path in (ROOT / "docs" / "notebooks").glob("*.md") if path.name != "README.md"
)
# A reader begins with whichever; here the first makes the sky that all of them use.
_FIRST = "paper-again.md"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_asks_first_and_is_held_to_what_it_says(path: Path) -> None:
    cells = jupytext.read(path).cells
    assert re.match(r"# .+\n\n\*.+\?\*", cells[0].source, re.S), "a title, then the question"
    assert any("assert " in cell.source for cell in cells if cell.cell_type == "code")
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.slow
@pytest.mark.published
@pytest.mark.timeout(900)
def test_all_run_offline_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one folder, so that the sky is made once: of two processes each would make its own."""
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # what asks the network is refused
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    votes = ROOT.parent / "shared" / "data" / "gzd5_votes.csv"
    if votes.exists():  # the paper's own, where the real data are
        (tmp_path / votes.name).symlink_to(votes)
    assert len(NOTEBOOKS) == 5
    for path in sorted(NOTEBOOKS, key=lambda path: path.name != _FIRST):
        book = jupytext.read(path)
        NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        drawn = [form for cell in code for out in cell.outputs for form in out.get("data", {})]
        assert "image/svg+xml" in drawn or path.name == _FIRST, path.name
        for cell in code:
            said = [out.text for out in cell.outputs if out.get("name") == "stderr"]
            assert not said or "remove-stderr" in cell.metadata.get("tags", []), (path.name, said)
