"""Going over pieces: one that fails keeps no other from its work."""

import warnings
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogBusy, CatalogError, NothingHere, Outdated, Told, tell
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.survey.folder import name_of_piece
from zoolens.catalog.survey.tour import faults, go_over, lacking


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "Norder=1" / f"Npix={pixel}.duckdb" for pixel in range(4)]
    files[0].parent.mkdir()
    for file in files:
        file.touch()
    return files


def _size(path: Path) -> int:
    """What is done in other processes has to be importable."""
    if path.stem == "Npix=1":
        raise CatalogError(f"{path} is damaged")
    tell(f"{path} is small")
    return path.stat().st_size


@pytest.mark.parametrize("workers", [1, 2])
def test_what_fails_is_told_and_what_they_warn_of_once(paths: list[Path], workers: int) -> None:
    paths[2].unlink()
    with pytest.warns(Told) as told:
        visits = go_over(_size, paths, describe="looking", sizes=[1] * 4, workers=workers)
    assert [one.done for one in visits] == [0, None, None, 0]
    assert [str(one.message) for one in told] == [
        "Norder=1/Npix=0, Norder=1/Npix=3: the piece is small"
    ]
    assert faults(visits) == (
        f"{paths[1]} is damaged",
        f"{paths[2]}, a piece of the survey, is missing; restore it from a copy",
    )
    assert not paths[2].exists()


def test_one_that_was_held_is_tried_again(paths: list[Path]) -> None:
    tried: list[str] = []

    def work(path: Path) -> str:
        tried.append(path.stem)
        if path == paths[0] and len(tried) < 4:
            raise CatalogBusy("in use")
        if path == paths[1]:
            raise CatalogBusy("in use")
        return path.stem

    visits = go_over(work, paths, describe="looking", sizes=[1] * 4)
    assert [one.done for one in visits] == ["Npix=0", None, "Npix=2", "Npix=3"]
    assert tried == ["Npix=0", "Npix=1", "Npix=2", "Npix=3", "Npix=0", "Npix=1"]
    assert faults(visits) == ("Norder=1/Npix=1: in use",)


def test_those_with_nothing_to_do_are_no_faults(paths: list[Path]) -> None:
    def work(path: Path) -> None:
        raise NothingHere(f"{path} has no votes" if path != paths[3] else "nothing at all")

    visits = go_over(work, paths, describe="looking", sizes=[1] * 4)
    assert faults(visits) == ()
    first, second = lacking(visits)
    assert first.startswith(f"not {name_of_piece(paths[0])}, ")
    assert first.endswith(": the piece has no votes")
    assert second == "not Norder=1/Npix=3: nothing at all"


def test_other_errors_and_warnings_pass(paths: list[Path]) -> None:
    def work(path: Path) -> None:
        warnings.warn("of a library", UserWarning, stacklevel=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        go_over(work, paths, describe="looking", sizes=[1] * 4)

    def outdated(path: Path) -> None:
        tell("old", Outdated)

    with pytest.warns(Outdated, match="Npix=0, .*Npix=3: old"):
        go_over(outdated, paths, describe="looking", sizes=[1] * 4)


def test_steps_move_one_line(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from zoolens.catalog.runtime import progress as module

    now = [1000.0]
    monkeypatch.setattr(module, "_now", lambda: now[0])
    monkeypatch.setattr(module._Log, "_moved", float("-inf"))

    def work(path: Path) -> None:
        # of the first 100 galaxies, 90 were done before
        with progress("predicting", 100 if path != paths[0] else 10) as bar:
            for _ in range(100 if path != paths[0] else 10):
                now[0] += 1
                bar.advance()

    go_over(work, paths, describe="looking", sizes=[100] * 4)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "zoolens: looking: 120 of 400 (30 %), 1.0 per second, 5 min left"
    assert len(lines) > 3
    assert all("1.0 per second" in line for line in lines)
    with progress("alone", 1) as bar:
        now[0] += 1000
        bar.advance()
    assert "alone: 1 of 1" in capsys.readouterr().err
